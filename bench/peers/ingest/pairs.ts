import type { TurnReport } from "./turn.ts";
import { type Rival, type WorkName, WORKS } from "./works.ts";

/** Varve and a rival at one work: the turns that both have taken. */
export interface Pair {
  readonly work: WorkName;
  readonly rival: Rival;
  readonly ours: TurnReport[];
  readonly theirs: TurnReport[];
  /** Why there are no figures: something went wrong, or the rival is not here. */
  failure: string | null;
  skipped: string | null;
}

/** Every work with every rival that is asked for, in this order. */
export function makePairs(works: readonly WorkName[], isAsked: (rival: Rival) => boolean): Pair[] {
  return works.flatMap((work) =>
    WORKS[work].rivals
      .filter((rival) => isAsked(rival))
      .map((rival): Pair => ({
        work,
        rival,
        ours: [],
        theirs: [],
        failure: null,
        skipped: null,
      })),
  );
}
