import type { SeriesRef, WriteBatch } from "./batch.ts";
import type { Disk } from "./disk.ts";
import type { HashSeed } from "./series-id.ts";
import type { Memory } from "./memory.ts";
import type { Lsn } from "./wal.ts";

/** What an index found when the log's story was told: see `settle`. */
export interface IndexSettlement {
  /** A persistent index that could not be used and was filled again from the log. */
  readonly rebuilt: boolean;
  /** Why it was rebuilt; empty otherwise. */
  readonly reason: string;
  /** Entries that were dropped because the log never issued their refs. */
  readonly dropped: number;
}

/** Counters that prove what an index did. */
export interface SeriesIndexStats {
  readonly probes: number;
  /** Whole or partial growths of the table. */
  readonly growths: number;
  /** Keys whose hash equals another key's. */
  readonly collisions: number;
  /** Keys that long probe runs sent to the overflow table. */
  readonly overflowed: number;
  /** Bytes held: tables, arenas, caches. */
  readonly bytes: number;
  /** Transactions committed, for an index on disk. */
  readonly transactions: number;
}

/**
 * Maps canonical keys to dense refs. Whole keys are compared; hashes only find candidates.
 *
 * Order of calls at open: `adopt` for each series the log knows, then `settle` once, then the rest.
 */
export interface SeriesIndex extends AsyncDisposable {
  /** Fills `refs` of rows whose ref is NO_SERIES and whose key is known. Changes nothing else. Needs `hashes`. */
  find(batch: WriteBatch, from: number, until: number): void;
  /**
   * Gives the next refs to the keys of OPEN rows whose ref is still NO_SERIES, copying the key
   * bytes; equal keys within the range get one ref. Where a bound is reached, the row's status
   * becomes LIMIT and the index stays as it was for it. Returns how many series are new.
   */
  insert(batch: WriteBatch, from: number, until: number): number;
  /**
   * Replay: binds each row's key to the ref in `refs` and raises `nextRef` above it. The same binding
   * again changes nothing; a key that was bound to another ref is bound to the new one.
   */
  adopt(batch: WriteBatch, from: number, until: number): void;
  /** Ends replay: refs below `nextRef` count as issued, entries that were never adopted are dropped. */
  settle(nextRef: SeriesRef): IndexSettlement;
  /** Forgets series. Their refs never return; `nextRef` stays. Unknown refs are ignored. */
  drop(refs: Uint32Array, count: number): void;
  /** Length of the key behind `ref` in bytes: 0 if there is none. */
  keyBytes(ref: SeriesRef): number;
  /** Copies the key behind `ref` to `into` at `at`; returns its length in bytes: 0 if there is none. */
  copyKey(ref: SeriesRef, into: Uint8Array, at: number): number;
  /** Live series. */
  readonly size: number;
  /** The ref that the next new series gets. */
  readonly nextRef: SeriesRef;
  readonly stats: SeriesIndexStats;
  /** Makes what was inserted so far persistent, together with the Lsn it covers. Resolves at once in memory. */
  commit(coveredLsn: Lsn): Promise<void>;
}

export interface SeriesIndexTraits {
  /** Keeps its entries in `dir` between openings, as a cache that `settle` checks. */
  readonly persistent: boolean;
}

export interface SeriesIndexNeeds {
  readonly memory: Memory;
  readonly disk: Disk;
  /** A directory of its own that the part may create; its parent exists. Only persistent indexes use it. */
  readonly dir: string;
  /** 32 hex digits that name the store. A cache of another store is not ours. */
  readonly storeId: string;
  readonly seed: HashSeed;
  /** Bound on live series: above it, rows get LIMIT. */
  readonly seriesMax: number;
  /** How many series to make room for up front; 0 for no opinion. */
  readonly seriesExpected: number;
}
