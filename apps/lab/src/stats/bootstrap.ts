import { makeRandom } from "@varve/bytes";
import { median, quantileSorted } from "simple-statistics";

export interface Interval {
  readonly low: number;
  readonly high: number;
}

export interface BootstrapOptions {
  /** Share of resamples inside the interval. Default 0.95. */
  readonly confidence?: number;
  /** Default 2,000. */
  readonly resamples?: number;
  /** Default 1: the same samples always give the same interval. */
  readonly seed?: number;
}

/**
 * The percentile bootstrap interval of median(b) / median(a): both sides are drawn with replacement, independently.
 * Throws RangeError when a side is empty.
 */
export function bootstrapRatio(
  a: readonly number[],
  b: readonly number[],
  options: BootstrapOptions = {},
): Interval {
  const { confidence = 0.95, resamples = 2000, seed = 1 } = options;
  if (a.length === 0 || b.length === 0) throw new RangeError("a ratio needs samples on both sides");
  const random = makeRandom(seed);
  const draw = (from: readonly number[]): number =>
    median(Array.from(from, () => from[random.below(from.length)]!));
  const ratios = Array.from({ length: resamples }, () => draw(b) / draw(a)).sort((x, y) => x - y);
  const tail = (1 - confidence) / 2;
  return { low: quantileSorted(ratios, tail), high: quantileSorted(ratios, 1 - tail) };
}
