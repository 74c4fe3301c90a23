import type { Durability } from "./store.ts";
import type { Sizes, StoreName, WorkName } from "./works.ts";

/** What the process of one turn is told. */
export interface TurnSpec {
  readonly work: WorkName;
  readonly store: StoreName;
  readonly sizes: Sizes;
  /** An empty directory. */
  readonly dir: string;
}

/** What one side did in one turn. */
export interface TurnReport {
  readonly rows: number;
  readonly seconds: number;
  /** What wrote, in which version and how it is set up. */
  readonly about: string;
  readonly durability: Durability;
}

/** What the process answers. */
export type FromTurn =
  | { readonly kind: "done"; readonly report: TurnReport }
  | { readonly kind: "failed"; readonly reason: string };

/** Rows a second. */
export function rateOf({ rows, seconds }: TurnReport): number {
  return rows / seconds;
}
