import type { Labels } from "@varve/contracts";
import { type Answer, AnswerDigest } from "./answer-digest.ts";
import { QUERY_THRESHOLD, type SampleQuery } from "./query.ts";
import { asksFor } from "./query-matchers.ts";
import type { SampleGrid } from "./sample-grid.ts";

/** The data that queries are put to: label set i, with its identity, has the samples of series i. */
export interface QueryData {
  readonly labelSets: readonly Labels[];
  readonly identities: readonly Uint32Array[];
  readonly grid: SampleGrid;
}

/** Computes what the right answer is, from the data alone and by looking at all of it. */
export function expectedAnswer(query: SampleQuery, data: QueryData): Answer {
  const { labelSets, identities, grid } = data;
  const { times, values, scrapes } = grid;
  const digest = new AnswerDigest();
  const first = lowerBound(times, query.from);
  const end = lowerBound(times, query.until);
  labelSets.forEach((labels, i) => {
    if (!asksFor(query, labels)) return;
    const all = values.subarray(i * scrapes, (i + 1) * scrapes);
    if (query.keep === "all") return digest.add(identities[i]!, times, all, first, end);
    const from = query.keep === "newest" ? Math.max(first, end - 1) : first;
    for (let at = from; at < end; at += 1) {
      if (query.keep === "above" && !(all[at]! > QUERY_THRESHOLD)) continue;
      digest.add(identities[i]!, times, all, at, at + 1);
    }
  });
  return digest.answer();
}

/** Where the first time stands that is not before `time`. */
function lowerBound(times: Float64Array, time: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (times[middle]! < time) low = middle + 1;
    else high = middle;
  }
  return low;
}
