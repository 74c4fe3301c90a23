import { makeColumns } from "@varve/bytes";
import { xorChunk } from "@varve/chunk/xor";
import type { ChunkCodec, SampleColumns } from "@varve/contracts";
import { nodeDisk } from "@varve/disk/node";
import { type BlockReader, openBlock, pageCache } from "@varve/prometheus-block";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { checksumOf } from "./checksum.ts";
import { inputPaths } from "./input.ts";
import { RecordReader } from "./records.ts";
import { type DecodeResult, type InputFacts, spreadOf } from "./results.ts";
import type { Job, Values } from "./spec.ts";
import { blockDir } from "./write.ts";

/** Chunks that the codec decodes by itself, over and over: they fit a cache. */
const CODEC_CHUNKS = 4096;

/** Reads all samples of a block, on one thread: once to check them, then against the clock. */
export async function measureDecode({ dir, sizes }: Job, values: Values): Promise<DecodeResult> {
  const paths = inputPaths(dir, values);
  const facts = JSON.parse(readFileSync(paths.facts, "utf8")) as InputFacts;
  const codec = await xorChunk().open({});
  const cache = pageCache();
  const block = await openBlock({ disk: nodeDisk(), dir: blockDir(dir, values), cache, codec });
  const columns = makeColumns({ capacity: facts.samples });
  assert.equal(checkedSum(block, columns), facts.checksum, "the block holds what was put into it");
  const samples = facts.series * facts.samples;
  const rates: number[] = [];
  for (let pass = 0; pass < sizes.passes; pass += 1) {
    const begin = performance.now();
    assert.equal(readAll(block, columns), samples);
    rates.push((samples / (performance.now() - begin)) * 1000);
  }
  block.close();
  return {
    values,
    series: facts.series,
    samples,
    bytesPerSample: facts.chunkBytes / samples,
    samplesPerSecond: spreadOf(rates),
    codecSamplesPerSecond: spreadOf(codecRates(codec, paths.chunks, facts, sizes.passes)),
  };
}

function readAll(block: BlockReader, columns: SampleColumns): number {
  const series = block.allSeries();
  let samples = 0;
  while (series.next()) {
    columns.length = 0;
    series.read(block.minTime, block.maxTime, columns);
    samples += columns.length;
  }
  return samples;
}

function checkedSum(block: BlockReader, columns: SampleColumns): number {
  const series = block.allSeries();
  let sum = 0;
  while (series.next()) {
    columns.length = 0;
    series.read(block.minTime, block.maxTime, columns);
    sum = checksumOf(sum, columns.times, columns.values, columns.length);
  }
  return sum;
}

/** Decodes chunks that lie in memory, as many samples a pass as the block has. */
function codecRates(codec: ChunkCodec, path: string, facts: InputFacts, passes: number): number[] {
  const reader = new RecordReader(path);
  const chunks: Uint8Array[] = [];
  while (chunks.length < CODEC_CHUNKS && reader.next()) {
    chunks.push(reader.bytes.slice(reader.from, reader.until));
  }
  reader.close();
  const columns = makeColumns({ capacity: facts.samples });
  const turns = Math.ceil(facts.series / chunks.length);
  const rates: number[] = [];
  for (let pass = 0; pass < passes; pass += 1) {
    const begin = performance.now();
    let samples = 0;
    for (let turn = 0; turn < turns; turn += 1) {
      for (const chunk of chunks) {
        columns.length = 0;
        codec.decode(chunk, 0, chunk.length, facts.samples, columns);
        samples += columns.length;
      }
    }
    rates.push((samples / (performance.now() - begin)) * 1000);
  }
  return rates;
}
