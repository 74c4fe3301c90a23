import { median } from "simple-statistics";
import { spreadOf } from "../stats/spread.ts";
import { emptyQueryResult, type KindResult, type QueryCellResult } from "./result.ts";
import type { QueryCellSpec } from "./spec.ts";

/**
 * Merges the repeats of a cell, of which there is at least one: medians of the repeats' figures, the largest of the largest.
 * One repeat that is not `ok` makes the cell what it is.
 */
export function mergeQueryRepeats(
  spec: QueryCellSpec,
  results: readonly QueryCellResult[],
  wanted: number,
): QueryCellResult {
  const bad = results.find(({ status }) => status !== "ok");
  const last = results.at(-1)!;
  const repeats = { wanted, finished: results.length };
  if (bad !== undefined) {
    return { ...emptyQueryResult(spec, bad.status, bad.reasons, wanted), plan: bad.plan, repeats };
  }
  return {
    ...last,
    spec,
    repeats,
    kinds: last.kinds.map((_, at) => mergeKind(results.map(({ kinds }) => kinds[at]!))),
    rate: spreadOf(results.map(({ rate }) => rate!.median)),
    peakRssBytes: Math.max(...results.map((each) => each.peakRssBytes)),
  };
}

/** All repeats put the same queries, and each of their answers was right. */
function mergeKind(all: readonly KindResult[]): KindResult {
  const middle = (of: (each: KindResult) => number): number => median(all.map(of));
  const mediansMs = all.flatMap((each) => each.mediansMs);
  return {
    ...all[0]!,
    medianMs: median(mediansMs),
    p99Ms: middle((each) => each.p99Ms),
    maxMs: Math.max(...all.map((each) => each.maxMs)),
    samplesPerSecond: middle((each) => each.samplesPerSecond),
    mediansMs,
  };
}
