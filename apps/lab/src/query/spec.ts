import { DEVOPS_INTERVAL_MS, QUERY_SHAPES, type QueryKind, type QueryShape } from "@varve/workload";
import type { PlanSpec } from "../plan-spec.ts";

/**
 * Where the samples lie when queries are put: all in memory; all in blocks; or the older half of the time in blocks and the
 * younger in memory.
 */
export const PLACES = ["head", "blocks", "mixed"] as const;

export type Place = (typeof PLACES)[number];

/** What queries are put to, and which. Plain data: a child process gets it as JSON. */
export interface QueryCellSpec {
  /** Names the cell within a run. */
  readonly id: string;
  readonly plan: PlanSpec;
  readonly place: Place;
  readonly data: QueryDataSpec;
  readonly kinds: readonly QueryKind[];
  /** Most queries of a kind; kinds that read much get fewer. Default 200. */
  readonly queriesMax?: number;
}

/** The samples: TSBS-shaped walks, of TSBS-shaped label sets or of those in a file. */
export interface QueryDataSpec {
  readonly seed: number;
  /** Hosts, of ten series each. */
  readonly hosts: number;
  /** How long the samples go on; every series has one each 10 s. */
  readonly hours: number;
  /** Label sets to take instead. */
  readonly seriesFile?: string;
}

/** Samples that all queries of a kind may read together, at a guess. */
const KIND_SAMPLES = 10_000_000;
/** Fewest queries of a kind: what a median needs. */
const QUERIES_MIN = 5;
const HOUR_MS = 3_600_000;

/** How many scrapes the hours come to. */
export function scrapesOf({ hours }: QueryDataSpec): number {
  return Math.max(1, Math.round((hours * HOUR_MS) / DEVOPS_INTERVAL_MS));
}

/** How many queries of a kind there are: as many as asked for, unless they read too much. */
export function queryCount(
  kind: QueryKind,
  domain: { readonly metrics: number; readonly hosts: number; readonly rangeMs: number },
  queriesMax: number,
): number {
  const shape: QueryShape = QUERY_SHAPES[kind];
  const series = Math.min(shape.metrics, domain.metrics) * Math.min(shape.hosts, domain.hosts);
  const samples = (series * Math.min(shape.rangeMs, domain.rangeMs)) / DEVOPS_INTERVAL_MS;
  const affordable = Math.floor(KIND_SAMPLES / Math.max(1, samples));
  return Math.min(queriesMax, Math.max(QUERIES_MIN, affordable));
}
