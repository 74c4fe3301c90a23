import type { Labels } from "@varve/contracts";

/** Rows that a reader hands out at once, at most. */
export const ROWS_MAX = 4096;

/** Samples in the order of their lines, as columns. Rows 0 … length-1 are live. */
export interface SampleRows {
  readonly length: number;
  /**
   * Label sets without empty values; the metric's name is `__name__`. Rows of one series share one object as
   * long as the reader remembers it, so a `WeakMap` by label set saves most look-ups. Never changed by the reader.
   */
  readonly labels: readonly Labels[];
  /** Milliseconds since the epoch: safe integers. */
  readonly times: Float64Array;
  /** Raw bits: `NaN` in the input is 7ff8000000000001, as Prometheus has it. */
  readonly values: Float64Array;
  /** The line of the input that each row came from, from 1. */
  readonly lines: Float64Array;
}

/** Rows that are being filled. */
export class RowBuilder implements SampleRows {
  length = 0;
  readonly labels: Labels[] = [];
  readonly times = new Float64Array(ROWS_MAX);
  readonly values = new Float64Array(ROWS_MAX);
  readonly lines = new Float64Array(ROWS_MAX);

  /** Ends the row whose value is already in its place. */
  end(labels: Labels, time: number): void {
    this.labels[this.length] = labels;
    this.times[this.length] = time;
    this.length += 1;
  }
}
