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
