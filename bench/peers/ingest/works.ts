/** Stores that are held against varve at writing. */
export const INGEST_RIVALS = [
  "promtool",
  "better-sqlite3",
  "lmdb",
  "classic-level",
  "duckdb",
] as const;

export type IngestRival = (typeof INGEST_RIVALS)[number];
/** Stores that run in a process of ours. */
export type StoreName = "varve" | Exclude<IngestRival, "promtool">;
/** What stands beside varve in a row: a store, varve once more, or nothing. */
export type Rival = IngestRival | typeof NOISE | typeof NOBODY;

/** Varve against itself: what a difference of nothing looks like. */
export const NOISE = "varve (noise)";
/** Work that no peer does as well: there is a rate, and no ratio. */
export const NOBODY = "none";

/** How rows are named in a write: by their labels, by a handle for each, or by handles in a batch. */
export type Way = "labels" | "handles" | "batch";

/** Which rows follow which: scrape after scrape, or 1,000 series for 100 scrapes, then the next. */
export type Order = "scrapes" | "shards";

/** One kind of work. */
export interface Work {
  readonly way: Way;
  readonly order: Order;
  readonly rivals: readonly Rival[];
  /** Rows by default, where it is not the data that decides. */
  readonly rows?: number;
  readonly about: string;
}

const EMBEDDED = ["better-sqlite3", "lmdb", "classic-level", "duckdb", NOISE] as const;
const REF = { way: "batch", rivals: ["promtool", NOISE] } as const;
const PROMTOOL =
  "promtool's clock holds appends and commits, on all cores, its profilers on and its compactions off, and it finds " +
  "series by their labels anew each 100 scrapes; reading label " +
  "sets and closing are outside, as with varve, which begins at the first label set it prepares and ends when the " +
  "last row is in the file, on one thread, its maintenance on";

export const WORKS = {
  "ref-ingest": { ...REF, order: "scrapes", about: `rows come scrape by scrape; ${PROMTOOL}` },
  "ref-ingest-shards": {
    ...REF,
    order: "shards",
    about: `the same rows, 1,000 series for 100 scrapes, then the next, as promtool's threads each have them`,
  },
  "new-series": {
    way: "labels",
    order: "scrapes",
    rivals: EMBEDDED,
    about:
      "single writes by label object, one for each series; peers get them in transactions of 1,000; label objects are " +
      "made before the clock starts",
  },
  "updates-labels": {
    way: "labels",
    order: "scrapes",
    rivals: EMBEDDED,
    rows: 2_000_000,
    about:
      "single writes by label object to known series; peers find the series and insert, 1,000 a transaction",
  },
  "updates-handle": {
    way: "handles",
    order: "scrapes",
    rivals: EMBEDDED,
    rows: 8_000_000,
    about: "single writes by prepared labels; peers insert by the series' id, 1,000 a transaction",
  },
  "updates-batch": {
    way: "batch",
    order: "scrapes",
    rivals: EMBEDDED,
    rows: 20_000_000,
    about:
      "batches of 1,000 by prepared labels; peers insert by the series' id, 1,000 a transaction",
  },
  "updates-many": {
    way: "batch",
    order: "scrapes",
    rivals: [NOBODY, NOISE],
    rows: 20_000_000,
    about: "batches of 1,000 by prepared labels over as many series as --new says",
  },
} as const satisfies Readonly<Record<string, Work>>;

export type WorkName = keyof typeof WORKS;
export const WORK_NAMES = Object.keys(WORKS) as WorkName[];

/** How much of each work is done. Plain data: child processes get it. */
export interface Sizes {
  readonly seed: number;
  /** Label sets of `ref-ingest`; without a file, TSBS-shaped ones. */
  readonly seriesFile?: string;
  readonly scrapes: number;
  /** Series of `new-series` and `updates-many`. */
  readonly newSeries: number;
  /** Rows of the works that update; null has each its own default. */
  readonly updates: number | null;
}

export function isRefIngest(work: WorkName): boolean {
  return work === "ref-ingest" || work === "ref-ingest-shards";
}
