import type { Pauses } from "./pauses.ts";

/** Median, least and most of the passes. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** What the input of a block holds. */
export interface InputFacts {
  readonly series: number;
  readonly samples: number;
  readonly keyBytes: number;
  readonly chunkBytes: number;
  /** Over times and values in label order. */
  readonly checksum: number;
}

export interface WriteResult {
  readonly series: number;
  readonly samples: number;
  /** Index and chunk segments. */
  readonly bytes: number;
  readonly seconds: number;
  readonly rssBefore: number;
  readonly rssPeak: number;
  /** The peak over what was there before. */
  readonly extraBytes: number;
}

export interface DecodeResult {
  readonly values: string;
  readonly series: number;
  readonly samples: number;
  readonly bytesPerSample: number;
  /** Opening not included; reading, checksums of chunks and decoding are. */
  readonly samplesPerSecond: Spread;
  /** The codec by itself, over chunks that lie in memory. */
  readonly codecSamplesPerSecond: Spread;
}

export interface SelectResult {
  readonly labels: string;
  readonly selections: number;
  /** Mean of an answer. */
  readonly series: number;
  readonly samples: number;
  readonly p50Ms: Spread;
  readonly p99Ms: Spread;
  readonly maxMs: Spread;
  /** Share of pages that were in the cache. */
  readonly hits: number;
}

/** What stands after a round of the churn. */
export interface RoundResult {
  readonly round: number;
  readonly seconds: number;
  readonly rss: number;
  /** What of it V8 looks after. */
  readonly heapUsed: number;
  /** What V8 holds for JavaScript objects, free room included: part of `rss`. */
  readonly heapTotal: number;
  readonly arrayBuffers: number;
  readonly pauses: Pauses;
  readonly series: number;
  readonly seriesDropped: number;
  readonly memoryBytes: number;
  readonly allocatorLiveBytes: number;
  readonly allocatorRetainedBytes: number;
  readonly indexStats: object;
  readonly postingsStats: object;
  readonly blocks: number;
  readonly blockBytes: number;
  readonly blocksRetired: number;
  readonly walBytes: number;
}

export interface ChurnResult {
  readonly rounds: readonly RoundResult[];
  /** RSS after the last round against that after the fifth, or the first of fewer. */
  readonly rssRatio: number;
  /** The same of what is not V8's heap: it doubles the room for young objects once so many have outlived a collection. */
  readonly ratioBesideHeap: number;
  readonly seriesDropped: number;
  readonly pauses: Pauses;
}

/** All that a run measured; what was not asked for is missing. */
export interface Results {
  write?: WriteResult;
  decode?: DecodeResult[];
  select?: SelectResult[];
  churn?: ChurnResult;
  idle?: Pauses;
}

/** Sums passes up. There is at least one. */
export function spreadOf(passes: readonly number[]): Spread {
  const sorted = Float64Array.from(passes).sort();
  return {
    median: percentile(sorted, 0.5),
    min: sorted[0]!,
    max: sorted[sorted.length - 1]!,
  };
}

/** The value that a share of all does not exceed. */
export function percentile(sorted: Float64Array, share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)]!;
}
