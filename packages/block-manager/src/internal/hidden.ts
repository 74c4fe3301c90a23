import type { SampleColumns, SeriesRef } from "@varve/contracts";

/** Closed intervals of time as pairs, in order and disjoint: `[min, max, min, max …]`. Never changed: replaced. */
export type Intervals = readonly number[];

/**
 * What was deleted of series' chunks outside of blocks. New samples are later than what was deleted, and late ones are
 * kept apart, so nothing that comes is hidden. Few series have any: the map is as large as they are many.
 */
export class Hidden {
  readonly #intervals = new Map<SeriesRef, Intervals>();

  get isEmpty(): boolean {
    return this.#intervals.size === 0;
  }

  /** What is hidden of a series; undefined when nothing is. A snapshot: later changes do not show in it. */
  of(ref: SeriesRef): Intervals | undefined {
    return this.#intervals.get(ref);
  }

  hide(ref: SeriesRef, minTime: number, maxTime: number): void {
    this.#intervals.set(ref, unite(this.#intervals.get(ref) ?? [], minTime, maxTime));
  }

  /** Samples of the series below this time are gone from here. */
  forgetBefore(ref: SeriesRef, time: number): void {
    const intervals = this.#intervals.get(ref);
    if (intervals === undefined) return;
    this.#set(ref, subtract(intervals, Number.NEGATIVE_INFINITY, time - 1));
  }

  forget(ref: SeriesRef): void {
    this.#intervals.delete(ref);
  }

  visit(visit: (ref: SeriesRef, minTime: number, maxTime: number) => void): void {
    for (const [ref, intervals] of this.#intervals) {
      for (let i = 0; i < intervals.length; i += 2) visit(ref, intervals[i]!, intervals[i + 1]!);
    }
  }

  #set(ref: SeriesRef, intervals: Intervals): void {
    if (intervals.length === 0) this.#intervals.delete(ref);
    else this.#intervals.set(ref, intervals);
  }
}

/** Whether a time lies in one of the intervals. */
export function contains(intervals: Intervals, time: number): boolean {
  for (let i = 0; i < intervals.length; i += 2) {
    if (time < intervals[i]!) return false;
    if (time <= intervals[i + 1]!) return true;
  }
  return false;
}

/** Takes the samples from `from` on that lie in the intervals out of the columns. */
export function removeHidden(columns: SampleColumns, from: number, intervals: Intervals): void {
  const { times, values, length } = columns;
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length * 2);
  let at = from;
  for (let i = from; i < length; i += 1) {
    if (contains(intervals, times[i]!)) continue;
    times[at] = times[i]!;
    bits[2 * at] = bits[2 * i]!; // By words: a NaN keeps its bits.
    bits[2 * at + 1] = bits[2 * i + 1]!;
    at += 1;
  }
  columns.length = at;
}

function unite(intervals: Intervals, minTime: number, maxTime: number): number[] {
  const united: number[] = [];
  let min = minTime;
  let max = maxTime;
  let isPlaced = false;
  for (let i = 0; i < intervals.length; i += 2) {
    const [low, high] = [intervals[i]!, intervals[i + 1]!];
    if (high < min - 1) united.push(low, high);
    else if (low > max + 1) {
      if (!isPlaced) united.push(min, max);
      isPlaced = true;
      united.push(low, high);
    } else {
      min = Math.min(min, low);
      max = Math.max(max, high);
    }
  }
  if (!isPlaced) united.push(min, max);
  return united;
}

function subtract(intervals: Intervals, minTime: number, maxTime: number): number[] {
  const rest: number[] = [];
  for (let i = 0; i < intervals.length; i += 2) {
    const [low, high] = [intervals[i]!, intervals[i + 1]!];
    if (low < minTime) rest.push(low, Math.min(high, minTime - 1));
    if (high > maxTime) rest.push(Math.max(low, maxTime + 1), high);
  }
  return rest;
}
