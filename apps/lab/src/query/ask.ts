import type { Labels } from "@varve/contracts";
import type { Engine } from "@varve/engine";
import { matchersOfQuery, QUERY_THRESHOLD, type SampleQuery } from "@varve/workload";

/** One series of an answer: what of it was asked for. */
export interface AnswerSeries {
  readonly labels: Labels;
  readonly times: Float64Array;
  readonly values: Float64Array;
}

/** An answer as a client has it in hand. */
export interface StoreAnswer {
  readonly series: readonly AnswerSeries[];
  /** Samples that were read for it. */
  readonly samples: number;
}

/** Asks a store a query: matchers and a range, then what only a client can do, series by series. */
export async function askStore(
  engine: Pick<Engine, "select">,
  query: SampleQuery,
  signal?: AbortSignal,
): Promise<StoreAnswer> {
  const { from, until, keep } = query;
  const series: AnswerSeries[] = [];
  let samples = 0;
  for await (const found of engine.select(matchersOfQuery(query), { from, until, signal })) {
    samples += found.times.length;
    if (keep === "all") series.push(found);
    else if (keep === "newest") series.push(newestOf(found));
    else series.push(aboveOf(found));
  }
  return { series, samples };
}

/** The last sample, copied: the columns may go. */
function newestOf({ labels, times, values }: AnswerSeries): AnswerSeries {
  return { labels, times: times.slice(-1), values: values.slice(-1) };
}

function aboveOf({ labels, times, values }: AnswerSeries): AnswerSeries {
  const kept = { times: new Float64Array(times.length), values: new Float64Array(times.length) };
  let count = 0;
  for (let i = 0; i < times.length; i += 1) {
    if (!(values[i]! > QUERY_THRESHOLD)) continue;
    kept.times[count] = times[i]!;
    kept.values[count] = values[i]!;
    count += 1;
  }
  return { labels, times: kept.times.slice(0, count), values: kept.values.slice(0, count) };
}
