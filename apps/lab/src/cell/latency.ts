import { median, quantileSorted } from "simple-statistics";
import { setImmediate as turn } from "node:timers/promises";
import type { Latency, NoiseFloor } from "./result.ts";

/** Turns of the arithmetic loop with which its speed is found. */
const CALIBRATION_TURNS = 200_000;
/** Runs of the calibration, of which the fastest counts. */
const CALIBRATION_RUNS = 15;

/** The percentiles of call times in microseconds. */
export function latencyOf(micros: Float64Array, rowsPerCall: number): Latency {
  const sorted = Array.from(Float64Array.from(micros).sort());
  return {
    calls: sorted.length,
    rowsPerCall,
    p50: quantileSorted(sorted, 0.5),
    p99: quantileSorted(sorted, 0.99),
    p999: quantileSorted(sorted, 0.999),
    max: sorted.at(-1) ?? 0,
  };
}

/**
 * Times a loop of pure arithmetic whose median length is that of the calls measured before, as many times and in
 * the same rhythm: what it shows above its median is the machine, not the code. A tail below it cannot be claimed.
 */
export async function noiseFloor(like: Latency, every: number): Promise<NoiseFloor> {
  const clockNs = clockCostNs();
  const turns = await turnsFor(like.p50);
  const micros = new Float64Array(like.calls);
  for (let from = 0; from < micros.length; from += every) {
    timeSpins(micros, from, Math.min(micros.length, from + every), turns);
    await turn();
  }
  return { ...latencyOf(micros, like.rowsPerCall), clockNs };
}

/** Times `until - from` spins, each as the calls are timed. */
function timeSpins(into: Float64Array, from: number, until: number, turns: number): void {
  for (let i = from; i < until; i += 1) {
    const start = performance.now();
    sink = spin(turns, i);
    into[i] = (performance.now() - start) * 1000;
  }
}

/** Finds how many turns of the loop last as long as the median call, the clock's share included. */
async function turnsFor(micros: number): Promise<number> {
  let fastest = Number.POSITIVE_INFINITY;
  for (let run = 0; run < CALIBRATION_RUNS; run += 1) {
    const start = performance.now();
    sink = spin(CALIBRATION_TURNS, run);
    fastest = Math.min(fastest, performance.now() - start);
    await turn();
  }
  let turns = Math.max(1, Math.round((micros * CALIBRATION_TURNS) / (fastest * 1000)));
  // Twice more as it will be used: call and clock take their share of a short spin.
  const sample = new Float64Array(999);
  for (let i = 0; i < 2; i += 1) {
    timeSpins(sample, 0, sample.length, turns);
    turns = Math.max(1, Math.round((turns * micros) / median(Array.from(sample))));
  }
  return turns;
}

/** Where results go, so that the loop is not optimised away. */
let sink = 0;

/** Pure arithmetic: xorshift, no memory, no call. */
function spin(turns: number, from: number): number {
  let x = (from | 1) ^ sink;
  for (let i = 0; i < turns; i += 1) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
  }
  return x;
}

/** The median cost of reading the clock, in nanoseconds. */
function clockCostNs(): number {
  const reads = 1000;
  const costs = Array.from({ length: 9 }, () => {
    const start = performance.now();
    for (let i = 0; i < reads; i += 1) performance.now();
    return ((performance.now() - start) * 1e6) / reads;
  });
  return median(costs);
}
