import type { RowBatch } from "@varve/bytes";
import { NO_SERIES, StorageError, type Labels, type SeriesRef } from "@varve/contracts";

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
  /** The engine that prepared it: refs mean nothing to any other. */
  readonly owner: symbol;

  constructor(labels: Labels, key: Uint8Array, owner: symbol) {
    this.labels = labels;
    this.key = key;
    this.owner = owner;
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

/** The error for labels or a batch that another engine made, an earlier opening of the same directory included. */
export function foreignError(what: "labels" | "batch"): StorageError {
  return new StorageError(
    "INPUT",
    `the ${what} belong to another engine, whose refs name other series here; nothing was written; ` +
      "make them with the engine that is written to",
  );
}
