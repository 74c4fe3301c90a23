import { assert } from "@varve/contracts";
import { wordAt } from "./draw.ts";

/** Time between two samples of a series in the devops workload, in milliseconds. */
export const DEVOPS_INTERVAL_MS = 10_000;

/** Where the devops workload's time starts, as TSBS' does: 2016-01-01 UTC, in milliseconds. */
export const DEVOPS_START_MS = Date.UTC(2016, 0, 1);

export interface WalkOptions {
  /** A safe integer. The same seed gives the same walks. */
  readonly seed: number;
  /** How many walks there are, one for each series. */
  readonly series: number;
}

/** Values of many series, a scrape at a time. */
export interface Walk {
  readonly series: number;
  /** Writes the next value of each series to `into`, from `at` on. */
  next(into: Float64Array, at?: number): void;
}

/**
 * Walks as TSBS' cpu fields do: from anywhere in 0 … 100, by steps drawn from N(0, 1), clamped to
 * 0 … 100, and told as integers.
 */
export function randomWalk({ seed, series }: WalkOptions): Walk {
  assert(Number.isSafeInteger(series) && series >= 0, `series is a count, got ${series}`);
  return new ClampedWalk(seed, series);
}

/** Draws from here on belong to walks; those of hosts stay far below. */
const FIRST_DRAW = 2 ** 50;

class ClampedWalk implements Walk {
  readonly series: number;
  /** Where each walk is, before rounding. */
  readonly #states: Float64Array;
  readonly #seed: number;
  #drawn = FIRST_DRAW;
  /** The second draw of a pair that the polar method makes at once, or NaN. */
  #spare = Number.NaN;

  constructor(seed: number, series: number) {
    this.series = series;
    this.#seed = seed;
    this.#states = new Float64Array(series);
    for (let i = 0; i < series; i += 1) this.#states[i] = this.#unit() * 100;
  }

  next(into: Float64Array, at = 0): void {
    const states = this.#states;
    assert(at + states.length <= into.length, `${states.length} values fit behind ${at}`);
    for (let i = 0; i < states.length; i += 1) {
      const state = Math.min(100, Math.max(0, states[i]! + this.#normal()));
      states[i] = state;
      into[at + i] = Math.floor(state);
    }
  }

  #unit(): number {
    this.#drawn += 1;
    return wordAt(this.#seed, this.#drawn) / 2 ** 32;
  }

  /** Marsaglia's polar method: two draws at a time. */
  #normal(): number {
    const spare = this.#spare;
    if (!Number.isNaN(spare)) {
      this.#spare = Number.NaN;
      return spare;
    }
    for (;;) {
      const x = this.#unit() * 2 - 1;
      const y = this.#unit() * 2 - 1;
      const square = x * x + y * y;
      if (square === 0 || square >= 1) continue;
      const factor = Math.sqrt((-2 * Math.log(square)) / square);
      this.#spare = y * factor;
      return x * factor;
    }
  }
}
