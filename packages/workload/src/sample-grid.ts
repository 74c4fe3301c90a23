import { assert } from "@varve/contracts";
import { DEVOPS_INTERVAL_MS, DEVOPS_START_MS, randomWalk } from "./walk.ts";

export interface SampleOptions {
  /** A safe integer. The same seed gives the same samples. */
  readonly seed: number;
  /** How many series there are. */
  readonly series: number;
  /** How many samples each has. */
  readonly scrapes: number;
  /** Time of the first scrape, in milliseconds. Default: where the devops workload begins. */
  readonly from?: number;
  /** Time between scrapes, in milliseconds. Default: the devops workload's 10 s. */
  readonly stepMs?: number;
}

/** One scrape: a sample of every series at one time. */
export interface Scrape {
  readonly time: number;
  /** The value of each series. The same array for every scrape: it holds this one until the next is asked for. */
  readonly values: Float64Array;
}

/** All samples of a workload in memory, 8 bytes each. */
export interface SampleGrid {
  readonly series: number;
  readonly scrapes: number;
  readonly stepMs: number;
  /** One for each scrape, in milliseconds. */
  readonly times: Float64Array;
  /** Series i has the values from i * scrapes on, before (i + 1) * scrapes. */
  readonly values: Float64Array;
}

/** Makes samples scrape by scrape, as they would be collected. Takes memory for one scrape, and none a sample. */
export function* devopsScrapes(options: SampleOptions): Generator<Scrape, void> {
  const { seed, series, scrapes, from = DEVOPS_START_MS, stepMs = DEVOPS_INTERVAL_MS } = options;
  assert(Number.isSafeInteger(scrapes) && scrapes >= 0, `scrapes is a count, got ${scrapes}`);
  assert(Number.isSafeInteger(stepMs) && stepMs > 0, `stepMs is a positive integer, got ${stepMs}`);
  const walk = randomWalk({ seed, series });
  const values = new Float64Array(series);
  for (let i = 0; i < scrapes; i += 1) {
    walk.next(values);
    yield { time: from + i * stepMs, values };
  }
}

/** Makes the same samples at once, series by series: to load column stores with, and to compute answers from. */
export function devopsSamples(options: SampleOptions): SampleGrid {
  const { series, scrapes, stepMs = DEVOPS_INTERVAL_MS } = options;
  const times = new Float64Array(scrapes);
  const values = new Float64Array(series * scrapes);
  let at = 0;
  for (const scrape of devopsScrapes(options)) {
    times[at] = scrape.time;
    for (let i = 0; i < series; i += 1) values[i * scrapes + at] = scrape.values[i]!;
    at += 1;
  }
  return { series, scrapes, stepMs, times, values };
}
