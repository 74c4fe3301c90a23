import { makeBatch, reserveMemory, type RowBatch } from "@varve/bytes";
import { LABEL_LIMITS, type Memory, NO_SERIES } from "@varve/contracts";
import { plainKey } from "@varve/label-key/plain";
import { fnv1aId } from "@varve/series-id/fnv1a";
import { devopsSeries } from "@varve/workload";
import type { Sizes } from "../sizes.ts";
import { FIRST_MS } from "../store.ts";

/** Rows of a batch. */
const BATCH_ROWS = 1000;
/** Time from one sample of a series to its next, in milliseconds. */
const STEP_MS = 10_000;

export const HASH_SEED = { low: 1, high: 2 } as const;
export const STORE_ID = "00112233445566778899aabbccddeeff";

/** Rows in batches, each of another series. */
export interface Rows {
  readonly memory: Memory;
  readonly batches: readonly RowBatch[];
  readonly count: number;
}

/** Makes rows: keys encoded, hashed, and refs given as they would come: 1, 2, 3 … */
export async function makeRows({ seed, stageSeries }: Sizes): Promise<Rows> {
  const memory = reserveMemory();
  const encoder = await plainKey().open({ limits: LABEL_LIMITS });
  const hasher = await fnv1aId().open({ seed: HASH_SEED });
  const batches: RowBatch[] = [];
  let ref = 0;
  for (const labels of devopsSeries({ seed, series: stageSeries })) {
    if (ref % BATCH_ROWS === 0) batches.push(makeBatch(memory, BATCH_ROWS));
    const batch = batches.at(-1)!;
    const row = batch.length;
    encoder.encode(labels, batch, row);
    batch.addKeyed(FIRST_MS, scatter(ref));
    batch.refs[row] = ref += 1;
  }
  for (const batch of batches) hasher.hash(batch, 0, batch.length);
  return { memory, batches, count: ref };
}

/** Makes rows open again, each at its series' next time. */
export function nextScrape({ batches }: Rows, scrape: number): void {
  for (const batch of batches) {
    batch.status.fill(0);
    batch.isNew.fill(0);
    batch.times.fill(FIRST_MS + scrape * STEP_MS);
    for (let row = 0; row < batch.length; row += 1) batch.values[row] = scatter(row + scrape);
  }
}

/** Makes rows as if no series were known yet. */
export function forgetRefs({ batches }: Rows): void {
  for (const batch of batches) {
    batch.status.fill(0);
    batch.refs.fill(NO_SERIES);
  }
}

/** Calls `work` for ranges of at most `size` rows, until all were told. */
export function eachRange(
  { batches }: Rows,
  size: number,
  work: (batch: RowBatch, from: number, until: number) => void,
): void {
  for (const batch of batches) {
    const { length } = batch;
    for (let from = 0; from < length; from += size) {
      work(batch, from, from + size < length ? from + size : length);
    }
  }
}

/** Goes on with a checksum over words, in order; an exact number. */
export function sumOf(from: number, words: ArrayLike<number>, length = words.length): number {
  let sum = from | 0;
  for (let i = 0; i < length; i += 1) {
    sum = Math.imul((sum << 13) | (sum >>> 19), 0x9e3779b1) ^ words[i]!;
  }
  return sum;
}

/** An integer below 128 that looks like no other's neighbour. */
function scatter(n: number): number {
  return Math.imul(n, 0x9e3779b1) >>> 25;
}
