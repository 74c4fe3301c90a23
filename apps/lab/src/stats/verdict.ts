import { bootstrapRatio, type Interval } from "./bootstrap.ts";
import { spreadOf } from "./spread.ts";

/** What a comparison of two sets of rates says about the second. */
export interface Verdict {
  readonly word: "faster" | "slower" | "no difference" | "too few";
  /** median(b) / median(a). */
  readonly ratio: number;
  /** 95 % bootstrap interval of the ratio. */
  readonly interval: Interval;
  /** What the difference had to exceed: the larger relative spread of the two. */
  readonly spread: number;
}

/** Fewest samples a side that a difference can be told from. */
export const SAMPLES_MIN = 3;

/**
 * Says whether rates `b` differ from rates `a`. With r = median(b) / median(a), they differ when both hold:
 *
 * 1. the 95 % percentile bootstrap interval of r (2,000 resamples, seeded) excludes 1;
 * 2. |r - 1| exceeds the larger of the two relative spreads: 1.4826 × MAD / median, or half the range / median
 *    when there are fewer than 5 samples.
 *
 * Otherwise the word is "no difference"; with fewer than 3 samples on a side it is "too few".
 * Of pairs of normal samples that do not differ, it calls 8 % different from 3 a side, 2–3 % from 5 or more.
 */
export function verdict(a: readonly number[], b: readonly number[]): Verdict {
  const left = spreadOf(a);
  const right = spreadOf(b);
  const ratio = right.median / left.median;
  const interval = bootstrapRatio(a, b);
  const spread = Math.max(left.relative, right.relative);
  return { word: wordFor(), ratio, interval, spread };

  function wordFor(): Verdict["word"] {
    if (left.count < SAMPLES_MIN || right.count < SAMPLES_MIN) return "too few";
    const isOutside = interval.low > 1 || interval.high < 1;
    if (!isOutside || Math.abs(ratio - 1) <= spread) return "no difference";
    return ratio > 1 ? "faster" : "slower";
  }
}
