import type { Labels } from "@varve/contracts";
import type { Stretch } from "./stretches.ts";
import type { StoreName } from "./works.ts";

/** What a store was found to hold. Sums are exact while they stay below 2^53. */
export interface Found {
  /** Distinct label sets. */
  readonly series: number;
  /** Series that have samples. */
  readonly sampled: number;
  readonly samples: number;
  /** Sum of the samples' times after an origin, and of their values. */
  readonly times: number;
  readonly values: number;
}

/**
 * How far a transaction has come when the next one begins. `grouped`: accepted, and written together with those around it:
 * a killed process loses its last group.
 */
export type Durability = "grouped" | "written" | "synced";

/** A store that rows are written to. Series are named by their place in the list of label sets. */
export interface IngestStore extends AsyncDisposable {
  readonly about: string;
  readonly durability: Durability;
  /** One transaction by label objects: finds each series, or makes it. */
  writeLabels(labels: readonly Labels[], rows: Stretch): void | Promise<void>;
  /** Has what names each series at hand from now on: prepared labels, or the id of a series that is known. */
  prepare(labels: readonly Labels[]): void | Promise<void>;
  /** One transaction by what `prepare` has, row by row. */
  writeHandles(rows: Stretch): void | Promise<void>;
  /** The same as a batch, where a store has such a thing. */
  writeBatch(rows: Stretch): void | Promise<void>;
  /** Resolves when everything is written to files: no process' death takes it. */
  settle(): void | Promise<void>;
  /** Reads everything. */
  found(origin: number): Promise<Found>;
}

/** Makes an empty store in a directory, which exists. Only its own driver is loaded. */
export async function openIngestStore(name: StoreName, dir: string): Promise<IngestStore> {
  switch (name) {
    case "varve":
      return (await import("./varve.ts")).openVarve(dir);
    case "better-sqlite3":
      return (await import("./sqlite.ts")).openSqlite(dir);
    case "lmdb":
      return (await import("./lmdb.ts")).openLmdb(dir);
    case "classic-level":
      return (await import("./level.ts")).openLevel(dir);
    case "duckdb":
      return (await import("./duckdb.ts")).openDuckdb(dir);
  }
}
