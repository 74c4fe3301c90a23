import { makeBatch, type RowBatch } from "@varve/bytes";
import { onExit } from "@varve/disk/exit";
import {
  StorageError,
  type AllocatorStats,
  type BlockManagerStats,
  type Disk,
  type DiskLock,
  type Labels,
  type LockStats,
  type Lsn,
  type MaintainReport,
  type Matcher,
  type PostingsStats,
  type SeriesIndexStats,
  type WalStats,
} from "@varve/contracts";
import { matchersOf } from "@varve/matcher";
import { resolve } from "node:path";
import { labelNames, labelValues, seriesCount } from "./catalogue.ts";
import { type Deletion, deleteSamples } from "./deletion.ts";
import type { IdleSeries } from "./idle-series.ts";
import type { Maintenance } from "./maintenance.ts";
import type { Parts } from "./parts.ts";
import type { PinCount } from "./pin-count.ts";
import { foreignError, PreparedLabels } from "./prepared.ts";
import type { RecoveryReport } from "./replay.ts";
import type { RefSet } from "./ref-set.ts";
import { type QueryOptions, select, type Selection, type TimeRange } from "./select.ts";
import { exitOn, SHUTDOWN_SIGNALS, type ShutdownOptions } from "./shutdown.ts";
import { copyStore } from "./snapshot.ts";
import type { PhaseClock, TimingReport } from "./timing.ts";
import { UserBatch } from "./user-batch.ts";
import type { BatchResult, Writer } from "./writer.ts";

/** How far what was written has come: accepted >= written >= durable, counted in batches. */
export interface Marks {
  readonly accepted: Lsn;
  readonly written: Lsn;
  readonly durable: Lsn;
}

/** Counters of an engine and its parts. */
export interface EngineStats {
  readonly series: number;
  /** Series that were dropped since open, because they had no samples left outside of blocks. */
  readonly seriesDropped: number;
  readonly nextRef: number;
  /** Rows accepted and not yet logged. */
  readonly rowsOpen: number;
  /** What the last background slice failed with; null while all is well. `maintain` throws it. */
  readonly maintenanceFailure: string | null;
  readonly memory: { readonly bytesTaken: number; readonly bytesMax: number };
  readonly index: SeriesIndexStats;
  readonly postings: PostingsStats;
  readonly wal: WalStats;
  readonly allocator: AllocatorStats;
  readonly blocks: BlockManagerStats;
  readonly locks: LockStats;
}

/** What an engine is made of. */
export interface EngineParts {
  readonly parts: Parts;
  readonly writer: Writer;
  readonly maintenance: Maintenance;
  readonly clock: PhaseClock | null;
  readonly lock: DiskLock;
  readonly recovery: RecoveryReport;
  readonly logged: RefSet;
  readonly pins: PinCount;
  readonly idle: IdleSeries;
  readonly dir: string;
  readonly disk: Disk;
  readonly readOnly: boolean;
}

/** Which series: labels that must be equal, where "" stands for a missing one, or matchers. All must hold. */
export type Matchers = Labels | readonly Matcher[];

/** A series to append to, without its labels being looked at again. */
export interface SeriesHandle {
  readonly labels: Labels;
  /** Accepts a sample, or throws the row's typed error. */
  append(time: number, value: number): void;
}

/** Default budget of `maintain`, in milliseconds. */
const BUDGET_MS = 50;

/** An open store: one writer, one directory, one plan. `await using` closes it. */
export class Engine implements AsyncDisposable {
  /** What the open found and did. */
  readonly recovery: RecoveryReport;
  readonly #parts: Parts;
  readonly #writer: Writer;
  readonly #maintenance: Maintenance;
  readonly #clock: PhaseClock | null;
  readonly #made: EngineParts;
  readonly #lock: DiskLock;
  readonly #scratch: RowBatch;
  /** Each lets go of a hook in the process. */
  readonly #hooks = new Set<() => void>();
  readonly #owner = Symbol("engine");
  #closing: Promise<void> | null = null;

  constructor(made: EngineParts) {
    this.recovery = made.recovery;
    this.#parts = made.parts;
    this.#writer = made.writer;
    this.#maintenance = made.maintenance;
    this.#clock = made.clock;
    this.#made = made;
    this.#lock = made.lock;
    this.#scratch = makeBatch(made.parts.memory, 1);
    this.#hooks.add(onExit(() => this.#writer.close()));
    if (!made.readOnly) this.#maintenance.start(); // Last: an opening that failed leaves no timer.
  }

  /**
   * Accepts one sample: checked, in order and visible to `select` at once; logged with its batch.
   * `flush` makes it durable. With a `sync` log it is durable on return.
   *
   * Throws LABELS, BAD_TIME, OUT_OF_ORDER, CONFLICT or LIMIT when the sample itself is refused, and
   * what the log throws when it cannot go on; nothing of the sample was written then. Throws INPUT for labels
   * that another engine prepared. The same time and
   * bits as the series' last sample are accepted and change nothing.
   */
  write(labels: Labels | PreparedLabels, time: number, value: number): void {
    if (this.#isRefusing) this.#refuse();
    if (labels instanceof PreparedLabels) {
      if (labels.owner !== this.#owner) throw foreignError("labels");
      this.#writer.writePrepared(labels, time, value);
    } else this.#writer.write(labels, time, value);
  }

  /** Checks and encodes a label set once, to write with many times. Throws LABELS. */
  labels(labels: Labels): PreparedLabels {
    this.#scratch.clear();
    this.#parts.encoder.encode(labels, this.#scratch, 0);
    const key = this.#scratch.keys.slice(0, this.#scratch.keyAt[1]);
    return new PreparedLabels({ ...labels }, key, this.#owner);
  }

  /** A handle for one series. The series comes into being with its first accepted sample. Throws LABELS. */
  series(labels: Labels): SeriesHandle {
    const prepared = this.labels(labels);
    return {
      labels: prepared.labels,
      append: (time, value) => this.write(prepared, time, value),
    };
  }

  /** An empty batch of this engine's, for `capacity` rows. Disposing it gives its memory back. */
  batch(capacity = 1024): UserBatch {
    const rows = makeBatch(this.#parts.memory, capacity);
    return new UserBatch(rows, this.#parts.encoder, this.#clock, this.#owner);
  }

  /**
   * Writes the batch's rows as one atomic batch of the log. Rows that are refused say why in their status;
   * the others go in. Throws INPUT for another engine's batch, and for a row that names no series: no key, and
   * no ref that was issued. Throws what the log throws when it refuses: then index, blocks and batch are as before.
   */
  writeBatch(batch: UserBatch): BatchResult {
    if (this.#isRefusing) this.#refuse();
    if (batch.owner !== this.#owner) throw foreignError("batch");
    batch.refresh(this.#made.logged);
    const result = this.#writer.writeBatch(batch.rows);
    batch.rememberRefs();
    return result;
  }

  /** Resolves when all that was accepted before the call is durable, with the mark reached. */
  async flush(): Promise<Lsn> {
    if (this.#isRefusing) this.#refuse();
    this.#writer.close();
    return this.#parts.wal.commit();
  }

  /**
   * Selects series with their samples in from <= time < until, in label order, from memory and from blocks. It
   * shows what was accepted before the call, however long the reading takes.
   *
   * Reading throws ABORTED when the signal says so, LIMIT beyond `maxSamples` or `maxSeries`, and BLOCK_CORRUPT for
   * damaged bytes.
   */
  select(matchers: Matchers, options: QueryOptions = {}): Selection {
    this.#beginRead();
    return select(this.#parts, this.#made.pins, listOf(matchers), options);
  }

  /** Names of labels that the selected series carry, in the order of their UTF-8 bytes. */
  labelNames(matchers: Matchers = []): string[] {
    this.#beginRead();
    return labelNames(this.#parts, listOf(matchers));
  }

  /** Values of one label that the selected series carry, in the order of their UTF-8 bytes. */
  labelValues(name: string, matchers: Matchers = []): string[] {
    this.#beginRead();
    return labelValues(this.#parts, name, listOf(matchers));
  }

  /** How many series are selected. One that is in memory and in blocks counts once. */
  async seriesCount(matchers: Matchers = []): Promise<number> {
    this.#beginRead();
    return seriesCount(this.#parts, this.#made.pins, listOf(matchers));
  }

  /**
   * Deletes samples with from <= time < until of the selected series; resolves when that is durable. Samples that come
   * later are not touched. A crash before it resolves may leave some blocks with the deletion and others without: call it again.
   */
  async delete(matchers: Matchers, range: TimeRange = {}): Promise<Deletion> {
    if (this.#isRefusing) this.#refuse();
    const { from = Number.MIN_SAFE_INTEGER, until = Number.MAX_SAFE_INTEGER } = range;
    return deleteSamples(this.#parts, this.#writer, listOf(matchers), from, until);
  }

  /**
   * Copies the store to a new directory while it goes on: hard links where files do not change any more. The copy holds
   * all that was accepted before the call, and opens like any store. Throws INPUT when `dir` is there and not empty.
   */
  async snapshot(dir: string): Promise<void> {
    if (this.#isRefusing) this.#refuse();
    await this.#maintenance.exclusively(async () => {
      using _rest = await this.#parts.blocks.rest();
      this.#writer.close();
      await this.#parts.wal.commit();
      await copyStore(this.#made.disk, this.#made.dir, resolve(dir));
    });
  }

  /**
   * Cuts blocks from all windows that begin before `before`, complete or not, and does what merging and removing follows.
   * Afterwards rows before the end of the last window are out of order.
   */
  async cutBlocks(options: { readonly before?: number } = {}): Promise<MaintainReport> {
    if (this.#isRefusing) this.#refuse();
    const { before = Number.POSITIVE_INFINITY } = options;
    this.#writer.close(); // Rows that wait belong to their windows, too.
    return this.#maintenance.run(Number.POSITIVE_INFINITY, { cutBefore: before });
  }

  /** Does background work now, for about `budgetMs`. Throws what kept it from persisting. */
  async maintain(budgetMs = BUDGET_MS): Promise<MaintainReport> {
    if (this.#isRefusing) this.#refuse();
    this.#writer.close();
    return this.#maintenance.run(budgetMs);
  }

  /** Moves all samples to `sealed/`, writes a checkpoint and cuts the log, however short it is. */
  async compactLog(): Promise<void> {
    if (this.#isRefusing) this.#refuse();
    await this.#maintenance.compactLog();
  }

  get marks(): Marks {
    const { wal } = this.#parts;
    // The last one first: a log's worker may come further between two looks.
    const { durable } = wal;
    const { written } = wal;
    return { accepted: wal.accepted, written, durable };
  }

  stats(): EngineStats {
    const { index, postings, memory, wal, blocks, locks } = this.#parts;
    return {
      series: index.size,
      seriesDropped: this.#made.idle.dropped,
      nextRef: index.nextRef,
      rowsOpen: this.#writer.rowsOpen,
      maintenanceFailure: this.#maintenance.failure,
      memory: { bytesTaken: memory.bytesTaken, bytesMax: memory.bytesMax },
      index: index.stats,
      postings: postings.stats,
      wal: wal.stats,
      allocator: this.#parts.allocatorStats(),
      blocks: blocks.stats,
      locks: locks.stats,
    };
  }

  /** The phases of the rows that were timed, or null when timing is off. */
  timing(): TimingReport | null {
    return this.#clock?.report() ?? null;
  }

  /** Forgets what was timed so far. */
  resetTiming(): void {
    this.#clock?.reset();
  }

  /**
   * Has signals end the process by `process.exit`, with the code that shells know them by (143 for SIGTERM): so what
   * was accepted is drained, as at any exit. Without it a signal kills the process as it is. It is for programs
   * that have nothing else to do then; others handle the signal, close the store and exit by themselves.
   *
   * Holds until the function returned is called or the store is closed.
   */
  installShutdownHooks(options: ShutdownOptions = {}): () => void {
    if (this.#closing !== null) this.#refuse();
    const remove = exitOn(options.signals ?? SHUTDOWN_SIGNALS);
    this.#hooks.add(remove);
    return () => {
      this.#hooks.delete(remove);
      remove();
    };
  }

  /** Makes all accepted durable, closes every part and gives the lock back. Calling it again waits for the first. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#writer.stop();
    await this.#maintenance.stop();
    let failure: unknown;
    try {
      if (!this.#made.readOnly) await this.#makeDurable();
    } catch (error) {
      failure = error;
    }
    // Not before: the process may exit while the close waits.
    this.#removeHooks();
    try {
      await this.#parts.dispose();
    } catch (error) {
      failure ??= error;
    } finally {
      this.#lock.release();
    }
    if (failure !== undefined) throw failure;
  }

  #removeHooks(): void {
    for (const remove of this.#hooks) remove();
    this.#hooks.clear();
  }

  async #makeDurable(): Promise<void> {
    this.#writer.close();
    const durable = await this.#parts.wal.commit();
    // The next opening finds full chunks in `sealed/`.
    await this.#maintenance.run(Number.POSITIVE_INFINITY, { isClosing: true });
    await this.#parts.index.commit(durable);
  }

  /** What was accepted before a read shows in it. */
  #beginRead(): void {
    if (this.#closing !== null) this.#refuse();
    this.#writer.close();
  }

  get #isRefusing(): boolean {
    return this.#closing !== null || this.#made.readOnly;
  }

  #refuse(): never {
    if (this.#closing !== null) {
      throw new StorageError("CLOSED", "the engine is closed: open the directory again");
    }
    throw new StorageError(
      "READ_ONLY",
      `${this.#made.dir} is open read-only; nothing was changed; open it without readOnly to write`,
    );
  }
}

function listOf(matchers: Matchers): readonly Matcher[] {
  return Array.isArray(matchers)
    ? (matchers as readonly Matcher[])
    : matchersOf(matchers as Labels);
}
