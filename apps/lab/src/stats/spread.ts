import { max, median, medianAbsoluteDeviation, min } from "simple-statistics";

/** The middle of some samples, and how far they lie apart. */
export interface Spread {
  readonly count: number;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** Median absolute deviation from the median. */
  readonly mad: number;
  /**
   * The spread as a share of the median: `MAD_SCALE` times `mad`, which outliers do not move; for fewer than
   * `MAD_SAMPLES_MIN` samples half their range, since two of so few lie close together by chance.
   */
  readonly relative: number;
}

/** Makes a median absolute deviation estimate the standard deviation of a normal distribution. */
export const MAD_SCALE = 1.4826;

/** Fewest samples whose median absolute deviation says something. */
export const MAD_SAMPLES_MIN = 5;

/** Summarises samples, of which there is at least one. Throws RangeError when there is none. */
export function spreadOf(samples: readonly number[]): Spread {
  if (samples.length === 0) throw new RangeError("a spread needs at least one sample");
  const values = [...samples];
  const middle = median(values);
  const mad = medianAbsoluteDeviation(values);
  const [low, high] = [min(values), max(values)];
  const deviation = values.length < MAD_SAMPLES_MIN ? (high - low) / 2 : MAD_SCALE * mad;
  return {
    count: values.length,
    median: middle,
    min: low,
    max: high,
    mad,
    relative: middle === 0 ? 0 : deviation / Math.abs(middle),
  };
}
