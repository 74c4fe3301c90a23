import type { SampleColumns } from "@varve/contracts";

/** Keeps of the samples from `first` on those with from <= time < until. They are in order. */
export function clip(into: SampleColumns, first: number, from: number, until: number): void {
  const { times, values, length } = into;
  const low = lowerBound(times, first, length, from);
  const high = lowerBound(times, low, length, until);
  if (low > first) {
    times.copyWithin(first, low, high);
    values.copyWithin(first, low, high); // A byte copy, so that NaNs keep their bits.
  }
  into.length = first + high - low;
}

/** Removes of the samples from `first` on those inside the ranges: first and last time in turn, ascending and apart. */
export function removeRanges(into: SampleColumns, first: number, ranges: Float64Array): void {
  const { times, values, length } = into;
  let kept = first;
  let at = first;
  for (let i = 0; i < ranges.length && at < length; i += 2) {
    const low = lowerBound(times, at, length, ranges[i]!);
    if (kept < at) {
      times.copyWithin(kept, at, low);
      values.copyWithin(kept, at, low);
    }
    kept += low - at;
    at = lowerBound(times, low, length, ranges[i + 1]! + 1);
  }
  if (kept < at) {
    times.copyWithin(kept, at, length);
    values.copyWithin(kept, at, length);
  }
  into.length = kept + length - at;
}

/** The first place in from … until-1 whose time is not below `time`, or `until`. */
export function lowerBound(times: Float64Array, from: number, until: number, time: number): number {
  let low = from;
  let high = until;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (times[middle]! < time) low = middle + 1;
    else high = middle;
  }
  return low;
}
