import {
  type BlockManager,
  type BlockManagerNeeds,
  isStorageError,
  type Lsn,
  type MaintainOptions,
  type MaintainReport,
  type ReadPin,
  type SeriesRef,
  StorageError,
  type WriteBatch,
} from "@varve/contracts";
import { BlockStore, type Persistence } from "./block-store.ts";
import { ChunkAccess } from "./chunk-access.ts";
import { ChunkTable, NO_CHUNK } from "./chunk-table.ts";
import { HEADER_BYTES, MARK_BYTES, recordBytes } from "./format.ts";
import { OpenChunks } from "./open-chunks.ts";
import { type BlockOptions, type BlockStats, settingsOf } from "./options.ts";
import { Pipeline } from "./pipeline.ts";
import { type PinOptions, SnapshotPin } from "./pin.ts";
import { recoverSealed } from "./recovery.ts";
import { adoptChunks } from "./adopt.ts";
import { SealedFiles } from "./sealed-files.ts";
import { SealedReader } from "./sealed-reader.ts";
import { SealedWriter } from "./sealed-writer.ts";
import { releaseOpenRegions, SeriesTable } from "./series-table.ts";
import { Stock } from "./stock.ts";
import { Trust } from "./trust.ts";
import { VoidFiles } from "./void-files.ts";

/** What a variant fixes. */
export interface Character {
  readonly persistence: Persistence;
  readonly chunksPerFile: number;
  /** Size of the buffer that one write empties, in bytes. */
  readonly writeBytesMax: number;
  readonly unsyncedBytesMax: number;
  /** Called first at close: nothing is scheduled any more. */
  stop?(): void;
}

/** Opens a block manager of the given character: reads `sealed/` and makes its tables. */
export function openBlocks(
  needs: BlockManagerNeeds,
  options: BlockOptions,
  character: Character,
): BlockManager {
  const { memory, disk, dir, quarantineDir, allocator, chunk: codec, seriesExpected } = needs;
  const { persistence, chunksPerFile, unsyncedBytesMax } = character;
  const settings = settingsOf(options, codec);
  const { chunkBytesFirst, chunkBytesMax, regionsPerRefill, fileBytesMax } = settings;
  const { encoding } = codec;
  const recovery = recoverSealed({
    disk,
    dir,
    quarantineDir,
    encoding,
    storedCount: (bytes, at, length) => codec.storedCount(bytes, at, length),
  });
  const series = new SeriesTable(memory, codec.stateBytes);
  const chunks = new ChunkTable(memory);
  series.prepare(seriesExpected);
  const seriesPagesAhead = series.pagesTaken;
  chunks.prepare(seriesExpected);
  const stock = new Stock(allocator, chunkBytesFirst, regionsPerRefill);
  // Allocators may give more than asked for, but never a chunk more than twice the largest region.
  const least = HEADER_BYTES + MARK_BYTES + recordBytes(chunkBytesMax * 2);
  const writeBytesMax = Math.max(character.writeBytesMax, least);
  const files = new SealedFiles(disk, dir, recovery.state);
  const trust = new Trust(recovery.state.trusted, recovery.chunks.length > 0);
  const writer = new SealedWriter({
    disk,
    files,
    trust,
    chunks,
    allocator,
    encoding,
    chunksPerFile,
    fileBytesMax,
    writeBytesMax,
  });
  const pipeline = new Pipeline({ chunks, allocator, files, writer, trust, unsyncedBytesMax });
  const reader = new SealedReader(disk, dir);
  const access = new ChunkAccess({ chunks, series, allocator, codec, reader });
  const readValue = access.readValue.bind(access);
  const { sealed } = pipeline;
  const open = new OpenChunks({ settings, chunks, stock, allocator, codec, sealed });
  const tables = { series, chunks, stock, pipeline, open };
  const store = new BlockStore({ ...tables, settings, persistence, allocator, codec, readValue });
  adoptChunks(recovery, tables);
  const { damaged, quarantined } = recovery;
  const facts = { seriesPagesAhead, damaged, quarantined };
  return new ChunkBlocks({
    ...tables,
    needs,
    character,
    files,
    trust,
    writer,
    voids: new VoidFiles({ disk, dir, quarantineDir }, recovery.voids),
    reader,
    access,
    store,
    facts,
  });
}

interface Parts {
  readonly needs: BlockManagerNeeds;
  readonly character: Character;
  readonly series: SeriesTable;
  readonly chunks: ChunkTable;
  readonly stock: Stock;
  readonly files: SealedFiles;
  readonly trust: Trust;
  readonly voids: VoidFiles;
  readonly writer: SealedWriter;
  readonly pipeline: Pipeline;
  readonly reader: SealedReader;
  readonly access: ChunkAccess;
  readonly open: OpenChunks;
  readonly store: BlockStore;
  readonly facts: Pick<BlockStats, "seriesPagesAhead" | "damaged" | "quarantined">;
}

class ChunkBlocks implements BlockManager {
  readonly #parts: Parts;
  readonly #store: BlockStore;
  readonly #pinOptions: PinOptions;
  /** The last `maintain`: the next waits for it. */
  #maintaining: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#store = parts.store;
    const { series, chunks, access } = parts;
    this.#pinOptions = { series, chunks, access, isOpen: () => !this.#isClosed };
  }

  get refMax(): SeriesRef {
    return this.#parts.open.refMax;
  }

  get stats(): BlockStats {
    const { pipeline, files, writer, series, stock, facts, store, open, voids } = this.#parts;
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
      writes: writer.writes,
      syncs: files.syncs,
      seriesPages: series.pagesTaken,
      refills: stock.refills,
      refillsAhead: stock.refillsAhead,
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
    this.#store.append(batch, from, until, lsn);
  }

  pin(refs: Uint32Array, count: number): ReadPin {
    if (this.#isClosed) throw closed();
    return new SnapshotPin(this.#pinOptions, refs, count);
  }

  maintain(options: MaintainOptions): Promise<MaintainReport> {
    const run = this.#maintaining.then(() => this.#maintain(options));
    this.#maintaining = run.catch(() => undefined); // The caller is told; the next call goes on.
    return run;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return;
    const { character, pipeline, files, trust, series, chunks, stock, reader, needs } = this.#parts;
    character.stop?.();
    await this.#maintaining;
    if (this.#isClosed) return;
    let failure: unknown;
    try {
      // Nothing else is written: without a commit of the log it would be void.
      if (pipeline.poison === undefined && trust.isBehind) {
        await pipeline.tell(Number.POSITIVE_INFINITY);
      }
    } catch (error) {
      failure = error;
    }
    this.#isClosed = true;
    files.leave();
    reader.close();
    releaseOpenRegions(series, needs.allocator);
    pipeline.release();
    stock.release();
    series.release();
    chunks.release();
    if (failure !== undefined) throw failure;
  }

  async #maintain(options: MaintainOptions): Promise<MaintainReport> {
    if (this.#isClosed) throw closed();
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
      while (pipeline.sealed.length > 0) {
        this.#persist();
        if (performance.now() >= untilMs) break;
      }
    } catch (error) {
      if (!isStorageError(error)) throw error;
      failed = error; // What was written before is synced all the same.
    }
    await pipeline.sync(untilMs);
    store.prepare();
    try {
      await this.#commit(options);
      if (failed === undefined) await this.#tell(options, untilMs);
    } catch (error) {
      failed ??= error;
    }
    if (failed !== undefined) throw failed;
    if (failure !== undefined) throw failure;
    return {
      sealed,
      persisted: pipeline.chunksPersisted - before,
      pending: pipeline.sealed.length,
      durableLsn: this.#durableLsn(),
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
   * Syncs a mark when nothing else keeps the log from being cut. Otherwise the next chunks bring the mark, and
   * their sync is its own: an idle call does nothing.
   */
  async #tell({ sealBeforeLsn = 0 }: MaintainOptions, untilMs: number): Promise<void> {
    const { pipeline, trust, voids } = this.#parts;
    const isDone = pipeline.sealed.length === 0 && pipeline.written.length === 0;
    if (trust.owes(sealBeforeLsn) && (isDone || performance.now() < untilMs)) {
      await pipeline.tell(untilMs);
    }
    if (trust.isTold) voids.retire(untilMs);
  }

  #persist(): void {
    const { pipeline, character } = this.#parts;
    pipeline.persist(character.persistence.chunksPerWrite);
  }

  #durableLsn(): Lsn {
    const { chunks, store, trust } = this.#parts;
    const lsn = chunks.head === NO_CHUNK ? store.lastLsn : chunks.firstLsn(chunks.head) - 1;
    return Math.min(lsn, trust.heldLsn - 1);
  }
}

function closed(): StorageError {
  return new StorageError("CLOSED", "the block manager is closed");
}
