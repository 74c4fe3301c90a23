import type { Slot } from "@varve/contracts";
import type { PhaseName } from "@varve/engine";
import type { Environment } from "../report/environment.ts";
import type { Spread } from "../stats/spread.ts";
import type { Verdict } from "../stats/verdict.ts";

/** What `lab seed` measured: the JSON file that it writes, and all that `docs/findings.md` is made of. */
export interface SeedReport {
  readonly environment: Environment;
  readonly settings: SeedSettings;
  readonly baseline: Reproduction;
  readonly best: Reproduction;
  readonly phases: readonly PhaseTable[];
  readonly suspects: readonly SuspectResult[];
  /** Changes that no suspect names, measured like the suspects: each alone against the baseline. */
  readonly otherFixes: readonly FixResult[];
  readonly waterfall: readonly WaterfallStep[];
  readonly sustained: readonly SustainedResult[];
  /** How many single writes are logged together: an axis of its own. */
  readonly openBatch: readonly OpenBatchResult[];
  readonly criteria: readonly CriterionResult[];
  readonly targets: readonly CriterionResult[];
  readonly predictions: readonly PredictionResult[];
  readonly durationSeconds: number;
  /** Parts of the investigation that were not run to their end, and why. Empty when all were. */
  readonly incomplete: readonly string[];
}

/** A report whose parts may still be missing: what there is after Ctrl-C. */
export type PartialSeedReport = Partial<SeedReport> &
  Pick<SeedReport, "environment" | "settings" | "durationSeconds" | "incomplete"> & {
    /** Cells that were measured in parts that did not end. */
    readonly leftovers?: readonly Leftover[];
  };

/** A cell's rate, where the table that it was meant for never came to be. */
export interface Leftover {
  readonly cell: string;
  readonly perSecond: Spread;
}

export interface SeedSettings {
  readonly quick: boolean;
  readonly seed: number;
  /** Where label sets come from: a generator's name, or the file's. */
  readonly input: string;
  readonly labelsPerSeries: number;
  readonly keyBytes: number;
  readonly rounds: number;
  readonly rowsPerRound: number;
  /** Rows of a round in `suspects`, which shrink on a slow disk to keep the whole within its time. */
  readonly suspectRows: number;
  /** Processes a cell after part 1: one, where the machine turned out to be slow or busy. */
  readonly repeats: number;
}

/** Percentiles of single calls, in microseconds. */
export interface Latency {
  readonly p50Us: number;
  readonly p99Us: number;
  readonly p999Us: number;
  readonly maxUs: number;
}

/** Latency of writes, and of equally many runs of pure arithmetic as long as the median write. */
export interface LatencyOverFloor extends Latency {
  readonly noiseFloor: Latency;
}

/** What kind of row a figure is about. */
export const ROW_KINDS = ["new", "update", "updateSpread"] as const;
export type RowKind = (typeof ROW_KINDS)[number];

/** Part 1: rates and latencies of one composition. */
export interface Reproduction {
  readonly plan: Readonly<Record<Slot, string>>;
  readonly rowsPerClose: number;
  /** What a returned single write means. */
  readonly acknowledges: string;
  /** Medians of whole rounds: every write, and the flush at the end. */
  readonly newPerSecond: number;
  readonly updatePerSecond: number;
  readonly updateSpreadPerSecond: number;
  /** How many times as fast an update of one series is as a new series. */
  readonly ratio: number;
  /** The rounds behind the medians. */
  readonly perSecond: Readonly<Record<RowKind, Spread>>;
  /** Rates up to the last write's return, the flush left out. */
  readonly acceptedPerSecond: Readonly<Record<RowKind, Spread>>;
  readonly latency: Readonly<Record<RowKind, LatencyOverFloor>>;
  /** One long round of new series; for the slow composition as many as its time allows. */
  readonly million: Million;
}

export interface Million extends LatencyOverFloor {
  readonly rows: number;
  /** True when time ended the round before a million. */
  readonly bounded: boolean;
  readonly newPerSecond: number;
}

/** Part 2: where the time of one kind of row goes in one composition. */
export interface PhaseTable {
  readonly composition: "baseline" | "best";
  readonly rows: "new" | "update";
  /** Single writes, one in some timed, or batches, all timed. */
  readonly call: "single" | "batch";
  readonly mode: "sampled" | "full";
  readonly rowsTimed: number;
  /** Nanoseconds a row of the same rounds without any timing. */
  readonly untimedNs: number;
  /** Sum of all phases. Should be 90 to 110 % of `untimedNs`. */
  readonly timedNs: number;
  readonly sumPercent: number;
  readonly clockNs: number;
  readonly phases: readonly PhaseShare[];
  readonly heapBytesPerRow: number;
  readonly linearBytesPerRow: number;
  readonly acquired: number;
  readonly poolHits: number;
  readonly allocateNs: number;
  readonly gcNs: number;
}

export interface PhaseShare {
  readonly name: PhaseName;
  readonly nsPerRow: number;
  /** Share of the sum of all phases. */
  readonly percent: number;
}

/** A change to the baseline, and what it bought alone. */
export interface FixResult {
  readonly id: string;
  readonly title: string;
  /** What was swapped, as `slot: from → to`. */
  readonly swap: string;
  readonly new: Gain;
  readonly update: Gain;
  /** What proves that the part acted. */
  readonly proof: string;
}

/** The rate with a change, and how it compares to the rate without, measured in turns. */
export interface Gain extends Verdict {
  readonly perSecond: Spread;
}

/** Part 3. */
export interface SuspectResult extends FixResult {
  /** 1 for the suspect whose swap gained most for new series. */
  readonly rank: number;
  readonly predicted: string;
  readonly measuredUpstream: string;
  /** Percent of the baseline's time for a new row that our phases charge to this suspect. */
  readonly sharePercent: number;
  /** For a suspect of two parts: each of them swapped alone. */
  readonly parts: readonly FixResult[];
}

/** Part 4. */
export interface WaterfallStep {
  readonly fix: string;
  readonly swap: string;
  readonly newPerSecond: Spread;
  readonly updatePerSecond: Spread;
  /** New series against the step before; null for the first step. */
  readonly gain: Gain | null;
}

/** Part 5: one block manager in an otherwise best composition, past block size. */
export interface SustainedResult extends Latency {
  readonly blockManager: string;
  readonly series: number;
  readonly samples: number;
  readonly noiseFloor: Latency;
  /** Up to the last write's return, turns of the event loop included. */
  readonly writesPerSecond: Spread;
  /** The same until everything is flushed and no full chunk waits to be written. */
  readonly drainedPerSecond: Spread;
  /** Time that background work still took after the last flush, in milliseconds. */
  readonly drainMs: number;
  readonly chunksSealed: number;
  readonly chunksPersisted: number;
  readonly persistedInAppend: number;
  readonly filesCreated: number;
  readonly writes: number;
}

/** The best composition with another size of the open batch. */
export interface OpenBatchResult extends LatencyOverFloor {
  /** New series that close the batch; updates close it at the usual number of rows. */
  readonly newRowsPerClose: number;
  readonly newPerSecond: Spread;
}

/** Part 6: a criterion or target, and whether a composition keeps it. */
export interface CriterionResult {
  readonly id: string;
  readonly text: string;
  readonly unit: "per second" | "µs";
  readonly limit: number;
  readonly baseline: number;
  readonly best: number;
  readonly met: boolean;
  readonly metByBaseline: boolean;
  /** Level of durability that the figure paid for, and what else has to be said of it. */
  readonly level: string;
  readonly note: string;
}

/** Part 6: a prediction about a suspect against the baseline's measured share. */
export interface PredictionResult {
  readonly suspect: string;
  readonly predicted: string;
  readonly fromPercent: number;
  readonly untilPercent: number;
  readonly measuredPercent: number;
  readonly confirmed: boolean;
}
