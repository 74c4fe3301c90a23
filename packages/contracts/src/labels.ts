/**
 * The labels that name a series: `{ __name__: "cpu", host: "a" }`.
 *
 * Own enumerable properties count. Order does not matter; an empty value is the same as no label.
 */
export type Labels = Readonly<Record<string, string>>;

/** Bounds that a label set has to keep. Sizes are UTF-8 bytes. */
export interface LabelLimits {
  /** Labels in a set, after empty values are dropped. */
  readonly labelsMax: number;
  readonly nameBytesMax: number;
  readonly valueBytesMax: number;
}

/** The default bounds: 64 labels, names of 256 bytes, values of 4 KiB. */
export const LABEL_LIMITS: LabelLimits = { labelsMax: 64, nameBytesMax: 256, valueBytesMax: 4096 };

/** Ends a name and a value in a canonical key. It cannot occur in UTF-8. */
export const KEY_SEPARATOR = 0xff;
