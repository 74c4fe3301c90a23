import type { Fault, Tier } from "./row.ts";

/** What a child is told: trials of a row from `seed` up to `last`, `step` apart. */
export interface Order {
  readonly id: string;
  readonly tier: Tier;
  readonly seed: number;
  readonly last: number;
  readonly step: number;
  readonly dir: string;
}

/** What a child says: which trial begins, and how it ended. */
export type Said =
  | { readonly kind: "begin"; readonly seed: number }
  | { readonly kind: "done"; readonly seed: number; readonly count: number }
  | {
      readonly kind: "broken";
      readonly seed: number;
      readonly fault: Fault;
      readonly message: string;
    };
