import type { Lsn, SeriesRef } from "@varve/contracts";
import type { BlockStore } from "./block-store.ts";
import { NO_CHUNK } from "./chunk-table.ts";
import type { Hidden } from "./hidden.ts";
import type { Late } from "./late.ts";
import {
  EMPTIED,
  FLAGS,
  NEWEST_CHUNK,
  NO_PAGE,
  OPEN_CHUNK,
  type SeriesTable,
} from "./series-table.ts";

export interface IdleOptions {
  readonly series: SeriesTable;
  readonly store: BlockStore;
  readonly late: Late;
  readonly hidden: Hidden;
}

/**
 * Knows since when series have no samples here. A cut that takes a series' last ones had begun at some batch, and they had all
 * come by then: one number a cut says so for all its series.
 */
export class Idle {
  readonly #options: IdleOptions;
  /** By cut: the batch at which it began. The first stands for what the opening found. */
  readonly #lsns: Lsn[] = [0];

  constructor(options: IdleOptions) {
    this.#options = options;
  }

  /** A cut has begun at this batch. Returns its number, for `emptied`. */
  begin(lsn: Lsn): number {
    return this.#lsns.push(lsn) - 1;
  }

  /** That cut has taken samples of a series. */
  emptied(ref: SeriesRef, cut: number): void {
    const page = this.#options.series.pageOf(ref);
    if (page !== NO_PAGE) page.words[(this.#options.series.baseOf(ref) >> 2) + EMPTIED] = cut;
  }

  /** The batch by which all samples of a series had come that has none here; infinite for others. */
  lsnOf(ref: SeriesRef): Lsn {
    const { series, store, late } = this.#options;
    if (late.has(ref) || store.hasWaiting) return Number.POSITIVE_INFINITY;
    const { words } = series.pageOf(ref);
    const w = series.baseOf(ref) >> 2;
    // A series without state had late samples at most: every cut takes those along.
    if (words.length === 0 || words[w + FLAGS] === 0) return this.#newest;
    if (words[w + OPEN_CHUNK] !== NO_CHUNK || words[w + NEWEST_CHUNK] !== NO_CHUNK) {
      return Number.POSITIVE_INFINITY;
    }
    return Math.max(store.replayedLsn, this.#lsns[words[w + EMPTIED]!]!);
  }

  /** Gives back what is kept of series without samples. Refs that share a page come together, if they are ascending. */
  forget(refs: Uint32Array, count: number): void {
    const { series, hidden } = this.#options;
    let page = NO_PAGE;
    let pageRef = 0;
    for (let i = 0; i < count; i += 1) {
      const ref = refs[i]!;
      if (this.lsnOf(ref) === Number.POSITIVE_INFINITY) continue;
      const own = series.pageOf(ref);
      hidden.forget(ref);
      if (own === NO_PAGE) continue;
      series.clear(ref);
      if (own !== page && pageRef > 0) series.releasePage(pageRef);
      page = own;
      pageRef = ref;
    }
    if (pageRef > 0) series.releasePage(pageRef);
  }

  get #newest(): Lsn {
    return Math.max(this.#options.store.replayedLsn, this.#lsns.at(-1)!);
  }
}
