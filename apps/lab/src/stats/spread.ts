import { max, median, medianAbsoluteDeviation, min } from "simple-statistics";

/** The middle of some samples, and how far they lie apart. */
export interface Spread {
  readonly count: number;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** Median absolute deviation from the median. */
  readonly mad: number;
  /** `MAD_SCALE` times `mad` as a share of the median: a deviation that outliers do not move. */
  readonly relative: number;
}

/** Makes a median absolute deviation estimate the standard deviation of a normal distribution. */
export const MAD_SCALE = 1.4826;

/** Summarises samples, of which there is at least one. Throws RangeError when there is none. */
export function spreadOf(samples: readonly number[]): Spread {
  if (samples.length === 0) throw new RangeError("a spread needs at least one sample");
  const values = [...samples];
  const middle = median(values);
  const mad = medianAbsoluteDeviation(values);
  return {
    count: values.length,
    median: middle,
    min: min(values),
    max: max(values),
    mad,
    relative: middle === 0 ? 0 : (MAD_SCALE * mad) / Math.abs(middle),
  };
}
