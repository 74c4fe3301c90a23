import type { SampleColumns } from "@varve/contracts";

/** Makes empty sample columns that double when they are full. */
export function makeColumns(options: { readonly capacity?: number } = {}): SampleColumns {
  const { capacity = 128 } = options;
  return new GrowingColumns(capacity);
}

class GrowingColumns implements SampleColumns {
  times: Float64Array;
  values: Float64Array;
  length = 0;

  constructor(capacity: number) {
    this.times = new Float64Array(capacity);
    this.values = new Float64Array(capacity);
  }

  reserve(more: number): void {
    const wanted = this.length + more;
    if (wanted <= this.times.length) return;
    const capacity = Math.max(this.times.length * 2, wanted);
    const times = new Float64Array(capacity);
    const values = new Float64Array(capacity);
    times.set(this.times.subarray(0, this.length));
    values.set(this.values.subarray(0, this.length)); // Same element type: a byte copy, so NaNs keep their bits.
    this.times = times;
    this.values = values;
  }
}

/**
 * Merges two runs of samples that lie one behind the other, `from … middle-1` and `middle … length-1`, each in strictly
 * increasing time, into one. Where both have a sample at the same time, the first run's stays.
 */
export function mergeRuns(columns: SampleColumns, from: number, middle: number): void {
  const { times, values, length } = columns;
  if (middle === from || middle === length || times[middle - 1]! < times[middle]!) return;
  const count = middle - from;
  const firstTimes = times.slice(from, middle);
  const firstValues = values.slice(from, middle); // Byte copies, so NaNs keep their bits.
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length * 2);
  const firstBits = new Int32Array(firstValues.buffer);
  let at = from;
  let first = 0;
  let second = middle;
  while (first < count || second < length) {
    const isFirst = second >= length || (first < count && firstTimes[first]! <= times[second]!);
    const time = isFirst ? firstTimes[first]! : times[second]!;
    const source = isFirst ? firstBits : bits;
    const place = isFirst ? first : second;
    if (isFirst && second < length && times[second] === time) second += 1;
    times[at] = time;
    bits[2 * at] = source[2 * place]!;
    bits[2 * at + 1] = source[2 * place + 1]!;
    at += 1;
    if (isFirst) first += 1;
    else second += 1;
  }
  columns.length = at;
}
