import type { Allocator } from "./allocator.ts";
import type { SeriesRef, WriteBatch } from "./batch.ts";
import type { ChunkCodec } from "./chunk.ts";
import type { SampleColumns } from "./columns.ts";
import type { Disk } from "./disk.ts";
import type { Memory } from "./memory.ts";
import type { Lsn } from "./wal.ts";

/** A snapshot of some series: later writes do not show in it, and what it reaches stays readable. */
export interface ReadPin extends Disposable {
  /**
   * Appends the samples of the i-th pinned series with from <= time < until to `into`, oldest first.
   * Throws BLOCK_CORRUPT when stored bytes are damaged.
   */
  read(i: number, from: number, until: number, into: SampleColumns): void;
}

export interface MaintainReport {
  /** Chunks sealed and chunks written to disk by this call. */
  readonly sealed: number;
  readonly persisted: number;
  /** Full chunks that still wait to be written. */
  readonly pending: number;
  /** Every sample of every batch up to this Lsn is durable outside the log, and counts after any crash. */
  readonly durableLsn: Lsn;
}

export interface MaintainOptions {
  /** Stop after about this long, and go on at the next call. */
  readonly budgetMs: number;
  /** Also seal and persist chunks whose first sample came with a batch below this, so that the log can be cut. */
  readonly sealBeforeLsn?: Lsn;
  /**
   * Makes durable in the log all that was appended before the call. Write-ahead: what `sealed/` holds counts
   * after a crash only once the log that brought it is durable. Without it, the log counts as durable.
   */
  readonly commitLog?: () => Promise<unknown>;
}

export interface BlockManagerStats {
  readonly series: number;
  /** Samples applied since open. */
  readonly samples: number;
  readonly chunksSealed: number;
  readonly chunksPersisted: number;
  readonly bytesPersisted: number;
  /** Files created and writes made for them. */
  readonly filesCreated: number;
  readonly writes: number;
  /** Chunks written while a caller of `append` waited. */
  readonly persistedInAppend: number;
  /** Damaged stretches that the opening found in `sealed/`: their chunks are lost, and copies are in quarantine. */
  readonly damaged?: number;
  /** Copies of what the opening cut or passed over. */
  readonly quarantined?: readonly string[];
}

/**
 * Keeps samples: open chunks in memory, full ones in `sealed/`.
 *
 * Opened again, it holds what `maintain` had made durable; what was only written is the log's to tell.
 *
 * Order for a batch: `admit`, then the log, then `append`, or `withdraw` when the log refused. Admitted
 * rows of several `admit` calls may wait for one `append`. Nothing here awaits between `admit` and `append`.
 */
export interface BlockManager extends AsyncDisposable {
  /**
   * Decides OPEN rows: ACCEPTED, REPEATED, OUT_OF_ORDER, CONFLICT or LIMIT, seeing rows admitted before.
   * Reserves what `append` will need. Rows that are not OPEN are left alone.
   */
  admit(batch: WriteBatch, from: number, until: number): void;
  /** Undoes `admit` of the range's ACCEPTED rows: they become OPEN. Only the latest admitted rows can be withdrawn. */
  withdraw(batch: WriteBatch, from: number, until: number): void;
  /** Applies the ACCEPTED rows of the range, which the log holds as batch `lsn`. Cannot refuse them. */
  append(batch: WriteBatch, from: number, until: number, lsn: Lsn): void;
  /** Captures what the series hold now. Unknown refs are empty. */
  pin(refs: Uint32Array, count: number): ReadPin;
  /** Seals, persists and releases, in slices. A failure to write keeps the data and is thrown. */
  maintain(options: MaintainOptions): Promise<MaintainReport>;
  /** Highest ref that `sealed/` or memory knows. */
  readonly refMax: SeriesRef;
  readonly stats: BlockManagerStats;
}

export interface BlockManagerTraits {
  /** `append` itself may write files. */
  readonly persistsInAppend: boolean;
}

export interface BlockManagerNeeds {
  readonly memory: Memory;
  readonly disk: Disk;
  /** The directory `sealed/`, which the part may create; its parent exists. */
  readonly dir: string;
  readonly quarantineDir: string;
  readonly allocator: Allocator;
  readonly chunk: ChunkCodec;
  /** How many series to make room for up front; 0 for no opinion. */
  readonly seriesExpected: number;
}
