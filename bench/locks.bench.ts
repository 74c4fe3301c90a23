import { CATALOG } from "@varve/lab";
import assert from "node:assert/strict";
import type { Bench } from "tinybench";
import type { BenchmarkOptions } from "./run.ts";
import { BATCHES, makeBench, makeMemory, ROWS } from "./rows.ts";

/** A critical section a row, and one a batch, by one thread. */
export async function benchmark(options: BenchmarkOptions): Promise<Bench> {
  const bench = makeBench("locks", options);
  for (const [name, entry] of Object.entries(CATALOG.locks)) {
    const variant = entry.make();
    const locks = await variant.open({ memory: makeMemory() });
    const enter = (times: number): number => {
      let inside = 0;
      for (let i = 0; i < times; i += 1) {
        locks.acquire();
        inside += 1;
        locks.release();
      }
      return inside;
    };
    const before = locks.stats.acquisitions;
    assert.equal(enter(ROWS), ROWS);
    const counted = variant.traits.excludes ? ROWS : 0;
    assert.ok(locks.stats.acquisitions - before >= counted, `${name} counts what it guards`);
    bench.add(`${name}, a row`, () => enter(ROWS));
    bench.add(`${name}, a batch`, () => enter(BATCHES));
  }
  return bench;
}
