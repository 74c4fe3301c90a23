import { NO_REGION, type Allocator } from "@varve/contracts";
import { CATALOG } from "@varve/lab";
import assert from "node:assert/strict";
import type { Bench } from "tinybench";
import type { BenchmarkOptions } from "./run.ts";
import { BATCH_ROWS, BATCHES, makeBench, makeMemory, ROWS } from "./rows.ts";

/** Size of a region, in bytes: a chunk of a series that has few samples. */
const REGION_BYTES = 128;

/** A region a row: acquired singly or by the batch, then released. */
export async function benchmark(options: BenchmarkOptions): Promise<Bench> {
  const bench = makeBench("allocation", options);
  const regions = new Uint32Array(ROWS);
  const into = Array.from({ length: BATCHES }, (_, i) =>
    regions.subarray(i * BATCH_ROWS, (i + 1) * BATCH_ROWS),
  );
  const singly = (allocator: Allocator): void => {
    for (let i = 0; i < ROWS; i += 1) regions[i] = allocator.acquire(REGION_BYTES);
    releaseAll(allocator, regions);
  };
  const byBatch = (allocator: Allocator): void => {
    for (const each of into) allocator.acquireMany(REGION_BYTES, BATCH_ROWS, each);
    releaseAll(allocator, regions);
  };
  for (const [name, entry] of Object.entries(CATALOG.allocator)) {
    const memory = makeMemory();
    const allocator = await entry.make().open({ memory, bytesMax: memory.bytesMax / 2 });
    verify(name, allocator, regions);
    bench.add(`${name}, one at a time`, () => singly(allocator));
    bench.add(`${name}, acquireMany`, () => byBatch(allocator));
  }
  return bench;
}

function releaseAll(allocator: Allocator, regions: Uint32Array): void {
  for (let i = 0; i < regions.length; i += 1) allocator.release(regions[i]!);
}

/** Regions do not overlap: each keeps the byte that was written to its two ends. */
function verify(name: string, allocator: Allocator, regions: Uint32Array): void {
  assert.equal(allocator.acquireMany(REGION_BYTES, ROWS, regions), ROWS, `${name} has room`);
  regions.forEach((region, i) => {
    assert.notEqual(region, NO_REGION);
    const at = allocator.at(region);
    allocator.bytes(region)[at] = i;
    allocator.bytes(region)[at + REGION_BYTES - 1] = i;
  });
  regions.forEach((region, i) => {
    const at = allocator.at(region);
    const bytes = allocator.bytes(region);
    assert.equal(bytes[at], i & 0xff, `${name} keeps regions apart`);
    assert.equal(bytes[at + REGION_BYTES - 1], i & 0xff, `${name} keeps regions apart`);
  });
  releaseAll(allocator, regions);
  assert.equal(allocator.stats.live, 0, `${name} takes every region back`);
}
