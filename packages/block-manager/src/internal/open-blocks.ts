import type { BlockManager, BlockManagerNeeds } from "@varve/contracts";
import { type BlockReader, pageCache, type PageCache } from "@varve/prometheus-block";
import { adoptChunks } from "./adopt.ts";
import { BlockStore, type Persistence } from "./block-store.ts";
import { ChunkAccess } from "./chunk-access.ts";
import { ChunkTable } from "./chunk-table.ts";
import { BEGINNING_BYTES, recordBytes } from "./format.ts";
import { Hidden } from "./hidden.ts";
import { Idle } from "./idle.ts";
import { Late } from "./late.ts";
import { ChunkBlocks } from "./manager.ts";
import { OpenChunks } from "./open-chunks.ts";
import { type BlockOptions, type Settings, settingsOf } from "./options.ts";
import { Pins } from "./pins.ts";
import { Pipeline } from "./pipeline.ts";
import { copyDamage, type CountedChunk, recoverSealed } from "./recovery.ts";
import type { Damage } from "./sealed-chain.ts";
import { SealedFiles } from "./sealed-files.ts";
import { SealedReader } from "./sealed-reader.ts";
import { SealedWriter } from "./sealed-writer.ts";
import { SeriesTable } from "./series-table.ts";
import { SpentFiles } from "./spent-files.ts";
import { Stock } from "./stock.ts";
import { BlockCutter } from "./stored/block-cutter.ts";
import { BlockJobs } from "./stored/block-jobs.ts";
import { type BlockRecovery, recoverBlocks } from "./stored/block-recovery.ts";
import { BlockSet } from "./stored/block-set.ts";
import { Releaser } from "./stored/releaser.ts";
import { Settler } from "./stored/settler.ts";
import { Trust } from "./trust.ts";
import { VoidFiles } from "./void-files.ts";
import { Windows } from "./windows.ts";

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

/** Opens a block manager of the given character: reads blocks and `sealed/`, and makes its tables. */
export async function openBlocks(
  needs: BlockManagerNeeds,
  options: BlockOptions,
  character: Character,
): Promise<BlockManager> {
  const settings = settingsOf(options, needs.chunk);
  const cache = pageCache({ bytesMax: settings.cacheBytesMax });
  const found = await recoverBlocks({ ...needs, codec: needs.chunk, cache });
  try {
    return assemble(needs, settings, character, cache, found);
  } catch (error) {
    closeAll(found.readers);
    throw error;
  }
}

/** The stretch of `sealed/` where a chunk lies. */
function damageOf({ file, chunk }: CountedChunk): Damage {
  const { offset: from, length } = chunk;
  return { number: file, gap: { from, until: from + recordBytes(length) } };
}

function closeAll(readers: readonly BlockReader[]): void {
  for (const reader of readers) reader.close();
}

function assemble(
  needs: BlockManagerNeeds,
  settings: Settings,
  character: Character,
  cache: PageCache,
  found: BlockRecovery,
): BlockManager {
  const { memory, disk, dir, quarantineDir, allocator, chunk: codec, seriesExpected } = needs;
  const { persistence, chunksPerFile, unsyncedBytesMax } = character;
  const { chunkBytesFirst, chunkBytesMax, regionsPerRefill, fileBytesMax } = settings;
  const { encoding } = codec;
  const recovery = recoverSealed({
    disk,
    dir,
    quarantineDir,
    encoding,
    storedCount: (bytes, at, length) => codec.storedCount(bytes, at, length),
  });
  const windows = new Windows(settings.blockDurationMs);
  const series = new SeriesTable(memory, codec.stateBytes);
  const chunks = new ChunkTable(memory, windows);
  series.prepare(seriesExpected);
  const seriesPagesAhead = series.pagesTaken;
  chunks.prepare(seriesExpected);
  const stock = new Stock(allocator, chunkBytesFirst, regionsPerRefill);
  // Allocators may give more than asked for, but never a chunk more than twice the largest region.
  const least = BEGINNING_BYTES + recordBytes(chunkBytesMax * 2);
  const writeBytesMax = Math.max(character.writeBytesMax, least);
  const files = new SealedFiles(disk, dir, recovery.state);
  const spent = new SpentFiles(disk, dir);
  const trust = new Trust(recovery.state.trusted, recovery.chunks.length > 0, recovery.witnesses);
  const sealing = { disk, files, trust, spent, chunks, allocator, encoding };
  const writer = new SealedWriter({ ...sealing, chunksPerFile, fileBytesMax, writeBytesMax });
  const pipeline = new Pipeline({ ...sealing, writer, unsyncedBytesMax });
  const reader = new SealedReader(disk, dir);
  const access = new ChunkAccess({ chunks, series, allocator, codec, reader });
  const readValue = access.readValue.bind(access);
  const { sealed } = pipeline;
  const open = new OpenChunks({
    settings,
    chunks,
    stock,
    allocator,
    codec,
    sealed,
    sealsFirstSample: persistence.sealsFirstSample,
    memory,
  });
  const { cutTime, lateLsn } = found.facts;
  const { outOfOrderWindowMs: windowMs, lateSamplesMax: samplesMax } = settings;
  const late = new Late({ windowMs, samplesMax, storedLsn: lateLsn });
  const tables = { series, chunks, stock, pipeline, open, late };
  const store = new BlockStore({
    ...tables,
    settings,
    persistence,
    memory,
    allocator,
    codec,
    readValue,
  });
  store.cutTime = cutTime;
  store.newestTime = cutTime - 1;
  const repeated = adoptChunks(recovery, { series, chunks, open, store, spent }).map(damageOf);
  const pins = new Pins();
  const hidden = new Hidden();
  const idle = new Idle({ series, store, late, hidden });
  const set = new BlockSet(disk, needs.blocksDir, pins, found.readers);
  const { chunksPerWrite } = persistence;
  const settler = new Settler({ series, chunks, open, pipeline, windows, chunksPerWrite });
  const jobs = new BlockJobs({
    disk,
    blocksDir: needs.blocksDir,
    storeId: needs.storeId,
    codec,
    cache,
    settings,
    windows,
    pins,
    store,
    late,
    idle,
    files,
    set,
    settler,
    facts: found.facts,
    cutter: new BlockCutter({ ...needs, codec, series, chunks, access, hidden }),
    releaser: new Releaser({ pins, series, chunks, open, hidden, late, idle, spent }),
  });
  const damaged = recovery.damaged + repeated.length;
  const copies = copyDamage({ disk, dir, quarantineDir }, repeated);
  const quarantined = [...recovery.quarantined, ...copies, ...found.quarantined];
  return new ChunkBlocks({
    ...tables,
    needs,
    character,
    files,
    trust,
    writer,
    reader,
    access,
    store,
    spent,
    jobs,
    set,
    pins,
    hidden,
    idle,
    voids: new VoidFiles({ disk, dir, quarantineDir, spent }, recovery.voids),
    facts: { seriesPagesAhead, damaged, quarantined },
  });
}
