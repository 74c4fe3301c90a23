import { StorageError, type Labels } from "@varve/contracts";
import { countDistinct, DEVOPS_START_MS, devopsSeries, readSeriesFile } from "@varve/workload";
import type { Found } from "./store.ts";
import { type Rounds, SHARD_ROUNDS, stretchesOf } from "./stretches.ts";
import {
  isRefIngest,
  type Sizes,
  type StoreName,
  type Work,
  WORKS,
  type WorkName,
} from "./works.ts";

/** Series that updates go to. */
const UPDATE_SERIES = 10_000;
/** Label sets of `ref-ingest` where no file gives them. */
const REF_SERIES = 20_000;
/** Most rows of updates that a peer does: their rates are known by then. */
const PEER_ROWS_MAX = 500_000;
/** Time between updates of a series, in milliseconds: short, so that no window of blocks is complete within a run. */
const UPDATE_STEP_MS = 1000;
/** Values go round: as many as fit into a few bits. */
const VALUES = 101;

/** What promtool's generator makes of a series, in milliseconds and units: each series the same, anew each 100 scrapes. */
const REF_STEP_MS = 30_000;
const REF_VALUE = 123_456_789;
const REF_VALUE_STEP = 1000;

/** What one process has to write. */
export interface Plan {
  readonly labels: readonly Labels[];
  /** Whether each series has one sample before the clock starts. */
  readonly isLoaded: boolean;
  /** What is written before the clock starts, and then. */
  readonly before: Rounds;
  readonly timed: Rounds;
  /** Sums of times are taken from here. */
  readonly origin: number;
}

/** Makes the data of a work: the same in every process. */
export async function planOf(name: WorkName, sizes: Sizes, store: StoreName): Promise<Plan> {
  const labels = isRefIngest(name) ? await refLabels(sizes) : devopsLabels(name, sizes);
  const work: Work = WORKS[name];
  const series = labels.length;
  const none = { series, rounds: 0, order: work.order, timeOf: () => 0, valueOf: () => 0 };
  if (isRefIngest(name)) {
    const timeOf = (round: number): number => (round + 1) * REF_STEP_MS;
    const valueOf = (round: number): number =>
      REF_VALUE + REF_VALUE_STEP * ((round % SHARD_ROUNDS) + 1);
    const timed = { series, rounds: sizes.scrapes, order: work.order, timeOf, valueOf };
    return { labels, isLoaded: false, before: none, timed, origin: 0 };
  }
  const origin = DEVOPS_START_MS;
  const first = { ...none, rounds: 1, timeOf: () => origin, valueOf: () => 1 };
  if (name === "new-series") return { labels, isLoaded: false, before: none, timed: first, origin };
  const rows = sizes.updates ?? work.rows!;
  const asked = store === "varve" ? rows : Math.min(rows, PEER_ROWS_MAX);
  const timed: Rounds = {
    series,
    rounds: Math.max(1, Math.round(asked / series)),
    order: work.order,
    timeOf: (round) => origin + (round + 1) * UPDATE_STEP_MS,
    valueOf: (round) => round % VALUES,
  };
  return { labels, isLoaded: true, before: first, timed, origin };
}

/** What a store holds when a plan was done. */
export function expectedOf({ labels, before, timed, origin }: Plan): Found {
  const sums = { samples: 0, times: 0, values: 0 };
  for (const rounds of [before, timed]) {
    for (const { from, until, time, value } of stretchesOf(rounds)) {
      sums.samples += until - from;
      sums.times += (until - from) * (time - origin);
      sums.values += (until - from) * value;
    }
  }
  return { series: labels.length, sampled: labels.length, ...sums };
}

/** The label sets of `ref-ingest`. Throws INPUT for a file that has one twice, or that nobody can read. */
export async function refLabels({ seed, seriesFile }: Sizes): Promise<readonly Labels[]> {
  if (seriesFile === undefined) return [...devopsSeries({ seed, series: REF_SERIES })];
  const labels = await readSeriesFile(seriesFile);
  const facts = { path: seriesFile };
  if (labels.length === 0) {
    throw new StorageError("INPUT", `${seriesFile}: there is no label set in it`, { facts });
  }
  if (countDistinct(labels) === labels.length) return labels;
  const message = `${seriesFile}: a label set comes twice; give each once`;
  throw new StorageError("INPUT", message, { facts });
}

function devopsLabels(name: WorkName, { seed, newSeries }: Sizes): Labels[] {
  const series = name === "new-series" || name === "updates-many" ? newSeries : UPDATE_SERIES;
  return [...devopsSeries({ seed, series })];
}
