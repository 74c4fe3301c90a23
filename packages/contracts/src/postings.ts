import type { SeriesRef, WriteBatch } from "./batch.ts";
import type { Matcher } from "./matcher.ts";

/** Finds a series' canonical key: the part of an index that others may use. */
export interface SeriesKeys {
  /** Length of the key behind `ref` in bytes: 0 if there is none, or none any more. */
  keyBytes(ref: SeriesRef): number;
  /** Copies the key behind `ref` to `into` at `at`; returns its length in bytes: 0 if there is none. */
  copyKey(ref: SeriesRef, into: Uint8Array, at: number): number;
  /** Every ref that was issued is below this. */
  readonly nextRef: SeriesRef;
}

/** Counters that prove what postings did. */
export interface PostingsStats {
  /** Series that are in the lists now, dropped ones that were not swept yet included. */
  readonly series: number;
  /** Pairs of a name and a value that have a list. */
  readonly pairs: number;
  /** Series that were put into lists while a query waited. */
  readonly caughtUp: number;
  /** Lists that were looked at to answer queries. */
  readonly listsRead: number;
  /** Bytes held, about. */
  readonly bytes: number;
}

/**
 * Finds series by their labels: for each pair of a name and a value, the refs that carry it, ascending.
 *
 * It is told of every new series and of every dropped one, and answers for those that are alive in `keys`.
 * After an opening it answers for all that `keys` knows, without being told.
 */
export interface Postings extends AsyncDisposable {
  /** The rows of the range with `isNew` brought these series. Their keys are in the batch. */
  add(batch: WriteBatch, from: number, until: number): void;
  /** These series are gone, or are about to go: no answer holds them any more. Unknown refs are ignored. */
  drop(refs: Uint32Array, count: number): void;
  /** Refs of the series that every matcher accepts, ascending. No matcher: all. The array is the caller's. */
  select(matchers: readonly Matcher[]): Uint32Array;
  /** Names of labels that the selected series carry, in the order of their UTF-8 bytes. */
  labelNames(matchers: readonly Matcher[]): string[];
  /** Values of one label that the selected series carry, in the order of their UTF-8 bytes, "" never. */
  labelValues(name: string, matchers: readonly Matcher[]): string[];
  /** Does pending work of its own for about `budgetMs`: catching up, sweeping what was dropped. */
  maintain(budgetMs: number): void;
  readonly stats: PostingsStats;
}

export interface PostingsTraits {
  /** `add` itself puts series into lists, so that creating a series pays for queries. */
  readonly eager: boolean;
}

export interface PostingsNeeds {
  readonly keys: SeriesKeys;
}
