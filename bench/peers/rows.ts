import { spreadOf, verdict, type Verdict } from "@varve/lab";
import type { Pair } from "./pairs.ts";
import type { PeersResult } from "./run-peers.ts";

/** Varve and one peer at one kind of work. Figures are null when there are none: `failed`, or interrupted before the first. */
export interface PeerRow {
  readonly work: string;
  readonly peer: string;
  readonly status: "ok" | "failed" | "interrupted";
  readonly reason: string | null;
  /** Median over all turns of the median time of a query, in milliseconds. */
  readonly ours: number | null;
  readonly theirs: number | null;
  /** Theirs divided by ours: above 1, varve is that many times faster. */
  readonly ratio: number | null;
  /** What the ratio's distance from 1 has to exceed: the larger relative spread of the turns of both. */
  readonly spread: number | null;
  /** 95 % bootstrap interval of the ratio. A difference counts when this excludes 1 as well. */
  readonly interval: Verdict["interval"] | null;
  /** What the ratio says of varve. */
  readonly word: Verdict["word"] | null;
  /** Why the samples asked for survive a power cut: varve's side, and the peer's. */
  readonly durability: string;
  /** Queries of a turn, the rows of all their answers, and the digest of each: equal for both, and what the data says. */
  readonly queries: number;
  readonly rows: number;
  readonly checksums: readonly string[];
  /** The median time of a query in each turn, in milliseconds. */
  readonly oursMs: readonly number[];
  readonly theirsMs: readonly number[];
}

/** Sums a run up: a row for each kind of work and rival. */
export function rowsOf({ pairs, works, stores }: PeersResult, repeats: number): PeerRow[] {
  return pairs.map((pair): PeerRow => {
    const { kind, rival, failure, oursMs, theirsMs } = pair;
    const answers = works.find((work) => work.kind === kind)?.answers ?? [];
    const levels = [stores.varve, stores[rival]].map((store) => store?.durability ?? "not loaded");
    const status = failure !== null ? "failed" : oursMs.length < repeats ? "interrupted" : "ok";
    return {
      work: kind,
      peer: rival,
      status,
      reason: failure,
      ...figuresOf(pair),
      durability: `durable (varve: ${levels[0]}; ${rival}: ${levels[1]})`,
      queries: answers.length,
      rows: answers.reduce((sum, answer) => sum + answer.rows, 0),
      checksums: answers.map(({ checksum }) => checksum),
      oursMs: failure === null ? oursMs : [],
      theirsMs: failure === null ? theirsMs : [],
    };
  });
}

type Figures = Pick<PeerRow, "ours" | "theirs" | "ratio" | "spread" | "interval" | "word">;

function figuresOf({ failure, oursMs, theirsMs }: Pair): Figures {
  if (failure !== null || oursMs.length === 0) {
    return { ours: null, theirs: null, ratio: null, spread: null, interval: null, word: null };
  }
  const { ratio, spread, interval, word } = verdict(theirsMs.map(rateOf), oursMs.map(rateOf));
  const [ours, theirs] = [spreadOf(oursMs).median, spreadOf(theirsMs).median];
  return { ours, theirs, ratio, spread, interval, word };
}

/** Queries a second. */
function rateOf(ms: number): number {
  return 1000 / ms;
}
