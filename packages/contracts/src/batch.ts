import type { Memory } from "./memory.ts";

/** A series' dense number: 1, 2, 3 … up to 2^32-1 in order of first sight, never reused in a data directory. */
export type SeriesRef = number;

/** No series: what `refs` holds until a row's key is found or inserted. Prometheus treats 0 as none, too. */
export const NO_SERIES: SeriesRef = 0;

/** What became of a row. */
export type RowStatus = number;
/** Not decided yet: a row starts here. */
export const OPEN: RowStatus = 0;
/** Passed every check: it is logged and applied when the batch is. */
export const ACCEPTED: RowStatus = 1;
/** Same time and same bits as the series' last sample: accepted, neither logged nor applied. */
export const REPEATED: RowStatus = 2;
/** Older than the series' last sample, or than the newest cut block. */
export const OUT_OF_ORDER: RowStatus = 3;
/** Same time as the series' last sample, other bits. */
export const CONFLICT: RowStatus = 4;
/** A bound on series or memory was reached. */
export const LIMIT: RowStatus = 5;
/** The time is not a safe integer of milliseconds. */
export const BAD_TIME: RowStatus = 6;
/**
 * Older than the series' last sample, or than the newest cut block, and accepted all the same, because it is within
 * the window for such rows: logged and kept apart, merged when read.
 */
export const LATE: RowStatus = 7;

/** Whether a row with this status is logged and applied. */
export function isTaken(status: RowStatus): boolean {
  return status === ACCEPTED || status === LATE;
}

/** Names of the statuses, by number, for messages. */
export const STATUS_NAMES: readonly string[] = [
  "OPEN",
  "ACCEPTED",
  "REPEATED",
  "OUT_OF_ORDER",
  "CONFLICT",
  "LIMIT",
  "BAD_TIME",
  "LATE",
];

/**
 * Columns of a write, all views of one memory. Rows 0 … length-1 are live.
 *
 * Hot contracts take a batch and a row range `from … until-1`: a single write is a range of one row.
 */
export interface WriteBatch {
  readonly memory: Memory;
  /** Rows that fit. */
  readonly capacity: number;
  length: number;
  /**
   * Key bytes of all rows. `reserveKey` may replace this array: read it again after a call that
   * encodes.
   */
  readonly keys: Uint8Array;
  /** Row i's canonical key is keys[keyAt[i] … keyAt[i+1]); it may be empty when `refs[i]` was given. */
  readonly keyAt: Uint32Array;
  /** Two words a row: low, high. */
  readonly hashes: Uint32Array;
  readonly refs: Uint32Array;
  /**
   * 1 on the first accepted row of a series that no acknowledged batch has carried yet. The engine
   * sets it; the row then carries its key, and record codecs log the series before the sample.
   */
  readonly isNew: Uint8Array;
  /** Milliseconds since the epoch: safe integers, possibly negative. */
  readonly times: Float64Array;
  /** Raw doubles: every NaN keeps its bits. */
  readonly values: Float64Array;
  /** The same bytes as `values`: two words a row, low and high. */
  readonly valueWords: Int32Array;
  readonly status: Uint8Array;
  /** Makes room for `bytes` of key at `keyAt[row]`, moving `keys` when it must. Throws LIMIT when memory is full. */
  reserveKey(row: number, bytes: number): void;
}
