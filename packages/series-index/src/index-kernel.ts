import { loadKernel } from "@varve/bytes";
import { NO_OFFSET, type Memory, type SeriesRef, type WriteBatch } from "@varve/contracts";
import type { KeyArena } from "./key-arena.ts";
import type { Overflow } from "./overflow.ts";
import type { RefColumn } from "./ref-column.ts";
import type { SlotTable } from "./slot-table.ts";

/** What kernel/open-addressed.ts exports. Places are byte offsets of the memory. */
export interface KernelExports {
  findRows(
    state: number,
    refs: number,
    hashes: number,
    keyAt: number,
    keys: number,
    from: number,
    until: number,
  ): number;
  insertRows(
    state: number,
    refs: number,
    hashes: number,
    keyAt: number,
    keys: number,
    status: number,
    from: number,
    until: number,
  ): number;
}

const KERNEL = new URL("../dist/kernel/open-addressed.wasm", import.meta.url);

/** The kernel over a memory. */
export function loadIndexKernel(memory: Memory): KernelExports {
  return loadKernel<KernelExports>(KERNEL, memory);
}

/** The tables of an index. */
export interface IndexTables {
  readonly memory: Memory;
  readonly words: Int32Array;
  readonly table: SlotTable;
  readonly arena: KeyArena;
  readonly column: RefColumn;
  readonly overflow: Overflow;
}

// What calls share, by word: the secret, the directory, what the next series gets, and slots of a group of rows.
const SECRET_LOW = 0;
const SECRET_HIGH = 1;
const STARTS = 2;
const MASK = 3;
const NUMBERS = 4;
const SERIES = 5;
const OVERFLOWED = 6;
const NEXT_REF = 7;
const MOST = 8;
const COLUMN = 9;
const NEXT_KEY = 10;
const PAGE_END = 11;
/** Bytes of it: a cache line, and a word for each of a group's 64 rows. */
const STATE_BYTES = 64 + 64 * 4;

/** Finds and inserts rows that need no decision. */
export class IndexKernel {
  /** Series that the last `insert` brought. */
  inserted = 0;
  readonly #exports: KernelExports;
  readonly #tables: IndexTables;
  readonly #memory: Memory;
  readonly #words: Int32Array;
  readonly #table: SlotTable;
  readonly #overflow: Overflow;
  readonly #at: number;
  /** The directory that the state tells of. */
  #version = -1;

  private constructor(exports: KernelExports, tables: IndexTables, at: number) {
    const { memory, words, table } = tables;
    this.#exports = exports;
    this.#tables = tables;
    this.#memory = memory;
    this.#words = words;
    this.#table = table;
    this.#overflow = tables.overflow;
    this.#at = at;
    words[at / 4 + SECRET_LOW] = table.secretLow;
    words[at / 4 + SECRET_HIGH] = table.secretHigh;
  }

  /** The kernel over these tables, or null when the memory is full. */
  static over(exports: KernelExports, tables: IndexTables): IndexKernel | null {
    const at = tables.memory.take(STATE_BYTES);
    return at === NO_OFFSET ? null : new IndexKernel(exports, tables, at);
  }

  /** Whether the kernel can read a batch and the tables: both lie in the memory. */
  canRead(batch: WriteBatch): boolean {
    return batch.memory === this.#memory && this.#table.segments.isLinear;
  }

  /** Finds rows up to the first one that is not for the kernel, and returns that row, or `until`. */
  find(batch: WriteBatch, from: number, until: number): number {
    this.#fill();
    return this.#exports.findRows(
      this.#at,
      batch.refs.byteOffset,
      batch.hashes.byteOffset,
      batch.keyAt.byteOffset,
      batch.keys.byteOffset,
      from,
      until,
    );
  }

  /**
   * Inserts rows up to the first one that is not for the kernel, and returns that row, or `until`. New series get refs from
   * `nextRef` on, `room` of them at most.
   */
  insert(batch: WriteBatch, from: number, until: number, nextRef: SeriesRef, room: number): number {
    this.#fill();
    const { arena, column } = this.#tables;
    const { pages } = arena;
    const words = this.#words;
    const at = this.#at / 4;
    const place = nextRef > 0xffffffff ? 0 : column.placeOf(nextRef);
    words[at + NEXT_REF] = nextRef;
    words[at + MOST] = place === 0 ? 0 : Math.min(column.left(nextRef), Math.max(0, room));
    words[at + COLUMN] = place * 4;
    words[at + NEXT_KEY] = pages.next * 4;
    words[at + PAGE_END] = pages.end * 4;
    const next = this.#exports.insertRows(
      this.#at,
      batch.refs.byteOffset,
      batch.hashes.byteOffset,
      batch.keyAt.byteOffset,
      batch.keys.byteOffset,
      batch.status.byteOffset,
      from,
      until,
    );
    this.inserted = (words[at + NEXT_REF]! - nextRef) >>> 0;
    if (this.inserted > 0) {
      pages.carved(words[at + NEXT_KEY]! >>> 2);
      column.filled(nextRef, this.inserted);
    }
    return next;
  }

  dispose(): void {
    this.#memory.give(this.#at, STATE_BYTES);
  }

  /** Says where the tables lie. */
  #fill(): void {
    const { segments } = this.#table;
    const words = this.#words;
    const at = this.#at / 4;
    if (segments.version !== this.#version) {
      this.#version = segments.version;
      words[at + STARTS] = segments.startsAt;
      words[at + MASK] = segments.mask;
      words[at + NUMBERS] = segments.numbersAt;
      words[at + SERIES] = segments.series.byteOffset;
    }
    words[at + OVERFLOWED] = this.#overflow.size === 0 ? 0 : segments.overflowed.byteOffset;
  }
}
