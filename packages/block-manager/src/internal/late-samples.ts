import {
  CONFLICT,
  LATE,
  REPEATED,
  type Lsn,
  type RowStatus,
  type SampleColumns,
  type SeriesRef,
} from "@varve/contracts";
import { makeColumns } from "@varve/bytes";

/** Samples that came out of order, by series, each in time order: few, in memory and in the log until they are cut. */
export class LateSamples {
  /** Samples held. */
  count = 0;
  /** The batch that brought the first of them; infinite without any. */
  firstLsn: Lsn = Number.POSITIVE_INFINITY;
  readonly #series = new Map<SeriesRef, LateSeries>();

  /** What becomes of a row that comes late: LATE, or REPEATED or CONFLICT where there is a late sample already. */
  decide(ref: SeriesRef, time: number, low: number, high: number): RowStatus {
    return this.#series.get(ref)?.decide(time, low, high) ?? LATE;
  }

  /** Takes a sample in. Where there is one at its time, that one stays. */
  add(ref: SeriesRef, time: number, low: number, high: number, lsn: Lsn): void {
    let series = this.#series.get(ref);
    if (series === undefined) {
      series = new LateSeries();
      this.#series.set(ref, series);
    }
    if (!series.add(time, low, high)) return;
    this.count += 1;
    this.firstLsn = Math.min(this.firstLsn, lsn);
  }

  has(ref: SeriesRef): boolean {
    return this.#series.has(ref);
  }

  /** Refs that have samples, ascending: of the whole, or of from <= time < until. */
  refs(from = Number.NEGATIVE_INFINITY, until = Number.POSITIVE_INFINITY): number[] {
    const refs: number[] = [];
    for (const [ref, { samples }] of this.#series) {
      const at = lowerBound(samples, from);
      if (at < samples.length && samples.times[at]! < until) refs.push(ref);
    }
    return refs.toSorted((a, b) => a - b);
  }

  /** The lowest time of all samples that is not below `from`; infinite without any. */
  firstTime(from = Number.NEGATIVE_INFINITY): number {
    let first = Number.POSITIVE_INFINITY;
    for (const { samples } of this.#series.values()) {
      const at = lowerBound(samples, from);
      if (at < samples.length) first = Math.min(first, samples.times[at]!);
    }
    return first;
  }

  /** Appends a series' samples with from <= time < until. */
  read(ref: SeriesRef, from: number, until: number, into: SampleColumns): void {
    const samples = this.#series.get(ref)?.samples;
    if (samples === undefined) return;
    copySamples(samples, from, until, into);
  }

  /** Takes a series' samples with minTime <= time <= maxTime out. */
  remove(ref: SeriesRef, minTime: number, maxTime: number): void {
    const series = this.#series.get(ref);
    if (series === undefined) return;
    this.count -= series.remove(minTime, maxTime);
    if (series.samples.length === 0) this.#series.delete(ref);
  }

  /** A copy of a series' samples that no later one shows in, or undefined when there are none. */
  snapshot(ref: SeriesRef): SampleColumns | undefined {
    const samples = this.#series.get(ref)?.samples;
    if (samples === undefined) return undefined;
    const copy = makeColumns({ capacity: samples.length });
    copySamples(samples, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, copy);
    return copy;
  }

  /** Takes all samples of `other` in that are not here. */
  addAll(other: LateSamples): void {
    for (const ref of other.#series.keys()) this.addOf(other, ref);
  }

  /** The same for one series. */
  addOf(other: LateSamples, ref: SeriesRef): void {
    const series = other.#series.get(ref);
    if (series === undefined) return;
    const { samples, bits } = series;
    for (let i = 0; i < samples.length; i += 1) {
      this.add(ref, samples.times[i]!, bits[2 * i]!, bits[2 * i + 1]!, other.firstLsn);
    }
  }
}

/** Appends samples with from <= time < until of columns in time order. */
export function copySamples(
  samples: SampleColumns,
  from: number,
  until: number,
  into: SampleColumns,
): void {
  const low = lowerBound(samples, from);
  const high = lowerBound(samples, until);
  if (high <= low) return;
  into.reserve(high - low);
  into.times.set(samples.times.subarray(low, high), into.length);
  into.values.set(samples.values.subarray(low, high), into.length); // A byte copy: NaNs keep their bits.
  into.length += high - low;
}

class LateSeries {
  readonly samples = makeColumns({ capacity: 8 });
  /** The same bytes as the samples' values: two words each. */
  bits = wordsOf(this.samples);

  decide(time: number, low: number, high: number): RowStatus {
    const at = lowerBound(this.samples, time);
    if (at === this.samples.length || this.samples.times[at] !== time) return LATE;
    return this.bits[2 * at] === low && this.bits[2 * at + 1] === high ? REPEATED : CONFLICT;
  }

  add(time: number, low: number, high: number): boolean {
    const { samples } = this;
    const at = lowerBound(samples, time);
    if (at < samples.length && samples.times[at] === time) return false;
    const before = samples.values;
    samples.reserve(1);
    if (samples.values !== before) this.bits = wordsOf(samples);
    samples.times.copyWithin(at + 1, at, samples.length);
    this.bits.copyWithin(2 * at + 2, 2 * at, 2 * samples.length);
    samples.times[at] = time;
    this.bits[2 * at] = low;
    this.bits[2 * at + 1] = high;
    samples.length += 1;
    return true;
  }

  remove(minTime: number, maxTime: number): number {
    const { samples, bits } = this;
    const low = lowerBound(samples, minTime);
    const high = lowerBound(samples, maxTime + 1);
    samples.times.copyWithin(low, high, samples.length);
    bits.copyWithin(2 * low, 2 * high, 2 * samples.length);
    samples.length -= high - low;
    return high - low;
  }
}

function wordsOf({ values }: SampleColumns): Int32Array {
  return new Int32Array(values.buffer, values.byteOffset, values.length * 2);
}

/** Where the first sample lies that is not before this time. */
function lowerBound({ times, length }: SampleColumns, time: number): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (times[middle]! < time) low = middle + 1;
    else high = middle;
  }
  return low;
}
