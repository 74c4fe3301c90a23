import { count, micros, percent, rate, ratio } from "../report/format.ts";
import type { Spread } from "../stats/spread.ts";
import type { Verdict } from "../stats/verdict.ts";

/** A median rate with its smallest and largest sample: `27.3 K/s [25.1 K–28.4 K]`. */
export function spreadText(spread: Spread): string {
  return `${rate(spread.median)} [${count(spread.min)}–${count(spread.max)}]`;
}

/** `4.27x, faster`, or what else there is to say of a comparison. */
export function gainText(gain: Verdict): string {
  return `${ratio(gain.ratio)}, ${gain.word}`;
}

/** A time given in nanoseconds. */
export function nanosText(nanos: number): string {
  return micros(nanos / 1000);
}

/** A share given in percent. */
export function percentText(value: number): string {
  return percent(value / 100);
}

/** A whole number, its digits in groups of three. */
export function countText(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}
