import { noPause } from "@varve/contracts";
import { nodeDisk } from "@varve/disk/node";
import { type BlockWriter, createBlock } from "@varve/prometheus-block";
import { DEVOPS_INTERVAL_MS, DEVOPS_START_MS } from "@varve/workload";
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, renameSync } from "node:fs";
import { inputPaths } from "./input.ts";
import { collect, peakRss } from "./memory.ts";
import { RecordReader } from "./records.ts";
import type { InputFacts, WriteResult } from "./results.ts";
import type { Job, Values } from "./spec.ts";

/** Prometheus' number for XOR chunks. */
const XOR = 1;

/** Where the block of an input lies once it is written. */
export function blockDir(dir: string, values: Values): string {
  return `${dir}/blocks/${values}`;
}

/** Writes a block from an input that is read as a stream, and says what that took. */
export async function measureWrite({ dir }: Job, values: Values): Promise<WriteResult> {
  const facts = JSON.parse(readFileSync(inputPaths(dir, values).facts, "utf8")) as InputFacts;
  const parent = `${dir}/blocks`;
  mkdirSync(parent, { recursive: true });
  const rssBefore = collect();
  const begin = performance.now();
  const writer = createBlock({ disk: nodeDisk(), parent });
  await fill(writer, inputPaths(dir, values), facts.samples);
  const seconds = (performance.now() - begin) / 1000;
  const rssPeak = peakRss();
  assert.equal(writer.series, facts.series);
  assert.equal(writer.samples, facts.series * facts.samples);
  renameSync(writer.dir, blockDir(dir, values));
  const { series, samples, bytes } = writer;
  return { series, samples, bytes, seconds, rssBefore, rssPeak, extraBytes: rssPeak - rssBefore };
}

async function fill(
  writer: BlockWriter,
  paths: { readonly keys: string; readonly chunks: string },
  samples: number,
): Promise<void> {
  const minTime = DEVOPS_START_MS;
  const maxTime = minTime + (samples - 1) * DEVOPS_INTERVAL_MS;
  let keys = new RecordReader(paths.keys);
  while (keys.next()) writer.addKey(keys.bytes, keys.from, keys.until);
  keys.close();
  await writer.sortSymbols(noPause);
  keys = new RecordReader(paths.keys);
  const chunks = new RecordReader(paths.chunks);
  while (keys.next() && chunks.next()) {
    writer.beginSeries(keys.bytes, keys.from, keys.until);
    writer.addChunk(XOR, minTime, maxTime, samples, chunks.bytes, chunks.from, chunks.until);
    writer.endSeries();
  }
  keys.close();
  chunks.close();
  await writer.finish({ minTime, maxTime: maxTime + 1, level: 1 }, noPause);
  await writer.publish();
}
