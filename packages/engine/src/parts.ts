import { reserveMemory } from "@varve/bytes";
import type {
  AllocatorStats,
  BlockManager,
  Disk,
  KeyEncoder,
  Locks,
  Memory,
  Postings,
  RecordCodec,
  SeriesHasher,
  SeriesIndex,
  WriteAheadLog,
} from "@varve/contracts";
import { nodeDisk } from "@varve/disk/node";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FullOptions } from "./options.ts";
import type { StoreFormat } from "./store-format.ts";
import {
  timedAllocator,
  timedBlocks,
  timedChunk,
  timedCodec,
  timedDisk,
  timedEncoder,
  timedHasher,
  timedIndex,
  timedLocks,
  timedPostings,
  timedWal,
} from "./timed.ts";
import type { PhaseClock } from "./timing.ts";

/** The opened parts of an engine, and what they share. */
export interface Parts {
  readonly memory: Memory;
  readonly encoder: KeyEncoder;
  readonly hasher: SeriesHasher;
  readonly codec: RecordCodec;
  readonly locks: Locks;
  readonly index: SeriesIndex;
  readonly postings: Postings;
  readonly blocks: BlockManager;
  readonly wal: WriteAheadLog;
  /** Statistics of the allocator, which only the block manager calls. */
  allocatorStats(): AllocatorStats;
  /** Closes what was opened, last first, and throws the first failure once all are closed. */
  dispose(): Promise<void>;
}

/** Opens every part of a plan. When one refuses, those opened before it are closed again. */
export async function openParts(
  options: FullOptions,
  format: StoreFormat,
  clock: PhaseClock | null,
): Promise<Parts> {
  const { plan, dir, disk, seriesExpected } = options;
  const opened: AsyncDisposable[] = [];
  const quarantineDir = join(dir, "quarantine");
  try {
    const memory = reserveMemory({ bytesMax: options.memoryBytesMax });
    const encoder = await plan["label-key"].open({ limits: options.labelLimits });
    const hasher = await plan["series-id"].open({ memory, seed: format.hashSeed });
    const codec = await plan.record.open({ memory });
    const allocator = await plan.allocator.open({ memory, bytesMax: options.allocatorBytesMax });
    const chunk = await plan.chunk.open({ memory });
    const locks = await plan.locks.open({ memory });
    const cache = cachePlace(options);
    opened.push(cache);
    const index = await plan["series-index"].open({
      memory,
      disk: cache.disk,
      dir: join(cache.dir, `index.${plan["series-index"].name}`),
      storeId: format.storeId,
      seed: format.hashSeed,
      seriesMax: options.seriesMax,
      seriesExpected,
    });
    opened.push(index);
    const postings = await plan.postings.open({ keys: index });
    opened.push(postings);
    const blocks = await plan["block-manager"].open({
      memory,
      disk: clock === null ? disk : timedDisk(disk, clock, { write: "persist", sync: "persist" }),
      dir: join(dir, "sealed"),
      blocksDir: dir,
      quarantineDir,
      storeId: format.storeId,
      allocator: clock === null ? allocator : timedAllocator(allocator, clock),
      chunk: clock === null ? chunk : timedChunk(chunk, clock),
      keys: index,
      seriesExpected,
    });
    opened.push(blocks);
    const wal = await plan.wal.open({
      memory,
      disk:
        clock === null ? disk : timedDisk(disk, clock, { write: "wal write", sync: "wal sync" }),
      dir: join(dir, "wal"),
      quarantineDir,
      storeId: format.storeId,
      recovery: options.recovery,
    });
    opened.push(wal);
    return {
      memory,
      encoder: clock === null ? encoder : timedEncoder(encoder, clock),
      hasher: clock === null ? hasher : timedHasher(hasher, clock),
      codec: clock === null ? codec : timedCodec(codec, clock),
      locks: clock === null ? locks : timedLocks(locks, clock),
      index: clock === null ? index : timedIndex(index, clock),
      postings: clock === null ? postings : timedPostings(postings, clock),
      blocks: clock === null ? blocks : timedBlocks(blocks, clock),
      wal: clock === null ? wal : timedWal(wal, clock),
      allocatorStats: () => allocator.stats,
      dispose: () => disposeAll(opened),
    };
  } catch (error) {
    await disposeAll(opened).catch(() => undefined); // The first failure is the one to tell.
    throw error;
  }
}

/**
 * Where an index on disk keeps its cache: beside the data or, when those must not be touched, in a directory that goes with
 * the engine. An index may have files of its own that no `Disk` sees.
 */
function cachePlace({ plan, dir, disk, readOnly }: FullOptions): AsyncDisposable & {
  readonly dir: string;
  readonly disk: Disk;
} {
  if (!readOnly || !plan["series-index"].traits.persistent) {
    return { dir, disk, async [Symbol.asyncDispose](): Promise<void> {} };
  }
  const aside = mkdtempSync(join(tmpdir(), "varve-index-"));
  return {
    dir: aside,
    disk: nodeDisk(),
    async [Symbol.asyncDispose](): Promise<void> {
      rmSync(aside, { recursive: true, force: true });
    },
  };
}

async function disposeAll(opened: AsyncDisposable[]): Promise<void> {
  let failure: unknown;
  for (const part of opened.splice(0).reverse()) {
    try {
      await part[Symbol.asyncDispose]();
    } catch (error) {
      failure ??= error;
    }
  }
  if (failure !== undefined) throw failure;
}
