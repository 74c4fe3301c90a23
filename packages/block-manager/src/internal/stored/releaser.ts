import type { Pause } from "@varve/contracts";
import { type ChunkTable, FILE, MAX_TIME, NO_CHUNK, OLDER } from "../chunk-table.ts";
import type { Hidden } from "../hidden.ts";
import type { Idle } from "../idle.ts";
import type { Late } from "../late.ts";
import type { OpenChunks } from "../open-chunks.ts";
import type { Pins, Stamp } from "../pins.ts";
import { NEWEST_CHUNK, NO_PAGE, OPEN_CHUNK, type SeriesTable } from "../series-table.ts";
import type { SpentFiles } from "../spent-files.ts";

/** Series whose chunks before a time are in a block: for pins that were taken since `stamp`. */
export interface Release {
  readonly refs: Uint32Array;
  readonly until: number;
  readonly stamp: Stamp;
  /** The cut's number at `Idle`. */
  readonly cut: number;
}

export interface ReleaserOptions {
  readonly pins: Pins;
  readonly series: SeriesTable;
  readonly chunks: ChunkTable;
  readonly open: OpenChunks;
  readonly hidden: Hidden;
  readonly late: Late;
  readonly idle: Idle;
  readonly spent: SpentFiles;
}

const SERIES_PER_PIECE = 256;

/** Gives back what stood for chunks that are in blocks, once no pin from before reaches them. */
export class Releaser {
  readonly #options: ReleaserOptions;
  readonly #waiting: Release[] = [];

  constructor(options: ReleaserOptions) {
    this.#options = options;
  }

  add(release: Release): void {
    this.#waiting.push(release);
  }

  get hasFree(): boolean {
    const first = this.#waiting[0];
    return first !== undefined && this.#options.pins.isFree(first.stamp);
  }

  async releaseFree(pause: Pause): Promise<void> {
    while (this.hasFree) {
      const release = this.#waiting.shift()!;
      for (let i = 0; i < release.refs.length; i += 1) {
        this.#releaseSeries(release.refs[i]!, release);
        if (i % SERIES_PER_PIECE === 0) await pause();
      }
    }
  }

  #releaseSeries(ref: number, { until, cut }: Release): void {
    const { series, chunks, open, hidden, late, idle, spent } = this.#options;
    if (!late.has(ref)) hidden.forgetBefore(ref, until);
    const page = series.pageOf(ref);
    if (page === NO_PAGE) return;
    const { words } = page;
    const w = series.baseOf(ref) >> 2;
    let kept = NO_CHUNK;
    let chunk = words[w + NEWEST_CHUNK]! >>> 0;
    while (chunk !== NO_CHUNK && chunks.double(chunk, MAX_TIME) >= until) {
      kept = chunk;
      chunk = chunks.word(chunk, OLDER);
    }
    const hadChunk = chunk !== NO_CHUNK;
    if (kept !== NO_CHUNK) chunks.setWord(kept, OLDER, NO_CHUNK);
    else {
      words[w + NEWEST_CHUNK] = NO_CHUNK;
      const opened = words[w + OPEN_CHUNK]! >>> 0; // It remembers the one that was the newest when it opened.
      if (opened !== NO_CHUNK) chunks.setWord(opened, OLDER, NO_CHUNK);
    }
    while (chunk !== NO_CHUNK) {
      const older = chunks.word(chunk, OLDER);
      spent.released(chunks.word(chunk, FILE));
      chunks.release(chunk);
      chunk = older;
    }
    if (words[w + NEWEST_CHUNK] !== NO_CHUNK || words[w + OPEN_CHUNK] !== NO_CHUNK) return;
    if (hadChunk) open.seriesCount -= 1;
    idle.emptied(ref, cut);
  }
}
