import type { DurabilityLevel } from "@varve/contracts";
import type { EngineStats, TimingReport } from "@varve/engine";
import type { Spread } from "../stats/spread.ts";
import type { CellSpec, PlanNames } from "./spec.ts";

/** One timed round. */
export interface CellRound {
  /** Which child process it ran in: 0, 1, 2 … */
  readonly repeat: number;
  readonly rows: number;
  /** From the first call to the end of `flush`. */
  readonly seconds: number;
  /** From the first call to the return of the last: what was accepted by then. */
  readonly acceptedSeconds: number;
  readonly rowsPerSecond: number;
  readonly acceptedPerSecond: number;
  /** Time that background work still took once everything was flushed: a cost that was moved shows here. */
  readonly drainSeconds: number;
  /** Chunks that this drain sealed and wrote. */
  readonly drained: { readonly sealed: number; readonly persisted: number };
  /** Garbage collections inside the timed region. */
  readonly gc: { readonly count: number; readonly ms: number };
}

/** Percentiles of the time of one call, in microseconds. */
export interface Latency {
  /** Calls that were timed. */
  readonly calls: number;
  /** Rows that one call carries. */
  readonly rowsPerCall: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

/** What the machine itself does to a loop of pure arithmetic of the same median length, run right after. */
export interface NoiseFloor extends Latency {
  /** Cost of reading the clock once, which every figure contains, in nanoseconds. */
  readonly clockNs: number;
}

/** Counters that prove what acted, over the timed region of the last round, and its gauges at the end of it. */
export interface CellCounters {
  readonly index: EngineStats["index"];
  readonly wal: EngineStats["wal"];
  readonly allocator: EngineStats["allocator"];
  readonly blocks: EngineStats["blocks"];
  readonly locks: EngineStats["locks"];
}

/** Whether the cell did the work that its figures are for. */
export interface GateReport {
  readonly passed: boolean;
  readonly seriesExpected: number;
  readonly seriesCreated: number;
  readonly rowsExpected: number;
  readonly rowsRead: number;
  /** 128 bits over every series' key, times and value bits, in hex; equal for equal content in any order. */
  readonly fingerprintExpected: string;
  readonly fingerprintRead: string;
  /** Whether the rows were read after a close and a reopen, or before, because the log keeps nothing. */
  readonly readAfter: "reopen" | "flush";
  /** What the reopen took and said, when there was one. */
  readonly reopen?: {
    readonly seconds: number;
    readonly series: number;
    readonly samples: number;
    readonly indexRebuilt: boolean;
  };
}

/** The level that a figure paid for. */
export interface Durability {
  /** What the return of one call means. */
  readonly atReturn: DurabilityLevel;
  /** What everything is when the clock stops; `memory`: the log keeps nothing. */
  readonly atEnd: "durable" | "memory";
}

export interface CellMemory {
  /** Bytes allocated on the JavaScript heap a row, garbage included; null when it was not measured. */
  readonly heapBytesPerRow: number | null;
  /** Bytes of the linear memory taken a row. */
  readonly linearBytesPerRow: number;
  /** Resident bytes of the process once the input data was there. */
  readonly inputRssBytes: number;
}

/** `n/a`: the plan's parts cannot work together, or the run was interrupted before the cell's turn. */
export type CellStatus = "ok" | "failed" | "n/a";

/** What a cell came to. Figures are there only when the status is `ok`. */
export interface CellResult {
  readonly spec: CellSpec;
  readonly plan: PlanNames | null;
  readonly status: CellStatus;
  /** Why it failed, or why there is nothing. */
  readonly reasons: readonly string[];
  /** Child processes that were asked for and that finished. */
  readonly repeats: { readonly wanted: number; readonly finished: number };
  readonly rounds: readonly CellRound[];
  /** Rows a second over repeats (over rounds when there is one repeat), and their spread. */
  readonly rate: Spread | null;
  /** The same for rows accepted a second. */
  readonly acceptedRate: Spread | null;
  /** One sample for each repeat, or for each round when there is one repeat: what `verdict` compares. */
  readonly samples: readonly number[];
  readonly samplesAre: "repeats" | "rounds";
  readonly latency: Latency | null;
  readonly noiseFloor: NoiseFloor | null;
  /** Mean over the rounds; null when timing is off. */
  readonly timing: TimingReport | null;
  readonly counters: CellCounters | null;
  readonly gate: GateReport | null;
  readonly durability: Durability | null;
  readonly memory: CellMemory | null;
  readonly peakRssBytes: number;
}
