import type { Sizes } from "./sizes.ts";
import type { Figures, WorkName } from "./work.ts";

/** What the process of one turn is told. */
export interface TurnSpec {
  readonly work: WorkName;
  readonly task: string;
  readonly sizes: Sizes;
  readonly dir: string;
  readonly sharedDir: string;
}

/** What it answers. */
export type FromTurn =
  | { readonly kind: "done"; readonly figures: Figures }
  | { readonly kind: "failed"; readonly reason: string };
