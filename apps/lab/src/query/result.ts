import type { QueryKind } from "@varve/workload";
import type { CellStatus } from "../cell/result.ts";
import type { PlanNames } from "../cell/spec.ts";
import type { Spread } from "../stats/spread.ts";
import type { QueryCellSpec } from "./spec.ts";

/** What the queries of one kind came to. Every answer was compared with what the data alone gives. */
export interface KindResult {
  readonly kind: QueryKind;
  /** Queries of one repeat. */
  readonly queries: number;
  /** Rows of all their answers. */
  readonly rows: number;
  /** Samples that were decoded for them: more than the rows where a client keeps only some. */
  readonly samples: number;
  /** 64 bits in hex over all answers: equal for equal ones. */
  readonly checksum: string;
  /** Time of one query, in milliseconds: from the call to the last column in hand. */
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Samples read a second of the time that all queries took. */
  readonly samplesPerSecond: number;
  /** The median of each repeat, in milliseconds. */
  readonly mediansMs: readonly number[];
}

/** What was put into the store before the queries. */
export interface LoadReport {
  readonly series: number;
  readonly samples: number;
  /** From the first write to the end of the flush. */
  readonly seconds: number;
  /** Moving samples to blocks; 0 when there was nothing to move. */
  readonly cutSeconds: number;
  readonly blocks: number;
  readonly blockBytes: number;
}

/** What a cell came to. Figures are there only when the status is `ok`. */
export interface QueryCellResult {
  readonly spec: QueryCellSpec;
  readonly plan: PlanNames | null;
  readonly status: CellStatus;
  readonly reasons: readonly string[];
  readonly repeats: { readonly wanted: number; readonly finished: number };
  readonly load: LoadReport | null;
  readonly kinds: readonly KindResult[];
  /** Samples read a second over all kinds. */
  readonly rate: Spread | null;
  /** The most memory that the process took, in bytes: the data to compare with is part of it. */
  readonly peakRssBytes: number;
}

/** A result without figures. */
export function emptyQueryResult(
  spec: QueryCellSpec,
  status: CellStatus,
  reasons: readonly string[],
  wanted: number,
): QueryCellResult {
  return {
    spec,
    plan: null,
    status,
    reasons,
    repeats: { wanted, finished: 0 },
    load: null,
    kinds: [],
    rate: null,
    peakRssBytes: 0,
  };
}
