/** A query on samples, as plain data: each store puts it in its own words. */
export interface SampleQuery {
  readonly kind: QueryKind;
  /** Label that tells hosts apart. */
  readonly hostLabel: string;
  /** Values of `__name__`; null for all. */
  readonly metrics: readonly string[] | null;
  /** Values of `hostLabel`; null for all. */
  readonly hosts: readonly string[] | null;
  /** Samples with from <= time < until, in milliseconds. */
  readonly from: number;
  readonly until: number;
  readonly keep: Keep;
}

/** What of the samples in range is the answer: all, the newest of each series, those above `QUERY_THRESHOLD`. */
export type Keep = "all" | "newest" | "above";

/** What `above` keeps is greater than this. */
export const QUERY_THRESHOLD = 90;

/** How far back the newest sample of a series may lie, in milliseconds: as in Prometheus. */
export const LOOKBACK_MS = 5 * 60_000;

/** What the queries of a kind have in common. */
export interface QueryShape {
  /** How many metrics and hosts are asked for; infinity for all. */
  readonly metrics: number;
  readonly hosts: number;
  readonly rangeMs: number;
  readonly keep: Keep;
}

const HOUR_MS = 3_600_000;
const ALL = Number.POSITIVE_INFINITY;

/**
 * Kinds of queries, named as in TSBS: `single-groupby-METRICS-HOSTS-HOURS` and `double-groupby-METRICS` fetch the raw
 * samples that those queries aggregate, `lastpoint` the newest sample of every series within the lookback, and
 * `high-cpu-HOSTS` the samples of the first metric that are above 90.
 */
export const QUERY_SHAPES = {
  "single-groupby-1-1-1": { metrics: 1, hosts: 1, rangeMs: HOUR_MS, keep: "all" },
  "single-groupby-1-1-12": { metrics: 1, hosts: 1, rangeMs: 12 * HOUR_MS, keep: "all" },
  "single-groupby-1-8-1": { metrics: 1, hosts: 8, rangeMs: HOUR_MS, keep: "all" },
  "single-groupby-5-1-1": { metrics: 5, hosts: 1, rangeMs: HOUR_MS, keep: "all" },
  "single-groupby-5-8-1": { metrics: 5, hosts: 8, rangeMs: HOUR_MS, keep: "all" },
  "double-groupby-1": { metrics: 1, hosts: ALL, rangeMs: 12 * HOUR_MS, keep: "all" },
  "double-groupby-5": { metrics: 5, hosts: ALL, rangeMs: 12 * HOUR_MS, keep: "all" },
  "double-groupby-all": { metrics: ALL, hosts: ALL, rangeMs: 12 * HOUR_MS, keep: "all" },
  lastpoint: { metrics: ALL, hosts: ALL, rangeMs: LOOKBACK_MS, keep: "newest" },
  "high-cpu-1": { metrics: 1, hosts: 1, rangeMs: 12 * HOUR_MS, keep: "above" },
  "high-cpu-all": { metrics: 1, hosts: ALL, rangeMs: 12 * HOUR_MS, keep: "above" },
} as const satisfies Readonly<Record<string, QueryShape>>;

export type QueryKind = keyof typeof QUERY_SHAPES;

/** The names of all kinds. */
export const QUERY_KINDS = Object.keys(QUERY_SHAPES) as readonly QueryKind[];
