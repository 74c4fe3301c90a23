import type { Slot } from "@varve/contracts";
import type { EngineOptions } from "@varve/engine";
import type { PlanSpec } from "../plan-spec.ts";

/** Options of the engine that a cell may set: those that are plain data. */
export type CellEngine = Pick<
  EngineOptions,
  | "rowsPerClose"
  | "newRowsPerClose"
  | "closeDelayMs"
  | "timing"
  | "seriesExpected"
  | "seriesMax"
  | "memoryBytesMax"
  | "allocatorBytesMax"
  | "maintainEveryMs"
  | "walBytesMax"
>;

/**
 * What the rows of a round are: `new`, each the first of a series; `update`, all of one series that is there
 * already; `update-spread`, over `series` series that are there already; `ingest`, over `series` series of which
 * none is there, so that the first scrape creates them inside the timed region.
 */
export type WorkloadKind = "new" | "update" | "update-spread" | "ingest";

export const WORKLOAD_KINDS: readonly WorkloadKind[] = ["new", "update", "update-spread", "ingest"];

/** The rows that a cell writes. The same spec is always the same rows. */
export interface CellWorkload {
  readonly kind: WorkloadKind;
  /** Rows of one round. */
  readonly rows: number;
  /** Distinct series; for `new` it is `rows`, for `update` it is 1, whatever stands here. Default 10,000. */
  readonly series?: number;
  /** Default 1. */
  readonly seed?: number;
  /** Label sets from a file, in its order, instead of generated ones: JSON lines or Prometheus text. */
  readonly seriesFile?: string;
  /** Rows of one `writeBatch`; 0, the default, is single `write` calls. */
  readonly batchRows?: number;
  /** Whether rows carry label objects or label sets that were prepared before the clock started. Default `labels`. */
  readonly by?: "labels" | "prepared";
  /** Order of the series within a round: `scrape` goes round, `random` picks. Default `scrape`. */
  readonly order?: "scrape" | "random";
  /**
   * Rows after which the event loop gets a turn, inside the timed region, so that background work happens as it
   * would in a server. Default 4096.
   */
  readonly yieldEveryRows?: number;
}

/** What to measure of a cell. Every round writes into a fresh store. */
export interface CellMeasure {
  /** Rounds that count. Default 7. */
  readonly rounds?: number;
  /** Rounds before them that do not. Default 2. */
  readonly warmupRounds?: number;
  /** Times each call, in rounds of their own, beside a loop of pure arithmetic. Default false. */
  readonly latency?: boolean;
  /** Rounds of timed calls; their calls are pooled. Default 1. */
  readonly latencyRounds?: number;
  /** Counts the bytes allocated on the heap, in a round of its own. Default false. */
  readonly allocations?: boolean;
  /**
   * Does the background work that a round has left, and times it. Without it a round says nothing of moved
   * costs, and a store of many small files is gone sooner. Default true.
   */
  readonly drain?: boolean;
  /**
   * Reads the last round back and compares it, after a reopen. Without it only counters say that the work was
   * done: for rounds so long that reading back takes more than writing. Default true.
   */
  readonly readBack?: boolean;
}

/** One cell of a table: a plan, a workload, and what to measure. Plain data: a child process gets it as JSON. */
export interface CellSpec {
  /** Names the cell within a run. */
  readonly id: string;
  readonly plan: PlanSpec;
  readonly engine?: CellEngine;
  readonly workload: CellWorkload;
  readonly measure?: CellMeasure;
}

/** A cell's spec with every default filled in. */
export interface FullCellSpec {
  readonly id: string;
  readonly plan: PlanSpec;
  readonly engine: CellEngine;
  readonly workload: Required<Omit<CellWorkload, "seriesFile">> & { readonly seriesFile?: string };
  readonly measure: Required<CellMeasure>;
}

/** The variants that a plan came to, by slot: for reports. */
export type PlanNames = Readonly<Record<Slot, string>>;

/** Fills in the defaults. */
export function fullSpec(spec: CellSpec): FullCellSpec {
  const { kind, rows } = spec.workload;
  const { series = Math.min(rows, 10_000), seed = 1, batchRows = 0 } = spec.workload;
  const { by = "labels", order = "scrape", yieldEveryRows = 4096, seriesFile } = spec.workload;
  const { rounds = 7, warmupRounds = 2, latency = false } = spec.measure ?? {};
  const {
    latencyRounds = 1,
    allocations = false,
    drain = true,
    readBack = true,
  } = spec.measure ?? {};
  return {
    id: spec.id,
    plan: spec.plan,
    engine: spec.engine ?? {},
    workload: {
      kind,
      rows,
      series: kind === "new" ? rows : kind === "update" ? 1 : series,
      seed,
      batchRows,
      by,
      order,
      yieldEveryRows,
      ...(seriesFile === undefined ? {} : { seriesFile }),
    },
    measure: { rounds, warmupRounds, latency, latencyRounds, allocations, drain, readBack },
  };
}
