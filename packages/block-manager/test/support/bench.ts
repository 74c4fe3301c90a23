import { keyOf, makeBatch, makeColumns, reserveMemory, type RowBatch } from "@varve/bytes";
import type {
  BlockManager,
  ChunkCodec,
  Disk,
  Labels,
  Memory,
  SeriesKeys,
  Variant,
} from "@varve/contracts";
import { simDisk } from "@varve/disk/sim";
import { backgroundBlocks } from "../../src/background.ts";
import { immediateBlocks } from "../../src/immediate.ts";
import type { BlockOptions, BlockStats } from "../../src/internal/options.ts";
import { onFullBlocks } from "../../src/on-full.ts";
import { queuedBlocks } from "../../src/queued.ts";
import { DullAllocator, dullCodec } from "./doubles.ts";

type Factory = (options?: BlockOptions) => Variant<"block-manager">;

/** All variants, for promises that they share. */
export const FACTORIES: readonly (readonly [string, Factory])[] = [
  ["immediate", immediateBlocks],
  ["on-full", onFullBlocks],
  ["queued", queuedBlocks],
  ["background", backgroundBlocks],
];

export const SEALED = "/sealed";
export const QUARANTINE = "/quarantine";
export const STORE_ID = "00112233445566778899aabbccddeeff";

/** Series are named by their refs. */
export function keysOfNumbers(): SeriesKeys {
  return {
    nextRef: 2 ** 32 - 1,
    keyBytes: (ref) => keyOf(labelsOfNumber(ref)).length,
    copyKey(ref, into, at) {
      const key = keyOf(labelsOfNumber(ref));
      into.set(key, at);
      return key.length;
    },
  };
}

export function labelsOfNumber(ref: number): Labels {
  return { __name__: "series", ref: String(ref) };
}

export interface Sample {
  readonly time: number;
  readonly value: number;
}

/** A block manager on a disk, with a batch to write through and columns to read to. */
export class Bench {
  readonly blocks: BlockManager;
  readonly disk: Disk;
  readonly allocator: DullAllocator;
  readonly batch: RowBatch;
  lsn = 0;

  constructor(blocks: BlockManager, disk: Disk, allocator: DullAllocator, memory: Memory) {
    this.blocks = blocks;
    this.disk = disk;
    this.allocator = allocator;
    this.batch = makeBatch(memory, 512);
  }

  get stats(): BlockStats {
    return this.blocks.stats as BlockStats;
  }

  /** Admits rows of [ref, time, value] and returns their statuses. They stay in the batch. */
  admit(rows: readonly (readonly [number, number, number])[]): number[] {
    this.batch.clear();
    for (const [ref, time, value] of rows) {
      const row = this.batch.add(time, value);
      this.batch.refs[row] = ref;
    }
    this.blocks.admit(this.batch, 0, this.batch.length);
    return [...this.batch.status.subarray(0, this.batch.length)];
  }

  /** Admits rows and applies them as the next batch. */
  write(rows: readonly (readonly [number, number, number])[], lsn = this.lsn + 1): number[] {
    const statuses = this.admit(rows);
    this.blocks.append(this.batch, 0, this.batch.length, lsn);
    this.lsn = lsn;
    return statuses;
  }

  /** Writes `count` samples to a series, a batch each, at times `first`, `first` + 1 … with value = time. */
  fill(ref: number, count: number, first = 1): void {
    for (let i = 0; i < count; i += 1) this.write([[ref, first + i, first + i]]);
  }

  read(ref: number, from = -Infinity, until = Infinity): Sample[] {
    using pin = this.blocks.pin(Uint32Array.of(ref), 1);
    const into = makeColumns();
    pin.read(0, from, until, into);
    return Array.from({ length: into.length }, (_, i) => ({
      time: into.times[i]!,
      value: into.values[i]!,
    }));
  }

  times(ref: number, from?: number, until?: number): number[] {
    return this.read(ref, from, until).map(({ time }) => time);
  }

  maintain(sealBeforeLsn?: number) {
    return this.blocks.maintain({ budgetMs: 1000, sealBeforeLsn });
  }

  close(): Promise<void> {
    return Promise.resolve(this.blocks[Symbol.asyncDispose]());
  }
}

export interface BenchOptions {
  readonly disk?: Disk;
  readonly bytesMax?: number;
  readonly memoryBytesMax?: number;
  readonly seriesExpected?: number;
  readonly codec?: ChunkCodec;
}

export async function openBench(
  variant: Variant<"block-manager">,
  options: BenchOptions = {},
): Promise<Bench> {
  const { disk = simDisk(), bytesMax, memoryBytesMax = 2 ** 23, seriesExpected = 0 } = options;
  const { codec = dullCodec } = options;
  const memory = reserveMemory({ bytesMax: memoryBytesMax });
  const allocator = new DullAllocator(bytesMax);
  const blocks = await variant.open({
    memory,
    disk,
    dir: SEALED,
    blocksDir: "/",
    storeId: STORE_ID,
    keys: keysOfNumbers(),
    quarantineDir: QUARANTINE,
    allocator,
    chunk: codec,
    seriesExpected,
  });
  return new Bench(blocks, disk, allocator, memory);
}

/** 1 … count. */
export function upTo(count: number, from = 1): number[] {
  return Array.from({ length: count }, (_, i) => from + i);
}
