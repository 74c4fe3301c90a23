import { assert, StorageError, type ReadPin, type SampleColumns } from "@varve/contracts";
import type { ChunkAccess } from "./chunk-access.ts";
import { type ChunkTable, MAX_TIME, MIN_TIME, NO_CHUNK, OLDER } from "./chunk-table.ts";
import { NEWEST_CHUNK, NO_PAGE, OPEN_CHUNK, OPEN_COUNT, type SeriesTable } from "./series-table.ts";

export interface PinOptions {
  readonly series: SeriesTable;
  readonly chunks: ChunkTable;
  readonly access: ChunkAccess;
  /** False once the manager is closed. */
  isOpen(): boolean;
}

/**
 * A snapshot in three words a series: its newest sealed chunk, its open chunk, and how many samples that had.
 *
 * It holds no memory back. A chunk never changes once it is described, and what an open one had stays
 * its first part however it grows, moves, is sealed or written: reading looks up where the chunk is by then.
 */
export class SnapshotPin implements ReadPin {
  readonly #options: PinOptions;
  readonly #newest: Uint32Array;
  readonly #open: Uint32Array;
  readonly #openCount: Uint32Array;
  #isDisposed = false;

  constructor(options: PinOptions, refs: Uint32Array, count: number) {
    this.#options = options;
    this.#newest = new Uint32Array(count);
    this.#open = new Uint32Array(count);
    this.#openCount = new Uint32Array(count);
    const { series } = options;
    for (let i = 0; i < count; i += 1) {
      const ref = refs[i]!;
      const page = ref === 0 ? NO_PAGE : series.pageOf(ref);
      if (page === NO_PAGE) continue;
      const w = series.baseOf(ref) >> 2;
      this.#newest[i] = page.words[w + NEWEST_CHUNK]!;
      this.#open[i] = page.words[w + OPEN_CHUNK]!;
      this.#openCount[i] = page.words[w + OPEN_COUNT]!;
    }
  }

  read(i: number, from: number, until: number, into: SampleColumns): void {
    const { chunks, access } = this.#options;
    if (this.#isDisposed || !this.#options.isOpen()) {
      throw new StorageError("CLOSED", "the pin is disposed, or its block manager is closed");
    }
    assert(i >= 0 && i < this.#newest.length, `a pinned series is read, got number ${i}`);
    const overlapping: number[] = [];
    for (let chunk = this.#newest[i]!; chunk !== NO_CHUNK; chunk = chunks.word(chunk, OLDER)) {
      if (chunks.double(chunk, MAX_TIME) < from) break;
      if (chunks.double(chunk, MIN_TIME) < until) overlapping.push(chunk);
    }
    const before = into.length;
    try {
      for (let k = overlapping.length - 1; k >= 0; k -= 1) {
        access.read(overlapping[k]!, from, until, into);
      }
      const open = this.#open[i]!;
      if (open !== NO_CHUNK) access.readFirst(open, this.#openCount[i]!, from, until, into);
    } catch (error) {
      into.length = before;
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
  }
}
