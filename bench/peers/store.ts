import type { answerOf } from "@varve/lab";
import type { QueryData, SampleQuery } from "@varve/workload";

/** Stores that are held against varve. */
export const RIVALS = ["better-sqlite3", "duckdb"] as const;

export type RivalName = (typeof RIVALS)[number];
export type PeerName = "varve" | RivalName;

/** An answer as a client has it in hand: for each series its labels and two columns of doubles. The same for every peer. */
export type StoreAnswer = Parameters<typeof answerOf>[0];
export type AnswerSeries = StoreAnswer["series"][number];

/** What is put into a store. */
export interface LoadData extends QueryData {
  /** Label that tells hosts apart: in every label set, as `__name__` is. */
  readonly hostLabel: string;
}

/** A store that data is loaded into once, and that is asked from then on. */
export interface PeerStore extends AsyncDisposable {
  /** What answers, in which version and how it is set up: what a reader of its figures wants to know. */
  readonly about: string;
  /** Why what `load` wrote survives a power cut. */
  readonly durability: string;
  /** Writes all samples, and resolves when they are where queries will find them, on the disk. */
  load(data: LoadData): Promise<void>;
  /** Resolves when the last column is in hand. */
  ask(query: SampleQuery): Promise<StoreAnswer>;
}

/** Makes an empty store in a directory, which exists. Only its own driver is loaded: one that this platform lacks fails alone. */
export async function openPeer(name: PeerName, dir: string): Promise<PeerStore> {
  switch (name) {
    case "varve":
      return (await import("./varve-store.ts")).openVarve(dir);
    case "better-sqlite3":
      return (await import("./sqlite-store.ts")).openSqlite(dir);
    case "duckdb":
      return (await import("./duckdb-store.ts")).openDuckdb(dir);
  }
}
