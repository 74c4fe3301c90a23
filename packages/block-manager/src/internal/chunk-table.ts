import { NO_OFFSET, type Lsn, type Memory, type Offset, type Region } from "@varve/contracts";
import { Ring } from "./ring.ts";
import type { Windows } from "./windows.ts";

/** Chunks a page holds: 64 KiB, a cache line a chunk. */
const CHUNKS_PER_PAGE = 1024;
const CHUNK_SHIFT = 10;
const CHUNK_MASK = CHUNKS_PER_PAGE - 1;
const CHUNK_BYTES = 64;
const CHUNK_WORDS = CHUNK_BYTES / 4;
const CHUNK_DOUBLES = CHUNK_BYTES / 8;
/** Resident memory comes in pages of this many bytes. */
const FAULT_BYTES = 4096;

/** No chunk: where a series' list ends. */
export const NO_CHUNK = 0;

/** Doubles of a chunk: its first and last time, and the batch that brought its first sample. */
export const MIN_TIME = 0;
export const MAX_TIME = 1;
const FIRST_LSN = 2;
/** Words of a chunk. `OLDER` is the series' chunk before it. */
export const REF = 6;
export const OLDER = 7;
/** Where its bytes lie in memory; 0 once they were given back, or while the chunk is open. */
export const SEALED_REGION = 8;
/** Bytes of data, and samples. */
export const LENGTH = 9;
export const COUNT = 10;
/** Where its record begins in `sealed/`; file 0 when it was not written. */
export const FILE = 11;
export const FILE_OFFSET = 12;
/** Neighbours among the chunks that are not synced, in the order of their first Lsn. */
const PREVIOUS = 13;
const NEXT = 14;
/** 1 until the chunk is sealed. */
const IS_OPEN = 15;

interface ChunkPage {
  readonly words: Int32Array;
  readonly doubles: Float64Array;
}

/**
 * What is known of every chunk outside of blocks, by a dense number from 1 on. While `sealed/` holds a chunk, its
 * 64 bytes stand for it; a chunk that is in a block gives its number back.
 *
 * The chunks that are not synced form a list. Chunks are opened in the order of their Lsns, so its head
 * has the lowest, and the durable Lsn is found without a search.
 */
export class ChunkTable {
  /** Numbers handed out so far: no chunk has a higher one. */
  count = 0;
  /** First and last chunk that is not synced. */
  head = NO_CHUNK;
  #tail = NO_CHUNK;
  readonly #memory: Memory;
  readonly #windows: Windows;
  /** Numbers that were given back. */
  readonly #released = new Ring();
  readonly #pages: ChunkPage[] = [];
  readonly #offsets: Offset[] = [];

  constructor(memory: Memory, windows: Windows) {
    this.#memory = memory;
    this.#windows = windows;
  }

  /** Descriptors that `open` can still hand out before it needs memory. */
  get free(): number {
    return this.#pages.length * CHUNKS_PER_PAGE - this.count + this.#released.length;
  }

  /** Takes another page. Answers false when the memory is full. */
  grow(): boolean {
    const bytes = CHUNKS_PER_PAGE * CHUNK_BYTES;
    const offset = this.#memory.take(bytes);
    if (offset === NO_OFFSET) return false;
    this.#offsets.push(offset);
    this.#pages.push({
      words: this.#memory.words(offset, bytes / 4),
      doubles: this.#memory.doubles(offset, bytes / 8),
    });
    return true;
  }

  /** Takes and touches pages for `count` chunks, so that no later write pays for either. */
  prepare(count: number): void {
    while (this.free < count) {
      if (!this.grow()) return;
      const { words } = this.#pages.at(-1)!;
      for (let i = 0; i < words.length; i += FAULT_BYTES / 4) words[i] = 0;
    }
  }

  /** Describes a chunk that opens now, and that is not synced. There must be a free descriptor. */
  open(ref: number, older: number, time: number, lsn: Lsn): number {
    const chunk = this.#released.length > 0 ? this.#released.pop() : (this.count += 1);
    const { words, doubles } = this.#pages[(chunk - 1) >>> CHUNK_SHIFT]!;
    const w = ((chunk - 1) & CHUNK_MASK) * CHUNK_WORDS;
    const d = ((chunk - 1) & CHUNK_MASK) * CHUNK_DOUBLES;
    doubles[d + MIN_TIME] = time;
    doubles[d + MAX_TIME] = time;
    doubles[d + FIRST_LSN] = lsn;
    words[w + REF] = ref;
    words[w + OLDER] = older;
    words[w + IS_OPEN] = 1;
    words[w + PREVIOUS] = this.#tail;
    if (this.#tail === NO_CHUNK) this.head = chunk;
    else this.setWord(this.#tail, NEXT, chunk);
    this.#tail = chunk;
    this.#windows.opened(time);
    return chunk;
  }

  /** The chunk is full, or is closed early. */
  seal(chunk: number, maxTime: number, count: number, length: number, region: Region): void {
    const { words, doubles } = this.#pages[(chunk - 1) >>> CHUNK_SHIFT]!;
    const w = ((chunk - 1) & CHUNK_MASK) * CHUNK_WORDS;
    doubles[((chunk - 1) & CHUNK_MASK) * CHUNK_DOUBLES + MAX_TIME] = maxTime;
    words[w + COUNT] = count;
    words[w + LENGTH] = length;
    words[w + SEALED_REGION] = region;
    words[w + IS_OPEN] = 0;
  }

  /** Takes a chunk off the list of those that are not synced. */
  settle(chunk: number): void {
    const previous = this.word(chunk, PREVIOUS);
    const next = this.word(chunk, NEXT);
    if (previous === NO_CHUNK) this.head = next;
    else this.setWord(previous, NEXT, next);
    if (next === NO_CHUNK) this.#tail = previous;
    else this.setWord(next, PREVIOUS, previous);
    this.setWord(chunk, PREVIOUS, NO_CHUNK);
    this.setWord(chunk, NEXT, NO_CHUNK);
    this.#windows.settled(this.double(chunk, MIN_TIME));
  }

  /** Gives the number of a synced chunk back, which nobody looks at any more. */
  release(chunk: number): void {
    this.#windows.released(this.double(chunk, MIN_TIME));
    const { words } = this.#pages[(chunk - 1) >>> CHUNK_SHIFT]!;
    const w = ((chunk - 1) & CHUNK_MASK) * CHUNK_WORDS;
    for (let i = REF; i < CHUNK_WORDS; i += 1) words[w + i] = 0;
    this.#released.push(chunk);
  }

  /** Whether a number, from 1 to `count`, stands for a chunk. */
  isLive(chunk: number): boolean {
    return this.word(chunk, REF) !== 0;
  }

  /** The next chunk that is not synced, or `NO_CHUNK`. */
  next(chunk: number): number {
    return this.word(chunk, NEXT);
  }

  /** The batch that brought the chunk's first sample. */
  firstLsn(chunk: number): Lsn {
    return this.double(chunk, FIRST_LSN);
  }

  isOpen(chunk: number): boolean {
    return this.word(chunk, IS_OPEN) !== 0;
  }

  /** A field, unsigned. */
  word(chunk: number, field: number): number {
    const page = this.#pages[(chunk - 1) >>> CHUNK_SHIFT]!;
    return page.words[((chunk - 1) & CHUNK_MASK) * CHUNK_WORDS + field]! >>> 0;
  }

  setWord(chunk: number, field: number, value: number): void {
    const page = this.#pages[(chunk - 1) >>> CHUNK_SHIFT]!;
    page.words[((chunk - 1) & CHUNK_MASK) * CHUNK_WORDS + field] = value;
  }

  double(chunk: number, field: number): number {
    const page = this.#pages[(chunk - 1) >>> CHUNK_SHIFT]!;
    return page.doubles[((chunk - 1) & CHUNK_MASK) * CHUNK_DOUBLES + field]!;
  }

  dispose(): void {
    for (const offset of this.#offsets) this.#memory.give(offset, CHUNKS_PER_PAGE * CHUNK_BYTES);
    this.#offsets.length = 0;
    this.#pages.length = 0;
  }
}
