import type { Allocator } from "./allocator.ts";
import type { SeriesRef, WriteBatch } from "./batch.ts";
import type { ChunkCodec } from "./chunk.ts";
import type { SampleColumns } from "./columns.ts";
import type { Disk } from "./disk.ts";
import type { Matcher } from "./matcher.ts";
import type { Memory } from "./memory.ts";
import type { SeriesKeys } from "./postings.ts";
import type { StoredBlock } from "./stored-block.ts";
import type { Lsn } from "./wal.ts";

/** A snapshot of some series: later writes do not show in it, and what it reaches stays readable. */
export interface ReadPin extends Disposable {
  /**
   * Appends the samples of the i-th pinned series with from <= time < until to `into`, oldest first.
   * Throws BLOCK_CORRUPT when stored bytes are damaged.
   */
  read(i: number, from: number, until: number, into: SampleColumns): void;
}

/** Blocks as they were when they were pinned: readable until disposed, also when they are merged or deleted. */
export interface BlocksPin extends Disposable {
  /** By their first time, then by their id. They may overlap. */
  readonly blocks: readonly StoredBlock[];
}

export interface MaintainReport {
  /** Chunks sealed and chunks written to disk by this call. */
  readonly sealed: number;
  readonly persisted: number;
  /** Full chunks that still wait to be written. */
  readonly pending: number;
  /** Every sample of every batch up to this Lsn is durable outside the log, and counts after any crash. */
  readonly durableLsn: Lsn;
  /** The same without what only awaits to be stated so: a log may be cut to here without sealing anything for it. */
  readonly settledLsn: Lsn;
  /** Rows below this time are in blocks: it only grows. */
  readonly cutTime: number;
  /** A cut, a merge or a removal of blocks is under way and waits for the next call. */
  readonly isBusy: boolean;
}

export interface MaintainOptions {
  /** Stop after about this long, and go on at the next call. */
  readonly budgetMs: number;
  /**
   * Also seal and persist chunks whose first sample came with a batch below this, and late rows of such batches,
   * so that the log can be cut.
   */
  readonly sealBeforeLsn?: Lsn;
  /** Cuts blocks from all windows that begin before this time, whether they are complete or not. */
  readonly cutBefore?: number;
  /** Begin no cut, merge or removal of blocks: the part is about to close. */
  readonly isClosing?: boolean;
  /**
   * Makes durable in the log all that was appended before the call. Write-ahead: what `sealed/` and blocks hold
   * counts after a crash only once the log that brought it is durable. Without it, the log counts as durable.
   */
  readonly commitLog?: () => Promise<unknown>;
  /** Logs and applies rows that are admitted, so that none waits. May throw: then no block is cut this time. */
  readonly closeBatch?: () => unknown;
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
  /** Copies of what the opening cut or passed over, and blocks that it could not read. */
  readonly quarantined?: readonly string[];
  /** Blocks there are, and their bytes on disk. */
  readonly blocks?: number;
  readonly blockBytes?: number;
  /** Blocks cut from chunks, merges of blocks, and blocks that retention removed, since open. */
  readonly blocksCut?: number;
  readonly blocksMerged?: number;
  readonly blocksRetired?: number;
  /** Late samples in memory. */
  readonly lateSamples?: number;
}

/**
 * Keeps samples: open chunks in memory, full ones in `sealed/`, and those of past windows in blocks.
 *
 * Opened again, it holds what `maintain` had made durable; what was only written is the log's to tell.
 *
 * Order for a batch: `admit`, then the log, then `append`, or `withdraw` when the log refused. Admitted
 * rows of several `admit` calls may wait for one `append`. Nothing here awaits between `admit` and `append`.
 */
export interface BlockManager extends AsyncDisposable {
  /**
   * Decides OPEN rows: ACCEPTED, LATE, REPEATED, OUT_OF_ORDER, CONFLICT or LIMIT, seeing rows admitted before.
   * Reserves what `append` will need. Rows that are not OPEN are left alone.
   */
  admit(batch: WriteBatch, from: number, until: number): void;
  /** Undoes `admit` of the range's taken rows: they become OPEN. Only the latest admitted rows can be withdrawn. */
  withdraw(batch: WriteBatch, from: number, until: number): void;
  /** Applies the taken rows of the range, which the log holds as batch `lsn`. Cannot refuse them. */
  append(batch: WriteBatch, from: number, until: number, lsn: Lsn): void;
  /**
   * Opening, before the first `admit`: decides and applies rows that the log tells as batch `lsn`, in its order. Rows
   * that `sealed/` or blocks hold already become OUT_OF_ORDER or REPEATED; `isLate` says that they were LATE
   * when they were written, and no window is asked about now.
   */
  replay(batch: WriteBatch, from: number, until: number, lsn: Lsn, isLate: boolean): void;
  /** Captures what the series hold now outside of blocks. Unknown refs are empty. */
  pin(refs: Uint32Array, count: number): ReadPin;
  /** Captures the blocks that reach into from <= time < until. With a `pin` of the same turn, nothing is missing. */
  pinBlocks(from: number, until: number): BlocksPin;
  /**
   * Bounds of the samples that a series holds outside of blocks in from <= time < until, to `into[0]` and
   * `into[1]`, both inclusive. False when there can be none.
   */
  span(ref: SeriesRef, from: number, until: number, into: Float64Array): boolean;
  /** Deletes a series' samples with minTime <= time <= maxTime outside of blocks, as the log says in batch `lsn`. */
  hide(ref: SeriesRef, minTime: number, maxTime: number, lsn: Lsn): void;
  /** Tells what `hide` hid and `sealed/` or the log may still hold, for checkpoints. */
  hidden(visit: (ref: SeriesRef, minTime: number, maxTime: number) => void): void;
  /** Deletes samples of blocks, durably: tombstones, which merges carry out. Resolves how many series it touched. */
  deleteStored(matchers: readonly Matcher[], from: number, until: number): Promise<number>;
  /** Resolves once no cut, merge or removal is under way; none begins, and no file goes, until it is disposed. */
  rest(): Promise<Disposable>;
  /**
   * The batch by which all samples of a series had come that has none outside of blocks; infinite for one that
   * has some. Once the log is cut beyond it, nothing needs the ref any more.
   */
  idleLsn(ref: SeriesRef): Lsn;
  /** Gives back what is kept of series that have no samples here. Their refs never return. Others are left alone. */
  forget(refs: Uint32Array, count: number): void;
  /** Seals, persists, cuts, merges and releases, in slices. A failure to write keeps the data and is thrown. */
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
  /** Where blocks go, each a directory named by a ULID. It exists, and other things lie there too. */
  readonly blocksDir: string;
  readonly quarantineDir: string;
  /** 32 hex digits that name the store: blocks of other stores are read, and say nothing about its log. */
  readonly storeId: string;
  readonly allocator: Allocator;
  readonly chunk: ChunkCodec;
  /** Labels of the series that rows name by ref. */
  readonly keys: SeriesKeys;
  /** How many series to make room for up front; 0 for no opinion. */
  readonly seriesExpected: number;
}
