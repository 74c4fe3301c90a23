import { spreadOf, verdict, type Verdict } from "@varve/lab";
import type { Pair } from "./pairs.ts";
import type { Durability } from "./store.ts";
import { rateOf, type TurnReport } from "./turn.ts";
import { type Rival, type WorkName, WORKS } from "./works.ts";

/** Varve and one peer at one work. Figures are null when there are none: `failed`, `skipped`, or interrupted before the first. */
export interface IngestRow {
  readonly work: WorkName;
  readonly peer: Rival;
  readonly status: "ok" | "failed" | "skipped" | "interrupted";
  readonly reason: string | null;
  readonly unit: "rows/s";
  /** Median rate of all turns, in rows a second. `theirs` is null as well when nobody stands beside varve. */
  readonly ours: number | null;
  readonly theirs: number | null;
  /** Ours divided by theirs: above 1, varve is that many times faster. */
  readonly ratio: number | null;
  /** What the ratio's distance from 1 has to exceed: the larger relative spread of the turns of both. Alone, that of ours. */
  readonly spread: number | null;
  /** 95 % bootstrap interval of the ratio. A difference counts when this excludes 1 as well. */
  readonly interval: Verdict["interval"] | null;
  /** What the ratio says of varve. */
  readonly word: Verdict["word"] | null;
  /** How far rows have come when the next transaction begins: on both sides, or each. */
  readonly durability: string;
  /** Whether the peer waits for a sync at each transaction, and varve does not. */
  readonly isPeerSynced: boolean;
  readonly note: string;
  /** Rows of a turn, and the rate of each turn. */
  readonly oursRows: number | null;
  readonly theirsRows: number | null;
  readonly oursRates: readonly number[];
  readonly theirsRates: readonly number[];
}

/** Sums a run up: a row for each pair. */
export function rowsOf(pairs: readonly Pair[], repeats: number): IngestRow[] {
  return pairs.map((pair): IngestRow => {
    const { work, rival, failure, skipped } = pair;
    const [ours, theirs] = failure === null ? [pair.ours, pair.theirs] : [[], []];
    return {
      work,
      peer: rival,
      status: statusOf(pair, repeats),
      reason: failure ?? skipped,
      unit: "rows/s",
      ...figuresOf(ours.map(rateOf), theirs.map(rateOf)),
      durability: durabilityOf(rival, ours[0], theirs[0]),
      isPeerSynced: theirs[0]?.durability === "synced" && ours[0]?.durability !== "synced",
      note: WORKS[work].about,
      oursRows: ours[0]?.rows ?? null,
      theirsRows: theirs[0]?.rows ?? null,
      oursRates: ours.map(rateOf),
      theirsRates: theirs.map(rateOf),
    };
  });
}

function statusOf({ failure, skipped, ours }: Pair, repeats: number): IngestRow["status"] {
  if (failure !== null) return "failed";
  if (skipped !== null) return "skipped";
  return ours.length < repeats ? "interrupted" : "ok";
}

type Figures = Pick<IngestRow, "ours" | "theirs" | "ratio" | "spread" | "interval" | "word">;

function figuresOf(ours: readonly number[], theirs: readonly number[]): Figures {
  const none = { theirs: null, ratio: null, interval: null, word: null };
  if (ours.length === 0) return { ours: null, spread: null, ...none };
  const { median, relative } = spreadOf(ours);
  if (theirs.length === 0) return { ours: median, spread: relative, ...none };
  const { ratio, spread, interval, word } = verdict(theirs, ours);
  return { ours: median, theirs: spreadOf(theirs).median, ratio, spread, interval, word };
}

const LEVELS: Readonly<Record<Durability, string>> = {
  grouped: "written in groups, not synced for each transaction",
  written: "written at each transaction, not synced",
  synced: "synced at each transaction",
};

function durabilityOf(
  rival: Rival,
  ours: TurnReport | undefined,
  theirs: TurnReport | undefined,
): string {
  if (ours === undefined) return "not measured";
  const level = LEVELS[ours.durability];
  if (theirs === undefined || theirs.durability === ours.durability) return level;
  return `varve: ${level}; ${rival}: ${LEVELS[theirs.durability]}`;
}
