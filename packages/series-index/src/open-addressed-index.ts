import {
  LIMIT,
  NO_OFFSET,
  NO_SERIES,
  OPEN,
  StorageError,
  type IndexSettlement,
  type SeriesIndex,
  type SeriesIndexNeeds,
  type SeriesIndexStats,
  type SeriesRef,
  type WriteBatch,
} from "@varve/contracts";
import { ARENA_PAGE_BYTES } from "./arena-pages.ts";
import { IndexKernel, type KernelExports } from "./index-kernel.ts";
import { KeyArena, NO_KEY, type KeyAt } from "./key-arena.ts";
import { Overflow } from "./overflow.ts";
import { KeySources } from "./key-sources.ts";
import { outOfMemory } from "./out-of-memory.ts";
import { prefault } from "./prefault.ts";
import { RefColumn } from "./ref-column.ts";
import { CROWDED, FULL, NO_SLOT, SlotTable } from "./slot-table.ts";
import { HEAP_ARRAYS, LinearArrays } from "./table-arrays.ts";

/** Rows whose slots are sought before the first key is compared: enough for cache misses to overlap. */
const GROUP_ROWS = 64;

/**
 * Series of one whole hash that lie in the table. More of them come from nobody but an attacker, or a poor hash: they go to
 * the overflow, so that no search compares many keys.
 */
const SAME_HASH_MAX = 4;

/** The part behind `openAddressedIndex`, and with a kernel the one behind `openAddressedWasmIndex`. */
export class OpenAddressedIndex implements SeriesIndex {
  readonly #needs: SeriesIndexNeeds;
  readonly #words: Int32Array;
  readonly #table: SlotTable;
  readonly #arena: KeyArena;
  readonly #column: RefColumn;
  readonly #overflow = new Overflow();
  /** Slot that may hold each row of a group. */
  readonly #slots = new Int32Array(GROUP_ROWS);
  readonly #places = new Int32Array(GROUP_ROWS);
  readonly #sources: KeySources;
  readonly #kernel: IndexKernel | null;
  #nextRef: SeriesRef = 1;
  #size = 0;
  #probes = 0;
  #collisions = 0;
  #closed = false;

  constructor(needs: SeriesIndexNeeds, kernel: KernelExports | null = null) {
    const { memory } = needs;
    this.#needs = needs;
    // Word indices of 4 GiB end below 2^30, so one view of everything stays on the fast path.
    this.#words = memory.words(0, memory.bytesMax / 4);
    this.#sources = new KeySources(memory, this.#words);
    const arrays = kernel === null ? HEAP_ARRAYS : new LinearArrays(memory);
    this.#table = new SlotTable(memory, this.#words, arrays);
    this.#column = new RefColumn(memory, this.#words);
    this.#arena = new KeyArena(memory, this.#words, (ref, place, to) => {
      this.#column.move(ref, to);
      this.#table.move(place, ref, to);
    });
    if (!this.#table.open(Math.min(needs.seriesExpected, needs.seriesMax))) {
      this.#table.dispose();
      throw outOfMemory(needs, `the slots of ${needs.seriesExpected} expected series`);
    }
    this.#kernel = kernel === null ? null : this.#over(kernel);
  }

  get size(): number {
    return this.#size;
  }

  get nextRef(): SeriesRef {
    return this.#nextRef;
  }

  get stats(): SeriesIndexStats {
    return {
      probes: this.#probes,
      growths: this.#table.splits,
      collisions: this.#collisions,
      overflowed: this.#overflow.size,
      bytes: this.#table.bytes + this.#arena.bytes + this.#column.bytes + this.#overflow.bytes,
      transactions: 0,
    };
  }

  /** Takes and touches the memory that `series` keys will need. */
  async prepare(series: number, keyBytes: number): Promise<void> {
    const spans: number[] = [];
    this.#table.forEachSegment((at, bytes) => spans.push(at, bytes));
    for (let left = series * (keyBytes + 16); left > 0; left -= ARENA_PAGE_BYTES) {
      const at = this.#arena.reserve();
      if (at === NO_OFFSET) break;
      spans.push(at, ARENA_PAGE_BYTES);
    }
    await prefault(this.#words, spans);
  }

  find(batch: WriteBatch, from: number, until: number): void {
    const source = this.#source(batch);
    const kernel = this.#kernel;
    for (let start = from; start < until; start += GROUP_ROWS) {
      if (kernel?.canRead(batch)) {
        const next = kernel.find(batch, start, until);
        this.#probes += next - start;
        if (next === until) return;
        start = next; // What it leaves is seldom alone: the rest of a group goes with it.
      }
      const end = start + GROUP_ROWS < until ? start + GROUP_ROWS : until;
      this.#seekGroup(batch, start, end);
      this.#compareGroup(batch, source, start, end);
    }
  }

  insert(batch: WriteBatch, from: number, until: number): number {
    const source = this.#source(batch);
    const kernel = this.#kernel;
    if (!kernel?.canRead(batch)) return this.#insertEach(batch, source, from, until);
    let inserted = 0;
    for (let next = from; next < until; next += 1) {
      const room = this.#needs.seriesMax - this.#size;
      next = kernel.insert(batch, next, until, this.#nextRef, room);
      this.#nextRef += kernel.inserted;
      this.#size += kernel.inserted;
      inserted += kernel.inserted;
      if (next < until) inserted += this.#insertEach(batch, source, next, next + 1);
    }
    return inserted;
  }

  #insertEach(batch: WriteBatch, source: Int32Array, from: number, until: number): number {
    const { hashes, refs, status } = batch;
    let inserted = 0;
    for (let row = from; row < until; row += 1) {
      if (status[row] !== OPEN || refs[row] !== NO_SERIES) continue;
      const place = this.#table.place(hashes[2 * row]!, hashes[2 * row + 1]!);
      let ref = this.#lookUp(batch, source, row, place, 0);
      if (ref === NO_SERIES) {
        ref = this.#size < this.#needs.seriesMax ? this.#nextRef : NO_SERIES;
        if (ref > 0xffffffff || ref === NO_SERIES || !this.#bind(batch, source, row, place, ref)) {
          status[row] = LIMIT;
          continue;
        }
        inserted += 1;
      }
      refs[row] = ref;
    }
    return inserted;
  }

  adopt(batch: WriteBatch, from: number, until: number): void {
    const source = this.#source(batch);
    for (let row = from; row < until; row += 1) {
      const ref = batch.refs[row]!;
      if (ref === NO_SERIES) continue;
      const place = this.#table.place(batch.hashes[2 * row]!, batch.hashes[2 * row + 1]!);
      const known = this.#lookUp(batch, source, row, place, 0);
      if (known === ref) continue;
      if (known !== NO_SERIES) this.#forget(known);
      this.#forget(ref);
      if (!this.#bind(batch, source, row, place, ref)) throw outOfMemory(this.#needs, "a key");
    }
    this.#arena.tidy();
  }

  settle(nextRef: SeriesRef): IndexSettlement {
    this.#assertOpen();
    if (nextRef > this.#nextRef) this.#nextRef = nextRef;
    return { rebuilt: false, reason: "", dropped: 0 };
  }

  drop(refs: Uint32Array, count: number): void {
    this.#assertOpen();
    for (let start = 0; start < count; start += GROUP_ROWS) {
      const end = start + GROUP_ROWS < count ? start + GROUP_ROWS : count;
      this.#touchGroup(refs, start, end);
      for (let i = start; i < end; i += 1) this.#forget(refs[i]!);
    }
    this.#arena.tidy();
  }

  keyBytes(ref: SeriesRef): number {
    const key = this.#column.get(ref);
    return key === NO_KEY ? 0 : this.#arena.length(key);
  }

  copyKey(ref: SeriesRef, into: Uint8Array, at: number): number {
    const key = this.#column.get(ref);
    return key === NO_KEY ? 0 : this.#arena.load(key, into, at);
  }

  async commit(): Promise<void> {
    this.#assertOpen();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#column.dispose();
    this.#arena.dispose();
    this.#table.dispose();
    this.#overflow.clear();
    this.#kernel?.dispose();
    this.#size = 0;
  }

  #over(kernel: KernelExports): IndexKernel | null {
    return IndexKernel.over(kernel, {
      memory: this.#needs.memory,
      words: this.#words,
      table: this.#table,
      arena: this.#arena,
      column: this.#column,
      overflow: this.#overflow,
    });
  }

  /** First pass: the slot whose whole hash matches, for each row. The misses of different rows overlap. */
  #seekGroup(batch: WriteBatch, from: number, until: number): void {
    const { hashes, refs } = batch;
    const table = this.#table;
    for (let row = from; row < until; row += 1) {
      if (refs[row] !== NO_SERIES) continue;
      const low = hashes[2 * row]!;
      const high = hashes[2 * row + 1]!;
      const place = table.place(low, high);
      this.#places[row - from] = place;
      this.#slots[row - from] = table.seek(place, low, high, 0);
    }
  }

  /** Second pass: the whole key decides. */
  #compareGroup(batch: WriteBatch, source: Int32Array, from: number, until: number): void {
    const { keyAt, refs } = batch;
    const keysAt = batch.keys.byteOffset;
    const table = this.#table;
    const arena = this.#arena;
    for (let row = from; row < until; row += 1) {
      if (refs[row] !== NO_SERIES) continue;
      const slot = this.#slots[row - from]!;
      const place = this.#places[row - from]!;
      if (slot === NO_SLOT) {
        if (table.mayOverflow(place)) refs[row] = this.#lookUpOverflow(batch, source, row);
        continue;
      }
      const byteAt = keyAt[row]!;
      const length = keyAt[row + 1]! - byteAt;
      refs[row] = arena.equals(table.key(slot), source, keysAt + byteAt, length)
        ? table.ref(slot)
        : this.#lookUp(batch, source, row, place, table.distance(place, slot) + 1);
    }
    this.#probes += until - from;
  }

  /** The ref of a row's key, or NO_SERIES. Looks from `probe` slots behind the key's home on. */
  #lookUp(
    batch: WriteBatch,
    source: Int32Array,
    row: number,
    place: number,
    probe: number,
  ): SeriesRef {
    const low = batch.hashes[2 * row]!;
    const high = batch.hashes[2 * row + 1]!;
    const byteAt = batch.keyAt[row]!;
    const length = batch.keyAt[row + 1]! - byteAt;
    const table = this.#table;
    let slot = table.seek(place, low, high, probe);
    while (slot !== NO_SLOT) {
      if (this.#arena.equals(table.key(slot), source, batch.keys.byteOffset + byteAt, length)) {
        return table.ref(slot);
      }
      slot = table.seek(place, low, high, table.distance(place, slot) + 1);
    }
    return table.mayOverflow(place) ? this.#lookUpOverflow(batch, source, row) : NO_SERIES;
  }

  #lookUpOverflow(batch: WriteBatch, source: Int32Array, row: number): SeriesRef {
    const byteAt = batch.keyAt[row]!;
    const until = batch.keyAt[row + 1]!;
    const from = batch.keys.byteOffset + byteAt;
    const overflow = this.#overflow;
    let ref = overflow.first(overflow.hash(batch.keys, byteAt, until));
    while (ref !== NO_SERIES) {
      if (this.#arena.equals(this.#column.get(ref), source, from, until - byteAt)) return ref;
      ref = overflow.next(ref);
    }
    return NO_SERIES;
  }

  /** Binds a row's key, which is unknown, to a ref without a key. False, and nothing is changed, when memory is full. */
  #bind(
    batch: WriteBatch,
    source: Int32Array,
    row: number,
    place: number,
    ref: SeriesRef,
  ): boolean {
    const low = batch.hashes[2 * row]!;
    const high = batch.hashes[2 * row + 1]!;
    const byteAt = batch.keyAt[row]!;
    const until = batch.keyAt[row + 1]!;
    if (!this.#column.ensure(ref)) return false;
    const from = batch.keys.byteOffset + byteAt;
    const key = this.#arena.store(place, ref, source, from, until - byteAt);
    if (key === NO_KEY) return false;
    const same = this.#countSame(place, low, high);
    if (same > 0) this.#collisions += 1;
    const placement =
      same < SAME_HASH_MAX ? this.#table.put(place, low, high, ref, key) : this.#table.crowd(place);
    if (placement === FULL) {
      this.#arena.release(key);
      return false;
    }
    if (placement === CROWDED) {
      this.#overflow.add(this.#overflow.hash(batch.keys, byteAt, until), ref);
    }
    this.#column.set(ref, key);
    this.#size += 1;
    if (ref >= this.#nextRef) this.#nextRef = ref + 1;
    return true;
  }

  /** How many series of a whole hash lie in the table. */
  #countSame(place: number, low: number, high: number): number {
    const table = this.#table;
    let count = 0;
    let slot = table.seek(place, low, high, 0);
    while (slot !== NO_SLOT) {
      count += 1;
      slot = table.seek(place, low, high, table.distance(place, slot) + 1);
    }
    return count;
  }

  /** Reads what dropping these refs needs, so that their cache misses overlap: 30 % of a drop. */
  #touchGroup(refs: Uint32Array, from: number, until: number): void {
    for (let i = from; i < until; i += 1) this.#slots[i - from] = this.#column.get(refs[i]!);
    for (let i = 0; i < until - from; i += 1) {
      const key = this.#slots[i]!;
      this.#places[i] = key === NO_KEY ? 0 : this.#arena.place(key);
    }
    for (let i = 0; i < until - from; i += 1) this.#slots[i] = this.#table.home(this.#places[i]!);
  }

  #forget(ref: SeriesRef): void {
    const key = this.#column.get(ref);
    if (key === NO_KEY) return;
    if (!this.#table.remove(this.#arena.place(key), ref)) this.#forgetOverflowed(ref, key);
    this.#column.clear(ref);
    this.#arena.release(key);
    this.#size -= 1;
  }

  #forgetOverflowed(ref: SeriesRef, key: KeyAt): void {
    const bytes = new Uint8Array(this.#arena.length(key));
    this.#arena.load(key, bytes, 0);
    this.#overflow.remove(this.#overflow.hash(bytes, 0, bytes.length), ref);
    if (this.#overflow.size === 0) this.#table.clearOverflowed();
  }

  #source(batch: WriteBatch): Int32Array {
    this.#assertOpen();
    return this.#sources.of(batch);
  }

  #assertOpen(): void {
    if (this.#closed) throw new StorageError("CLOSED", "the series index is closed");
  }
}
