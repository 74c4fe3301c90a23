import { median } from "simple-statistics";
import { spreadOf } from "../stats/spread.ts";
import type { CellResult, CellStatus, Latency, NoiseFloor } from "./result.ts";
import type { CellSpec } from "./spec.ts";
import { meanTiming } from "./timing.ts";

/** A result without figures. */
export function emptyResult(
  spec: CellSpec,
  status: CellStatus,
  reasons: readonly string[],
  wanted: number,
): CellResult {
  return {
    spec,
    plan: null,
    status,
    reasons,
    repeats: { wanted, finished: 0 },
    rounds: [],
    rate: null,
    acceptedRate: null,
    samples: [],
    samplesAre: "rounds",
    latency: null,
    noiseFloor: null,
    timing: null,
    counters: null,
    gate: null,
    durability: null,
    memory: null,
    peakRssBytes: 0,
  };
}

/**
 * Merges the repeats of a cell. A repeat's sample is the median of its rounds. One repeat that is not `ok` makes
 * the cell what it is: no figure survives that. Latencies are medians over the repeats, except the largest.
 */
export function mergeRepeats(
  spec: CellSpec,
  results: readonly CellResult[],
  wanted: number,
): CellResult {
  const bad = results.find((result) => result.status !== "ok");
  const repeats = { wanted, finished: results.length };
  if (bad !== undefined) {
    return {
      ...emptyResult(spec, bad.status, bad.reasons, wanted),
      plan: bad.plan,
      gate: bad.gate,
      repeats,
    };
  }
  const last = results.at(-1)!;
  if (results.length === 1) return { ...last, spec, repeats };
  const rates = results.map((result) => result.rate!.median);
  const accepted = results.map((result) => result.acceptedRate!.median);
  const latencies = results.map((result) => result.latency).filter((each) => each !== null);
  const floors = results.map((result) => result.noiseFloor).filter((each) => each !== null);
  const heap = results.map((result) => result.memory?.heapBytesPerRow ?? null);
  return {
    ...last,
    spec,
    repeats,
    rounds: results.flatMap((result) => result.rounds),
    rate: spreadOf(rates),
    acceptedRate: spreadOf(accepted),
    samples: rates,
    samplesAre: "repeats",
    latency: latencies.length === 0 ? null : medianLatency(latencies),
    noiseFloor: floors.length === 0 ? null : medianFloor(floors),
    timing: meanTiming(results.map((result) => result.timing).filter((each) => each !== null)),
    memory: last.memory && {
      ...last.memory,
      heapBytesPerRow: heap.includes(null) ? null : median(heap as number[]),
    },
    peakRssBytes: Math.max(...results.map((result) => result.peakRssBytes)),
  };
}

function medianLatency(all: readonly Latency[]): Latency {
  const middle = (of: (each: Latency) => number): number => median(all.map(of));
  return {
    calls: all.reduce((sum, each) => sum + each.calls, 0),
    rowsPerCall: all[0]!.rowsPerCall,
    p50: middle((each) => each.p50),
    p99: middle((each) => each.p99),
    p999: middle((each) => each.p999),
    max: Math.max(...all.map((each) => each.max)),
  };
}

function medianFloor(all: readonly NoiseFloor[]): NoiseFloor {
  return { ...medianLatency(all), clockNs: median(all.map((each) => each.clockNs)) };
}
