import type { Labels } from "@varve/contracts";
import { devopsSeries } from "@varve/workload";
import type { Engine } from "varve";
import { join } from "node:path";
import { mkdirSync } from "node:fs";
import { setImmediate as turn } from "node:timers/promises";
import { quantile, spinTurnsFor, timeSpins } from "../spin.ts";
import { countWritten, FIRST_MS, nothingWritten, openStore, SLICE_ROWS, verify } from "../store.ts";
import type { Figures, RowSpec, Target, Work } from "../work.ts";

/** Writes to a store of its own, which warm the code up and tell how long the loop of the floor has to be. */
const WARM_UP = 20_000;
/** A tail within this of the noise floor's counts as the machine's. */
const FLOOR_RATIO = 1.5;

/** How long single writes take, one by one. */
export const tails: Work = {
  about:
    "single writes of new series by label object, each timed with performance.now into a typed array that is there " +
    "before, and in turns of 1,000 with them as many loops of pure arithmetic of the same median, timed in the same way: the " +
    "noise floor. A tail is met below its limit, or within 1.5x of the floor. Event-loop turns lie between slices",
  durability: "accepted",
  tasks: () => [{ id: "writes" }],
  rows: () => [
    row("p50", "P50"),
    row("p99", "P99", 10, 4),
    row("p999", "P99.9", 100, 30),
    row("max", "maximum", 20_000, 5000),
    { what: "log bytes a series", unit: "B", task: "writes", figure: "logBytes" },
  ],
  measure: async (_task, { sizes, dir }) => {
    const all: Labels[] = [...devopsSeries({ seed: sizes.seed, series: sizes.tails })];
    const turns = await warmUp(dir, all.slice(0, WARM_UP));
    const calls = new Float64Array(all.length).fill(1); // Filled: its pages are there.
    const floor = new Float64Array(all.length).fill(1);
    await using engine = await openStore(dir);
    globalThis.gc?.();
    for (let from = 0; from < all.length; from += SLICE_ROWS) {
      const until = Math.min(all.length, from + SLICE_ROWS);
      timeWrites(engine, all, calls, from, until);
      timeSpins(floor, from, until, turns);
      await turn();
    }
    const written = nothingWritten();
    written.series = all.length;
    countWritten(written, all.length, FIRST_MS, 1);
    await verify(engine, written);
    const logBytes = engine.stats().wal.framedBytes / all.length;
    return { logBytes, ...percentiles("", calls), ...percentiles("floor-", floor) };
  },
};

function row(figure: string, what: string, must?: number, aim?: number): RowSpec {
  const target = (limit: number): Target => ({ op: "<", limit, orRatio: FLOOR_RATIO });
  return {
    what,
    unit: "µs",
    task: "writes",
    figure,
    against: { task: "writes", figure: `floor-${figure}`, ratio: "factor", name: "noise floor" },
    ...(must === undefined ? {} : { must: target(must) }),
    ...(aim === undefined ? {} : { aim: target(aim) }),
  };
}

/** Loop turns of the floor. */
async function warmUp(dir: string, labels: readonly Labels[]): Promise<number> {
  const at = join(dir, "warm-up");
  mkdirSync(at);
  const calls = new Float64Array(labels.length);
  await using engine = await openStore(at);
  timeWrites(engine, labels, calls, 0, labels.length);
  const later = calls.subarray(calls.length >> 1).sort();
  return spinTurnsFor(quantile(later, 0.5));
}

/** By itself: an asynchronous function makes an object of every number. */
function timeWrites(
  engine: Engine,
  labels: readonly Labels[],
  into: Float64Array,
  from: number,
  until: number,
): void {
  for (let i = from; i < until; i += 1) {
    const start = performance.now();
    engine.write(labels[i]!, FIRST_MS, 1);
    into[i] = (performance.now() - start) * 1000;
  }
}

function percentiles(prefix: string, micros: Float64Array): Figures {
  const sorted = micros.sort();
  return {
    [`${prefix}p50`]: quantile(sorted, 0.5),
    [`${prefix}p99`]: quantile(sorted, 0.99),
    [`${prefix}p999`]: quantile(sorted, 0.999),
    [`${prefix}max`]: sorted.at(-1)!,
  };
}
