import type { Order } from "./works.ts";

/** Rows of one transaction: a sample for each series from <= i < until, all with one time and value: each series once. */
export interface Stretch {
  readonly from: number;
  readonly until: number;
  readonly time: number;
  readonly value: number;
}

/** Some rounds of samples, one for each series. */
export interface Rounds {
  readonly series: number;
  readonly rounds: number;
  readonly order: Order;
  timeOf(round: number): number;
  valueOf(round: number): number;
}

/** Rows of a transaction. */
export const STRETCH_ROWS = 1000;
/** Rounds that a shard does before the next has its turn: promtool's number. */
export const SHARD_ROUNDS = 100;

/** Parts rounds into transactions. */
export function* stretchesOf(all: Rounds): Generator<Stretch> {
  if (all.order === "scrapes") {
    for (let round = 0; round < all.rounds; round += 1) {
      for (const shard of shardsOf(all.series)) yield stretch(all, shard, round);
    }
    return;
  }
  for (let first = 0; first < all.rounds; first += SHARD_ROUNDS) {
    const last = Math.min(all.rounds, first + SHARD_ROUNDS);
    for (const shard of shardsOf(all.series)) {
      for (let round = first; round < last; round += 1) yield stretch(all, shard, round);
    }
  }
}

type Shard = readonly [from: number, until: number];

function* shardsOf(series: number): Generator<Shard> {
  for (let from = 0; from < series; from += STRETCH_ROWS) {
    yield [from, Math.min(series, from + STRETCH_ROWS)];
  }
}

function stretch(all: Rounds, [from, until]: Shard, round: number): Stretch {
  return { from, until, time: all.timeOf(round), value: all.valueOf(round) };
}
