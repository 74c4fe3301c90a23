import {
  type BlockManager,
  type BlockManagerNeeds,
  type BlocksPin,
  isStorageError,
  type Lsn,
  type MaintainOptions,
  type MaintainReport,
  type Matcher,
  type ReadPin,
  type SeriesRef,
  StorageError,
  type WriteBatch,
} from "@varve/contracts";
import type { BlockStore } from "./block-store.ts";
import type { ChunkAccess } from "./chunk-access.ts";
import { type ChunkTable, NO_CHUNK } from "./chunk-table.ts";
import type { Hidden } from "./hidden.ts";
import type { Idle } from "./idle.ts";
import type { Late } from "./late.ts";
import type { Character } from "./open-blocks.ts";
import type { OpenChunks } from "./open-chunks.ts";
import type { BlockStats } from "./options.ts";
import type { Pins } from "./pins.ts";
import type { Pipeline } from "./pipeline.ts";
import { type PinOptions, SnapshotPin } from "./pin.ts";
import type { SealedFiles } from "./sealed-files.ts";
import type { SealedReader } from "./sealed-reader.ts";
import type { SealedWriter } from "./sealed-writer.ts";
import { releaseOpenRegions, type SeriesTable } from "./series-table.ts";
import { spanOf } from "./span.ts";
import type { SpentFiles } from "./spent-files.ts";
import type { Stock } from "./stock.ts";
import type { BlockJobs } from "./stored/block-jobs.ts";
import type { BlockSet } from "./stored/block-set.ts";
import type { Trust } from "./trust.ts";
import type { VoidFiles } from "./void-files.ts";

/** What `openBlocks` has made. */
export interface BlockParts {
  readonly needs: BlockManagerNeeds;
  readonly character: Character;
  readonly series: SeriesTable;
  readonly chunks: ChunkTable;
  readonly stock: Stock;
  readonly files: SealedFiles;
  readonly spent: SpentFiles;
  readonly trust: Trust;
  readonly voids: VoidFiles;
  readonly writer: SealedWriter;
  readonly pipeline: Pipeline;
  readonly reader: SealedReader;
  readonly access: ChunkAccess;
  readonly open: OpenChunks;
  readonly store: BlockStore;
  readonly late: Late;
  readonly hidden: Hidden;
  readonly idle: Idle;
  readonly pins: Pins;
  readonly set: BlockSet;
  readonly jobs: BlockJobs;
  readonly facts: Pick<BlockStats, "seriesPagesAhead" | "damaged" | "quarantined">;
}

/** The block manager: its parts, in the order in which the contract calls them. */
export class ChunkBlocks implements BlockManager {
  readonly #parts: BlockParts;
  readonly #store: BlockStore;
  readonly #pinOptions: PinOptions;
  /** The last `maintain`, `rest` or deletion: the next waits for it. */
  #maintaining: Promise<unknown> = Promise.resolve();
  #isClosed = false;
  /** Something was appended or maintained: an opening that is refused leaves no mark. */
  #isUsed = false;

  constructor(parts: BlockParts) {
    this.#parts = parts;
    this.#store = parts.store;
    const { series, chunks, access, late, hidden, pins, jobs } = parts;
    const isOpen = (): boolean => !this.#isClosed;
    const floor = (): number => jobs.floor;
    this.#pinOptions = { series, chunks, access, late, hidden, pins, floor, isOpen };
  }

  get refMax(): SeriesRef {
    return this.#parts.open.refMax;
  }

  get stats(): BlockStats {
    const { pipeline, files, writer, series, stock, facts, store, open, voids } = this.#parts;
    const { jobs, set, late } = this.#parts;
    return {
      ...facts,
      quarantined: [...facts.quarantined, ...voids.moved],
      series: open.seriesCount,
      samples: store.samples,
      chunksSealed: open.chunksSealed,
      chunksSealedEarly: open.chunksSealedEarly,
      chunksPersisted: pipeline.chunksPersisted,
      bytesPersisted: pipeline.bytesPersisted,
      persistedInAppend: pipeline.persistedInAppend,
      filesCreated: files.filesCreated,
      filesRemoved: this.#parts.spent.removed,
      writes: writer.writes,
      syncs: files.syncs,
      seriesPages: series.pagesTaken,
      refills: stock.refills,
      refillsAhead: stock.refillsAhead,
      blocks: set.readers.length,
      blockBytes: set.bytes,
      blocksCut: jobs.blocksCut,
      blocksMerged: jobs.blocksMerged,
      blocksRetired: jobs.blocksRetired,
      lateSamples: late.count,
    };
  }

  admit(batch: WriteBatch, from: number, until: number): void {
    if (this.#isClosed) throw closed();
    this.#store.admit(batch, from, until);
  }

  withdraw(batch: WriteBatch, from: number, until: number): void {
    if (this.#isClosed) throw closed();
    this.#store.withdraw(batch, from, until);
  }

  append(batch: WriteBatch, from: number, until: number, lsn: Lsn): void {
    if (this.#isClosed) throw closed();
    this.#isUsed = true;
    this.#store.append(batch, from, until, lsn);
  }

  replay(batch: WriteBatch, from: number, until: number, lsn: Lsn, isLate: boolean): void {
    if (this.#isClosed) throw closed();
    this.#store.replay(batch, from, until, lsn, isLate);
  }

  pin(refs: Uint32Array, count: number): ReadPin {
    if (this.#isClosed) throw closed();
    return new SnapshotPin(this.#pinOptions, refs, count);
  }

  pinBlocks(from: number, until: number): BlocksPin {
    if (this.#isClosed) throw closed();
    return this.#parts.set.pin(from, until);
  }

  span(ref: SeriesRef, from: number, until: number, into: Float64Array): boolean {
    if (this.#isClosed) throw closed();
    return spanOf(this.#parts, ref, from, until, into);
  }

  hide(ref: SeriesRef, minTime: number, maxTime: number, lsn: Lsn): void {
    const { hidden, late, store } = this.#parts;
    if (this.#isClosed) throw closed();
    store.lastLsn = Math.max(store.lastLsn, lsn); // A batch of deletions alone is applied, too.
    hidden.hide(ref, minTime, maxTime);
    late.remove(ref, minTime, maxTime);
  }

  hidden(visit: (ref: SeriesRef, minTime: number, maxTime: number) => void): void {
    this.#parts.hidden.visit(visit);
  }

  deleteStored(matchers: readonly Matcher[], from: number, until: number): Promise<number> {
    return this.#inTurn(async () => {
      await this.#parts.jobs.finish();
      return this.#parts.jobs.deleteStored(matchers, from, until);
    });
  }

  rest(): Promise<Disposable> {
    return this.#inTurn(async () => {
      const { jobs } = this.#parts;
      await jobs.finish();
      jobs.resting += 1;
      let isResting = true;
      return {
        [Symbol.dispose](): void {
          if (isResting) jobs.resting -= 1;
          isResting = false;
        },
      };
    });
  }

  idleLsn(ref: SeriesRef): Lsn {
    return this.#parts.idle.lsnOf(ref);
  }

  forget(refs: Uint32Array, count: number): void {
    this.#parts.idle.forget(refs, count);
  }

  maintain(options: MaintainOptions): Promise<MaintainReport> {
    this.#isUsed = true;
    return this.#inTurn(() => this.#maintain(options));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return;
    const { character, pipeline, files, trust, series, chunks, stock, reader, needs, jobs, set } =
      this.#parts;
    character.stop?.();
    await this.#maintaining;
    await jobs.abort();
    if (this.#isClosed) return;
    let failure: unknown;
    try {
      // Nothing else is written: without a commit of the log it would be void.
      if (pipeline.poison === undefined && (trust.isBehind || (trust.isFrail && this.#isUsed))) {
        await pipeline.tell(Number.POSITIVE_INFINITY);
      }
    } catch (error) {
      // What is stated once is as safe as it was.
      if (!isStorageError(error) || trust.isBehind) failure = error;
    }
    this.#isClosed = true;
    files.leave();
    reader.close();
    set.close();
    releaseOpenRegions(series, needs.allocator);
    pipeline.release();
    stock.release();
    this.#store.dispose();
    series.dispose();
    chunks.dispose();
    if (failure !== undefined) throw failure;
  }

  /** Does one thing after the other. The caller is told of a failure; the next goes on. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const run = this.#maintaining.then(() => {
      if (this.#isClosed) throw closed();
      return work();
    });
    this.#maintaining = run.catch(() => undefined);
    return run;
  }

  async #maintain(options: MaintainOptions): Promise<MaintainReport> {
    const { pipeline, store } = this.#parts;
    if (pipeline.poison !== undefined) throw pipeline.poison;
    const untilMs = performance.now() + options.budgetMs;
    const before = pipeline.chunksPersisted;
    const { failure } = pipeline;
    pipeline.failure = undefined;
    const sealed =
      options.sealBeforeLsn === undefined ? 0 : store.sealBefore(options.sealBeforeLsn, untilMs);
    let failed: unknown;
    try {
      await pipeline.persistUntil(untilMs, this.#parts.character.persistence.chunksPerWrite);
    } catch (error) {
      if (!isStorageError(error) || pipeline.poison !== undefined) throw error;
      failed = error; // What was written before is synced all the same.
    }
    await pipeline.sync(untilMs);
    store.prepare();
    try {
      await this.#commit(options);
      if (failed === undefined) {
        await this.#tell(options, untilMs);
        await this.#workOnBlocks(options, untilMs);
      }
    } catch (error) {
      failed ??= error;
    }
    if (failed !== undefined) throw failed;
    if (failure !== undefined) throw failure;
    return {
      sealed,
      persisted: pipeline.chunksPersisted - before,
      pending: pipeline.sealed.length,
      durableLsn: Math.min(this.#settledLsn(), this.#parts.trust.heldLsn - 1),
      settledLsn: this.#settledLsn(),
      cutTime: this.#parts.jobs.floor,
      isBusy: this.#parts.jobs.isBusy,
    };
  }

  /** Trusts what is synced, once the log is durable. */
  async #commit({ commitLog }: MaintainOptions): Promise<void> {
    const { trust } = this.#parts;
    const place = trust.ask();
    if (place === trust.trusted) return;
    await commitLog?.();
    trust.commit(place);
  }

  /**
   * Syncs marks when nothing else keeps the log from being cut. Otherwise the next chunks bring a mark, and
   * their sync is its own: an idle call does nothing.
   */
  async #tell({ sealBeforeLsn = 0 }: MaintainOptions, untilMs: number): Promise<void> {
    const { pipeline, trust, voids, spent, reader, jobs } = this.#parts;
    const isDone = pipeline.sealed.length === 0 && pipeline.written.length === 0;
    if (trust.owes(sealBeforeLsn) && (isDone || performance.now() < untilMs)) {
      await pipeline.tell(untilMs);
    }
    if (!trust.isTold || jobs.resting > 0) return;
    voids.retire(untilMs);
    await spent.remove(trust.toldFile, untilMs, (file) => reader.forget(file));
  }

  async #workOnBlocks(options: MaintainOptions, untilMs: number): Promise<void> {
    const { jobs } = this.#parts;
    if (options.isClosing !== true) await jobs.run(untilMs, options);
  }

  /** Every sample of batches up to here is synced in `sealed/`, or in a block. */
  #settledLsn(): Lsn {
    const { chunks, store, late } = this.#parts;
    const lsn = chunks.head === NO_CHUNK ? store.lastLsn : chunks.firstLsn(chunks.head) - 1;
    return Math.min(lsn, late.firstLsn - 1);
  }
}

function closed(): StorageError {
  return new StorageError("CLOSED", "the block manager is closed");
}
