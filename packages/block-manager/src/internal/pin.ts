import { mergeRuns } from "@varve/bytes";
import { assert, StorageError, type ReadPin, type SampleColumns } from "@varve/contracts";
import type { ChunkAccess } from "./chunk-access.ts";
import { type ChunkTable, MAX_TIME, MIN_TIME, NO_CHUNK, OLDER } from "./chunk-table.ts";
import { type Hidden, type Intervals, removeHidden } from "./hidden.ts";
import type { Late } from "./late.ts";
import { copySamples } from "./late-samples.ts";
import type { Pins } from "./pins.ts";
import { NEWEST_CHUNK, NO_PAGE, OPEN_CHUNK, OPEN_COUNT, type SeriesTable } from "./series-table.ts";

export interface PinOptions {
  readonly series: SeriesTable;
  readonly chunks: ChunkTable;
  readonly access: ChunkAccess;
  readonly late: Late;
  readonly hidden: Hidden;
  readonly pins: Pins;
  /** Chunks that end before this time are in blocks. */
  floor(): number;
  /** False once the manager is closed. */
  isOpen(): boolean;
}

/** What few series have: samples that came late, and deletions. */
interface Extra {
  readonly late: SampleColumns | undefined;
  readonly hidden: Intervals | undefined;
}

/**
 * A snapshot in three words a series: its newest sealed chunk, its open chunk, and how many samples that had.
 *
 * A chunk never changes once it is described, and what an open one had stays its first part however it grows,
 * moves, is sealed or written: reading looks up where the chunk is by then. Chunks that are cut to a block
 * meanwhile keep their numbers and files until the pin is disposed.
 */
export class SnapshotPin implements ReadPin {
  readonly #options: PinOptions;
  readonly #newest: Uint32Array;
  readonly #open: Uint32Array;
  readonly #openCount: Uint32Array;
  readonly #extras = new Map<number, Extra>();
  readonly #floor: number;
  readonly #epoch: number;
  #isDisposed = false;

  constructor(options: PinOptions, refs: Uint32Array, count: number) {
    this.#options = options;
    this.#newest = new Uint32Array(count);
    this.#open = new Uint32Array(count);
    this.#openCount = new Uint32Array(count);
    const { series } = options;
    this.#floor = options.floor();
    this.#epoch = options.pins.take();
    this.#captureExtras(refs, count);
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
    const low = Math.max(from, this.#floor);
    for (let chunk = this.#newest[i]!; chunk !== NO_CHUNK; chunk = chunks.word(chunk, OLDER)) {
      if (chunks.double(chunk, MAX_TIME) < low) break;
      if (chunks.double(chunk, MIN_TIME) < until) overlapping.push(chunk);
    }
    const before = into.length;
    try {
      for (let k = overlapping.length - 1; k >= 0; k -= 1) {
        access.read(overlapping[k]!, from, until, into);
      }
      const open = this.#open[i]!;
      if (open !== NO_CHUNK) access.readFirst(open, this.#openCount[i]!, from, until, into);
      const extra = this.#extras.get(i);
      if (extra !== undefined) addExtra(extra, from, until, before, into);
    } catch (error) {
      into.length = before;
      throw error;
    }
  }

  [Symbol.dispose](): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#options.pins.give(this.#epoch);
  }

  #captureExtras(refs: Uint32Array, count: number): void {
    const { late, hidden } = this.#options;
    if (late.count === 0 && hidden.isEmpty) return;
    for (let i = 0; i < count; i += 1) {
      const extra = { late: late.snapshot(refs[i]!), hidden: hidden.of(refs[i]!) };
      if (extra.late !== undefined || extra.hidden !== undefined) this.#extras.set(i, extra);
    }
  }
}

/** Takes deleted samples out of what was read from `before` on, and merges the late ones in. */
function addExtra(
  extra: Extra,
  from: number,
  until: number,
  before: number,
  into: SampleColumns,
): void {
  if (extra.hidden !== undefined) removeHidden(into, before, extra.hidden);
  if (extra.late === undefined) return;
  const middle = into.length;
  copySamples(extra.late, from, until, into);
  mergeRuns(into, before, middle);
}
