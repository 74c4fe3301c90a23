import type { Disk, Labels } from "@varve/contracts";
import { simDisk } from "@varve/disk/sim";
import { type BlockReader, type BlockOptions, type BlockFields } from "../../src/index.ts";
import { encodeChunk, type TestChunk, type TestSeries } from "./head.ts";
import { bitsOf, open, type ReadSeries } from "./read.ts";
import { cut, writeBlock } from "./write.ts";

/** Seeded: the same numbers for the same seed. */
export function randomOf(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** Cuts a series into chunks of `length` samples. */
export function chunksOf(length: number): (series: TestSeries) => TestChunk[] {
  return ({ times, values }) => {
    const chunks: TestChunk[] = [];
    for (let at = 0; at < times.length; at += length) {
      chunks.push(encodeChunk(times, values, at, Math.min(at + length, times.length)));
    }
    return chunks;
  };
}

export function newDisk(): Disk {
  const disk = simDisk();
  disk.makeDirectory("/data");
  return disk;
}

/** Writes a block of these series, in chunks of `chunkLength` samples, and opens it. */
export async function makeBlock(
  disk: Disk,
  series: readonly TestSeries[],
  options: Partial<BlockOptions & BlockFields & { readonly chunkLength: number }> = {},
): Promise<BlockReader> {
  const { chunkLength = 4 } = options;
  const { writer } = await writeBlock(disk, cut(series, chunksOf(chunkLength)), options);
  return open(disk, writer.dir);
}

/** A series whose values say where and when they are from. */
export function seriesOf(labels: Labels, times: readonly number[], value = 1): TestSeries {
  return { labels, times, values: Float64Array.from(times, (time) => time * 1000 + value) };
}

/** What reading a series should give. */
export function readOf({ labels, times, values }: TestSeries): ReadSeries {
  return { labels, times: [...times], bits: bitsOf(values) };
}
