import { compareKeys, keyOf } from "@varve/bytes";
import { type Disk, noPause, type Pause } from "@varve/contracts";
import {
  type BlockFields,
  type BlockMeta,
  type BlockOptions,
  type BlockWriter,
  createBlock,
} from "../../src/index.ts";
import type { TestChunk, TestSeries } from "./head.ts";

/** A series, ready to be written. */
export interface CutSeries {
  readonly key: Uint8Array;
  readonly chunks: readonly TestChunk[];
}

/** Cuts series and puts them into label order. */
export function cut(
  all: readonly TestSeries[],
  chunksOf: (series: TestSeries) => readonly TestChunk[],
): CutSeries[] {
  const series = all.map((each) => ({ key: keyOf(each.labels), chunks: chunksOf(each) }));
  return series.sort((a, b) => compareKeys(a.key, 0, a.key.length, b.key, 0, b.key.length));
}

/** Declares the keys, the last one first, and writes the series. */
export async function fill(
  writer: BlockWriter,
  series: readonly CutSeries[],
  pause: Pause = noPause,
): Promise<void> {
  for (const { key } of series.toReversed()) writer.addKey(key, 0, key.length);
  await writer.sortSymbols(pause);
  for (const { key, chunks } of series) {
    writer.beginSeries(key, 0, key.length);
    for (const { minTime, maxTime, count, bytes } of chunks) {
      writer.addChunk(1, minTime, maxTime, count, bytes, 0, bytes.length);
    }
    writer.endSeries();
  }
}

export interface Written {
  readonly writer: BlockWriter;
  readonly meta: BlockMeta;
}

/** Writes and publishes a block of level 1 that ends with its last sample. */
export async function writeBlock(
  disk: Disk,
  series: readonly CutSeries[],
  options: Partial<BlockOptions & BlockFields> = {},
): Promise<Written> {
  const writer = createBlock({ disk, parent: "/data", ...options });
  await fill(writer, series);
  const chunks = series.flatMap((each) => each.chunks);
  const minTime = Math.min(...chunks.map((chunk) => chunk.minTime));
  const maxTime = Math.max(...chunks.map((chunk) => chunk.maxTime)) + 1;
  const meta = await writer.finish({ minTime, maxTime, level: 1, ...options }, noPause);
  await writer.publish();
  return { writer, meta };
}
