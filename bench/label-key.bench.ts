import { keyOf, makeBatch } from "@varve/bytes";
import { LABEL_LIMITS, type KeyEncoder } from "@varve/contracts";
import { CATALOG } from "@varve/lab";
import assert from "node:assert/strict";
import type { Bench } from "tinybench";
import type { BenchmarkOptions } from "./run.ts";
import { BATCH_ROWS, BATCHES, makeBench, makeLabels, makeMemory, ROWS } from "./rows.ts";

/** Label objects to canonical keys. */
export async function benchmark(options: BenchmarkOptions): Promise<Bench> {
  const bench = makeBench("label-key", options);
  const labels = makeLabels();
  const shuffled = labels.map((_, i) => labels[(i * 4999) % ROWS]!);
  const batch = makeBatch(makeMemory(), BATCH_ROWS);
  const encodeAll = (encoder: KeyEncoder, sets: typeof labels): void => {
    for (let i = 0; i < BATCHES; i += 1) {
      batch.clear();
      for (let row = 0; row < BATCH_ROWS; row += 1) {
        encoder.encode(sets[i * BATCH_ROWS + row]!, batch, row);
      }
    }
  };
  for (const [name, entry] of Object.entries(CATALOG["label-key"])) {
    const encoder = await entry.make().open({ limits: LABEL_LIMITS });
    for (const [order, sets] of [
      ["in order", labels],
      ["shuffled", shuffled],
    ] as const) {
      encodeAll(encoder, sets);
      const last = sets[ROWS - 1]!;
      const { keys, keyAt } = batch;
      const key = keys.subarray(keyAt[BATCH_ROWS - 1], keyAt[BATCH_ROWS]);
      assert.deepEqual(Buffer.from(key), Buffer.from(keyOf(last)), `${name} encodes ${order}`);
      bench.add(`${name}, ${order}`, () => encodeAll(encoder, sets));
    }
  }
  return bench;
}
