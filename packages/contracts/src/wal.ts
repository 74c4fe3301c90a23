import type { Disk } from "./disk.ts";
import type { Memory } from "./memory.ts";
import type { RecordBuffer } from "./record.ts";

/** Counts batches in a log: 1, 2, 3 …; 0 is none. */
export type Lsn = number;

/** What each level means: in our order in memory; in the kernel; on stable storage. */
export type DurabilityLevel = "accepted" | "written" | "durable";

/**
 * What to do about damage: `strict` refuses all of it; `tail` cuts a torn tail and refuses the rest;
 * `pointInTime` opens with what lies before the damage; `salvage` skips it.
 */
export type RecoveryMode = "strict" | "tail" | "pointInTime" | "salvage";

/** What a log found at open. */
export interface WalRecovery {
  readonly mode: RecoveryMode;
  /** The log did not end with an end record: the process died or crashed. */
  readonly unclean: boolean;
  readonly segments: number;
  readonly records: number;
  readonly lastLsn: Lsn;
  /** Bytes of a torn tail that were cut off. */
  readonly bytesCut: number;
  /** Why they were cut; empty otherwise. */
  readonly cutReason: string;
  /** Copies of what was cut or refused, below the data directory. */
  readonly quarantined: readonly string[];
}

export interface WalStats {
  /** Batches, record bytes and framed bytes accepted since open. */
  readonly batches: number;
  readonly recordBytes: number;
  readonly framedBytes: number;
  /** Calls of the disk's `write` and `datasync`. */
  readonly writes: number;
  readonly syncs: number;
  /** Bytes that the log's files hold now. */
  readonly bytesOnDisk: number;
  /** Times a caller had to wait because a queue or ring was full. */
  readonly stalls: number;
}

/** Called once a record, in order; bytes are valid only during the call. */
export type WalVisitor = (bytes: Uint8Array, from: number, until: number, lsn: Lsn) => void;

/**
 * A write-ahead log: atomic batches in order, acknowledged at three monotone marks,
 * accepted >= written >= durable.
 *
 * `replay` is called once, before the first `append`. After a failed write or sync the log is
 * poisoned: every later `append` and `commit` throws POISONED until it is reopened. STORAGE_FULL and
 * WAL_BACKLOG leave it usable: nothing of that batch was kept.
 */
export interface WriteAheadLog extends AsyncDisposable {
  readonly accepted: Lsn;
  readonly written: Lsn;
  readonly durable: Lsn;
  /** Where the next batch's records go. Empty after `append`, whether it returned or threw. */
  readonly buffer: RecordBuffer;
  readonly stats: WalStats;
  /** Accepts what `buffer` holds as one atomic batch. An empty buffer is not a batch: returns `accepted`. */
  append(): Lsn;
  /** Resolves, with the durable mark, when all accepted before the call is durable. */
  commit(): Promise<Lsn>;
  /** Tells every record of every whole batch, oldest first: checkpoint, then segments. */
  replay(visit: WalVisitor): WalRecovery;
  /**
   * Writes a checkpoint that stands for all batches up to `until`: `fill` is called with an empty buffer
   * until it returns false, and what it leaves in the buffer is kept as records.
   */
  checkpoint(fill: (into: RecordBuffer) => boolean, until: Lsn): Promise<void>;
  /** Deletes segments whose batches are all below `lsn` and covered by a checkpoint. */
  truncateBefore(lsn: Lsn): Promise<void>;
}

export interface WalTraits {
  /** What a returned `append` means. */
  readonly acknowledges: DurabilityLevel;
  /** What was accepted is told by `replay` after a clean close. False for a log that keeps nothing. */
  readonly persistent: boolean;
  /** Has a worker that writes beside the caller. */
  readonly threaded: boolean;
}

export interface WalNeeds {
  readonly memory: Memory;
  readonly disk: Disk;
  /** A directory of its own that the part may create; its parent exists. */
  readonly dir: string;
  /** Where copies of cut bytes go; created when needed. */
  readonly quarantineDir: string;
  /** 32 hex digits; every segment repeats them. */
  readonly storeId: string;
  readonly recovery: RecoveryMode;
}
