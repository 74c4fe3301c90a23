import type { RowBatch } from "@varve/bytes";
import { NO_SERIES, type Labels, type SeriesRef } from "@varve/contracts";

/**
 * A label set, checked and encoded once, to write with many times. Its ref is remembered when it is known.
 * Belongs to the engine that prepared it.
 */
export class PreparedLabels {
  readonly labels: Labels;
  /** The canonical key. */
  readonly key: Uint8Array;
  /** Known after the first accepted write; the engine owns it. */
  ref: SeriesRef = NO_SERIES;

  constructor(labels: Labels, key: Uint8Array) {
    this.labels = labels;
    this.key = key;
  }

  /** Puts the key into the row that is about to be added. */
  copyKey(rows: RowBatch): void {
    const row = rows.length;
    rows.reserveKey(row, this.key.length);
    const at = rows.keyAt[row]!;
    rows.keys.set(this.key, at);
    rows.keyAt[row + 1] = at + this.key.length;
  }
}
