/** Samples as two columns that grow. `length` samples are live; arrays may be replaced by `reserve`. */
export interface SampleColumns {
  times: Float64Array;
  values: Float64Array;
  length: number;
  /** Makes room for `more` samples beyond `length`. */
  reserve(more: number): void;
}
