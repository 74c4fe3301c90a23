import type { Answer, QueryKind } from "@varve/workload";
import { spreadOf } from "@varve/lab";
import type { TurnReport } from "./messages.ts";
import type { RivalName } from "./store.ts";
import type { Work } from "./work.ts";

/** Varve and a rival at one kind of work: the turns that both have taken. */
export interface Pair {
  readonly kind: QueryKind;
  readonly rival: RivalName;
  /** Median time of a query in each turn, in milliseconds. */
  readonly oursMs: number[];
  readonly theirsMs: number[];
  /** Why there are no figures. */
  failure: string | null;
}

/** What the data says to the queries of one kind. */
export interface ExpectedWork extends Work {
  readonly answers: readonly Answer[];
}

/** Every kind with every rival, in this order. */
export function makePairs(kinds: readonly QueryKind[], rivals: readonly RivalName[]): Pair[] {
  return kinds.flatMap((kind) =>
    rivals.map((rival): Pair => ({ kind, rival, oursMs: [], theirsMs: [], failure: null })),
  );
}

/** Adds what both did in one turn, or notes that one answered something else than the data says. */
export function addTurns(
  pair: Pair,
  work: ExpectedWork,
  { ours, theirs }: { readonly ours: TurnReport; readonly theirs: TurnReport },
): void {
  pair.failure ??= faultOf("varve", ours, work) ?? faultOf(pair.rival, theirs, work);
  if (pair.failure !== null) return;
  pair.oursMs.push(spreadOf(ours.timesMs).median);
  pair.theirsMs.push(spreadOf(theirs.timesMs).median);
}

/** What is wrong with the answers of a turn, or null. */
function faultOf(peer: string, { answers }: TurnReport, work: ExpectedWork): string | null {
  for (const [i, expected] of work.answers.entries()) {
    const { rows, checksum } = answers[i] ?? { rows: 0, checksum: "none" };
    if (rows === expected.rows && checksum === expected.checksum) continue;
    return (
      `${peer} answered query ${i + 1} of ${work.kind} with ${rows} rows (${checksum}), ` +
      `and the data has ${expected.rows} (${expected.checksum})`
    );
  }
  return null;
}
