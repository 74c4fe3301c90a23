import type { QueryDataSpec } from "@varve/lab";
import type { Answer } from "@varve/workload";
import type { PeerName } from "./store.ts";
import type { WorkSpec } from "./work.ts";

/** What the process of a peer is told: what to hold, once; then which work to do, one at a time. */
export type ToPeer =
  | {
      readonly kind: "load";
      readonly peer: PeerName;
      readonly dir: string;
      readonly data: QueryDataSpec;
      readonly work: WorkSpec;
    }
  | { readonly kind: "turn"; readonly work: number };

/** What it answers: one message for each that it got. */
export type FromPeer =
  | { readonly kind: "loaded"; readonly report: LoadReport }
  | { readonly kind: "done"; readonly turn: TurnReport }
  | { readonly kind: "failed"; readonly reason: string };

/** A loaded store. */
export interface LoadReport {
  readonly about: string;
  readonly durability: string;
  /** Writing, syncing and what a store does to have its samples where queries find them. */
  readonly loadSeconds: number;
  /** What its files take, in bytes. */
  readonly diskBytes: number;
}

/** What one turn came to: for each query its time and its answer. */
export interface TurnReport {
  readonly timesMs: readonly number[];
  readonly answers: readonly Answer[];
}
