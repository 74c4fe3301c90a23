import {
  CHUNK_AT,
  CHUNK_CAPACITY,
  CHUNK_COUNT,
  CHUNK_END_TIME,
  CHUNK_LAST_TIME,
  CHUNK_STOP,
  NO_OFFSET,
  OPEN_CHUNK_BYTES,
  type Allocator,
  type ChunkState,
  type Memory,
  type Offset,
  type OpenChunkTable,
} from "@varve/contracts";
import { PageDirectory } from "./page-directory.ts";

/** Series a page holds: 128 KiB at two cache lines a series. Pages never move, so growth copies nothing. */
export const SERIES_PER_PAGE = 1024;
/** `(ref - 1) >>> SERIES_SHIFT` is a series' page, `(ref - 1) & SERIES_MASK` its place there. */
export const SERIES_SHIFT = 10;
export const SERIES_MASK = SERIES_PER_PAGE - 1;

/** A series' state is two cache lines: what `admit` decides by, and the open chunk, which is all that `append` touches. */
const OPEN_AT = 64;

/** Double: time of the last admitted sample. */
export const ADMITTED_TIME = 0;
/** Words: bits of the last admitted value. */
export const ADMITTED_LOW = 2;
export const ADMITTED_HIGH = 3;
export const FLAGS = 4;
/** The open chunk, and the newest sealed one; 0 without one. */
export const OPEN_CHUNK = 5;
export const NEWEST_CHUNK = 6;
/** The cut that took the series' last sample out of here: an index of `Idle`. */
export const EMPTIED = 7;
/** The open chunk's region, and where it lies in that region's array; 0 without one. */
export const REGION = 8;
export const REGION_AT = 9;

/** Double: time of the last applied sample. */
export const APPLIED_TIME = (OPEN_AT + CHUNK_LAST_TIME) / 8;
/** Double: the open chunk ends before this time. */
export const CHUNK_END = (OPEN_AT + CHUNK_END_TIME) / 8;
/** Words: where the region lies in the memory, if it does, and its length. */
export const REGION_OFFSET = (OPEN_AT + CHUNK_AT) / 4;
export const REGION_CAPACITY = (OPEN_AT + CHUNK_CAPACITY) / 4;
/** Samples of the open chunk, and the count at which there is more to do than to append; 0 without one. */
export const OPEN_COUNT = (OPEN_AT + CHUNK_COUNT) / 4;
export const OPEN_STOP = (OPEN_AT + CHUNK_STOP) / 4;

/** In `FLAGS`: a sample was admitted, or found in `sealed/`. */
export const KNOWN = 1;
/** In `FLAGS`: the last sample lies in `sealed/`, and its value was not read yet. */
export const VALUE_UNREAD = 2;

/** The codec's state begins here, in bytes from the start of a series' state. */
export const CODEC_STATE = OPEN_AT + OPEN_CHUNK_BYTES;

/** A page so far behind the last one is not the next: entries of the table before it are set at once. */
const JUMP_PAGES = 1024;
const LINE_BYTES = 64;
/** Resident memory comes in pages of this many bytes. */
const FAULT_BYTES = 4096;

/** Stands where no page was taken. */
export const NO_PAGE: ChunkState = {
  words: new Int32Array(0),
  doubles: new Float64Array(0),
};

/** State of all series: fixed pages of the linear memory, found by ref, without a copy when it grows. */
export class SeriesTable {
  /** By page number; `NO_PAGE` where no series was seen. */
  readonly pages: ChunkState[] = [];
  /** Bytes from one series to the next. */
  readonly stride: number;
  pagesTaken = 0;
  /** The open chunks, for a codec's batch form and other kernels. Good until a page is taken. */
  openChunks: OpenChunkTable;
  readonly #memory: Memory;
  readonly #directory: PageDirectory;
  /** By page number: only of pages that were taken. */
  readonly #offsets = new Map<number, Offset>();

  constructor(memory: Memory, codecStateBytes: number) {
    this.#memory = memory;
    this.#directory = new PageDirectory(memory);
    this.stride = Math.ceil((CODEC_STATE + codecStateBytes) / LINE_BYTES) * LINE_BYTES;
    this.openChunks = this.#describe();
  }

  #describe(): OpenChunkTable {
    const { at: pagesAt, length: pageCount } = this.#directory;
    return { pagesAt, pageCount, pageShift: SERIES_SHIFT, stride: this.stride, firstAt: OPEN_AT };
  }

  /** The page with this number, taken now if need be, or `NO_PAGE` when the memory is full. */
  page(number: number): ChunkState {
    if (number >= this.pages.length) this.#reach(number);
    const known = this.pages[number]!;
    if (known !== NO_PAGE) return known;
    const bytes = SERIES_PER_PAGE * this.stride;
    const offset = this.#memory.take(bytes);
    if (offset === NO_OFFSET) return NO_PAGE;
    const page = {
      words: this.#memory.words(offset, bytes / 4),
      doubles: this.#memory.doubles(offset, bytes / 8),
    };
    this.pages[number] = page;
    this.#offsets.set(number, offset);
    this.#directory.set(number, offset);
    this.openChunks = this.#describe();
    this.pagesTaken += 1;
    return page;
  }

  /** The page of a ref that has been seen; `NO_PAGE` for one that has not. */
  pageOf(ref: number): ChunkState {
    const number = (ref - 1) >>> SERIES_SHIFT;
    return number < this.pages.length ? this.pages[number]! : NO_PAGE;
  }

  /** Where a series' state lies in its page, in bytes. */
  baseOf(ref: number): number {
    return ((ref - 1) & SERIES_MASK) * this.stride;
  }

  /** Takes and touches pages for the refs 1 … count, so that no later write pays for either. */
  prepare(count: number): void {
    const pages = Math.ceil(count / SERIES_PER_PAGE);
    for (let number = 0; number < pages; number += 1) {
      const { words } = this.page(number);
      for (let i = 0; i < words.length; i += FAULT_BYTES / 4) words[i] = 0;
    }
  }

  /** Forgets a series, which holds nothing. */
  clear(ref: number): void {
    const { words } = this.pageOf(ref);
    const w = this.baseOf(ref) >> 2;
    if (words.length > 0) words.fill(0, w, w + this.stride / 4);
  }

  /** Gives the page of a ref back when no series in it is known. */
  releasePage(ref: number): void {
    const page = this.pageOf(ref);
    const number = (ref - 1) >>> SERIES_SHIFT;
    if (page === NO_PAGE) return;
    for (let w = FLAGS; w < page.words.length; w += this.stride / 4) {
      if (page.words[w] !== 0) return;
    }
    this.#memory.give(this.#offsets.get(number)!, SERIES_PER_PAGE * this.stride);
    this.pages[number] = NO_PAGE;
    this.#offsets.delete(number);
    this.#directory.set(number, NO_OFFSET);
    this.pagesTaken -= 1;
  }

  /**
   * Makes room for a page. Refs are dense, so that it is the next one; but a file that nobody should trust may name any,
   * and to push up to four million entries took a second (a fill: a twentieth of it).
   */
  #reach(number: number): void {
    const { pages } = this;
    const from = pages.length;
    if (number - from < JUMP_PAGES) {
      while (pages.length <= number) pages.push(NO_PAGE);
    } else {
      pages.length = number + 1;
      pages.fill(NO_PAGE, from);
    }
  }

  /** Pages that were taken: fewer than there are entries of the table. */
  *taken(): IterableIterator<ChunkState> {
    for (const number of this.#offsets.keys()) yield this.pages[number]!;
  }

  dispose(): void {
    for (const offset of this.#offsets.values()) {
      this.#memory.give(offset, SERIES_PER_PAGE * this.stride);
    }
    this.#offsets.clear();
    this.#directory.dispose();
    this.pages.length = 0;
  }
}

/** Gives back the regions of all open chunks. The table is not used after this. */
export function releaseOpenRegions(series: SeriesTable, allocator: Allocator): void {
  for (const { words } of series.taken()) {
    for (let w = 0; w < words.length; w += series.stride / 4) {
      const region = words[w + REGION]! >>> 0;
      if (region !== 0) allocator.release(region);
    }
  }
}
