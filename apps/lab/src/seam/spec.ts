import type { CellStatus } from "../cell/result.ts";
import type { Spread } from "../stats/spread.ts";

/** Logs whose calls go through the seam in the caller's own time. */
export const SEAM_LOGS = ["sync", "batched"] as const;
export type SeamLog = (typeof SEAM_LOGS)[number];

/** What is timed: appends to the log, or nothing but the writes and syncs that those appends make. */
export const SEAM_PATHS = ["appends", "calls"] as const;
export type SeamPath = (typeof SEAM_PATHS)[number];

/** Through what the bytes go: the disk, the disk once more to know the noise, and calls of `fs` without one. */
export const SEAM_WAYS = ["disk", "disk again", "inlined"] as const;
export type SeamWay = (typeof SEAM_WAYS)[number];

/** One cell: a log, what is timed of it, and by which way. */
export interface SeamSpec {
  readonly id: string;
  readonly log: SeamLog;
  readonly path: SeamPath;
  readonly way: SeamWay;
  /** Batches of one record in a round. */
  readonly appends: number;
  readonly recordBytes: number;
  readonly rounds: number;
  readonly warmupRounds: number;
}

/** What a cell came to. */
export interface SeamResult {
  readonly spec: SeamSpec;
  readonly status: CellStatus;
  readonly reasons: readonly string[];
  /** Appends a second: the median of the rounds, by repeat. */
  readonly samples: readonly number[];
  readonly rate: Spread | null;
  /** SHA-256 of the segment that each round left: equal for all ways of the same log. */
  readonly bytes: string;
}

/** A cell without figures. */
export function emptySeamResult(
  spec: SeamSpec,
  status: CellStatus,
  reasons: readonly string[],
): SeamResult {
  return { spec, status, reasons, samples: [], rate: null, bytes: "" };
}
