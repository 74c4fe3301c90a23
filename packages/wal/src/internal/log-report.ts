import type { Lsn } from "@varve/contracts";
import type { FaultKind } from "./fragments.ts";
import type { SegmentEnd } from "./walk.ts";

/** Records by their first byte, the type. The log's own, 128 to 130, are not counted. */
export type RecordCounts = Readonly<Record<number, number>>;

/** What was read of some part of a log. */
export interface LogTally {
  /** Whole batches. */
  readonly batches: number;
  readonly records: number;
  readonly recordsByType: RecordCounts;
  /** First and last whole batch; 0 for none. */
  readonly firstLsn: Lsn;
  readonly lastLsn: Lsn;
}

export interface SegmentReport extends LogTally {
  readonly file: string;
  readonly segment: number;
  readonly bytes: number;
  /**
   * `covered` by the checkpoint, so not read; `closed` with the log's end record; `whole`: after its last batch comes
   * nothing; `torn` within a write that a crash interrupted; `damaged`; or `foreign`: another store's, so not read.
   */
  readonly ends: SegmentEnd | "covered";
  /** Where its last whole batch ends in the file; 0 if it was not read. */
  readonly endsAt: number;
}

export interface CheckpointReport extends LogTally {
  readonly file: string;
  /** It stands for this segment and all before it. */
  readonly segment: number;
  readonly bytes: number;
  /** `used`: the log begins with it; `damaged`; or `older` than the one used, and not read. */
  readonly state: "used" | "damaged" | "older";
}

/** Something that is wrong with a log. */
export interface LogDamage {
  readonly file: string;
  readonly offset: number;
  readonly kind: FaultKind;
  readonly message: string;
  readonly segment: number;
  /** First batch that may be lost by it. */
  readonly lsnExpected: Lsn;
  /** Last batch lost by it: below `lsnExpected` if none is, "unknown" if nothing was found behind it. */
  readonly lastLost: Lsn | "unknown";
  /** Whether something is lost that was durable. "unknown" where nothing that came later says so. */
  readonly ackedDataAffected: boolean | "unknown";
  /** Recovery in its default mode mends it by itself: a torn tail, a checkpoint that another one stands in for. */
  readonly isMendedAtOpen: boolean;
}

/** What a log holds, and what is wrong with it. */
export interface LogReport extends LogTally {
  readonly dir: string;
  /** 32 hex digits; empty for a log without any intact file. */
  readonly storeId: string;
  /** Newest first. */
  readonly checkpoints: readonly CheckpointReport[];
  /** Oldest first. */
  readonly segments: readonly SegmentReport[];
  /** In the order of the log. */
  readonly damage: readonly LogDamage[];
  /** Of all files. */
  readonly bytes: number;
  /** The highest batch that the log itself says was durable. */
  readonly durableLsn: Lsn;
  /** It ends with an end record: the last writer closed it. */
  readonly isClosed: boolean;
  /** Recovery in its default mode opens it. */
  readonly opens: boolean;
  /** What lies before the first damage that keeps it from opening; all there is if nothing does. */
  readonly beforeDamage: LogTally;
}

/** Counts batches and records while they are read. */
export class Tally implements LogTally {
  batches = 0;
  records = 0;
  readonly recordsByType: Record<number, number> = {};
  firstLsn: Lsn = 0;
  lastLsn: Lsn = 0;

  record(bytes: Uint8Array, from: number, until: number): void {
    const type = until > from ? bytes[from]! : 0;
    this.records += 1;
    this.recordsByType[type] = (this.recordsByType[type] ?? 0) + 1;
  }

  batch(lsn: Lsn): void {
    this.batches += 1;
    if (this.firstLsn === 0) this.firstLsn = lsn;
    this.lastLsn = lsn;
  }

  /** The counts as they are now. */
  copy(): LogTally {
    const { batches, records, firstLsn, lastLsn } = this;
    return { batches, records, recordsByType: { ...this.recordsByType }, firstLsn, lastLsn };
  }

  /** Adds what was read after it. */
  add(other: LogTally): void {
    this.batches += other.batches;
    this.records += other.records;
    for (const [type, count] of Object.entries(other.recordsByType)) {
      this.recordsByType[Number(type)] = (this.recordsByType[Number(type)] ?? 0) + count;
    }
    if (this.firstLsn === 0) this.firstLsn = other.firstLsn;
    if (other.lastLsn > 0) this.lastLsn = other.lastLsn;
  }
}
