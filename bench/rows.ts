import { makeBatch, makeRandom, reserveMemory, type RowBatch } from "@varve/bytes";
import { LABEL_LIMITS, type Labels, type Memory } from "@varve/contracts";
import { plainKey } from "@varve/label-key/plain";
import { fnv1aId } from "@varve/series-id/fnv1a";
import { devopsSeries } from "@varve/workload";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Bench } from "tinybench";

/** Rows of a batch. */
export const BATCH_ROWS = 1000;
/** Batches that one iteration of every benchmark works through. */
export const BATCHES = 8;
/** Rows of one iteration: what a time is divided by. */
export const ROWS = BATCH_ROWS * BATCHES;

/** Seed of the data. */
const SEED = 1;
/** First time of every series, in milliseconds since the epoch. */
const FIRST_TIME = 1_700_000_000_000;
/** Time from one sample of a series to its next, in milliseconds. */
const STEP_MS = 10_000;
/** Address space of a benchmark, in bytes. */
const MEMORY_BYTES = 512 * 2 ** 20;

/** How long each task runs, in milliseconds, and how often at least. */
const TIME_MS = 500;
const ITERATIONS = 12;

/** A bench whose tasks run long enough to count, or once each. */
export function makeBench(name: string, options: { readonly smoke: boolean }): Bench {
  return options.smoke
    ? new Bench({ name, time: 0, iterations: 1, warmup: false })
    : new Bench({ name, time: TIME_MS, iterations: ITERATIONS, warmupTime: TIME_MS / 5 });
}

/** As many label sets as an iteration has rows, each its own series. */
export function makeLabels(): Labels[] {
  return [...devopsSeries({ seed: SEED, series: ROWS })];
}

/** A memory to open parts on. */
export function makeMemory(): Memory {
  return reserveMemory({ bytesMax: MEMORY_BYTES });
}

/** The rows of an iteration in batches: keys encoded, hashed, every row another series, nothing placed. */
export async function makeBatches(memory: Memory, labels: readonly Labels[]): Promise<RowBatch[]> {
  const encoder = await plainKey().open({ limits: LABEL_LIMITS });
  const hasher = await fnv1aId().open({ seed: { low: 1, high: 2 } });
  const random = makeRandom(SEED);
  return Array.from({ length: BATCHES }, (_, i) => {
    const batch = makeBatch(memory, BATCH_ROWS);
    for (let row = 0; row < BATCH_ROWS; row += 1) {
      encoder.encode(labels[i * BATCH_ROWS + row]!, batch, row);
      batch.addKeyed(FIRST_TIME, random.below(100));
    }
    hasher.hash(batch, 0, BATCH_ROWS);
    return batch;
  });
}

/** Makes the rows fit to be placed again: open, without refs, at the next time. */
export function reopenRows(batches: readonly RowBatch[], scrape: number): void {
  for (const batch of batches) {
    batch.refs.fill(0);
    batch.status.fill(0);
    batch.isNew.fill(0);
    batch.times.fill(FIRST_TIME + scrape * STEP_MS);
  }
}

/** Gives rows the refs 1, 2, 3 … */
export function numberRows(batches: readonly RowBatch[]): void {
  batches.forEach((batch, i) => {
    for (let row = 0; row < BATCH_ROWS; row += 1) batch.refs[row] = i * BATCH_ROWS + row + 1;
  });
}

/** A directory that is gone when the process ends. */
export function makeDir(): string {
  const dir = mkdtempSync(join(tmpdir(), "varve-bench-"));
  process.on("exit", () => rmSync(dir, { recursive: true, force: true }));
  return dir;
}
