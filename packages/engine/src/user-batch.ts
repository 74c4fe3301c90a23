import type { RowBatch } from "@varve/bytes";
import {
  ACCEPTED,
  NO_SERIES,
  StorageError,
  type KeyEncoder,
  type Labels,
  type RowStatus,
} from "@varve/contracts";
import { PreparedLabels } from "./prepared.ts";
import type { PhaseClock } from "./timing.ts";

/** Rows to write together. Made by `engine.batch`; may be cleared and used again. */
export class UserBatch implements Disposable {
  /** The columns, for callers who fill `refs`, `times` and `values` themselves. */
  readonly rows: RowBatch;
  readonly #encoder: KeyEncoder;
  readonly #clock: PhaseClock | null;
  readonly #prepared: (PreparedLabels | null)[] = [];

  constructor(rows: RowBatch, encoder: KeyEncoder, clock: PhaseClock | null) {
    this.rows = rows;
    this.#encoder = encoder;
    this.#clock = clock;
  }

  get length(): number {
    return this.rows.length;
  }

  /** What became of a row at the last `writeBatch`. */
  status(row: number): RowStatus {
    return this.rows.status[row]!;
  }

  /** Adds a row. Throws LABELS, leaving the batch as it was, or LIMIT when it is full. */
  add(labels: Labels | PreparedLabels, time: number, value: number): void {
    const { rows } = this;
    if (rows.length === rows.capacity) {
      throw new StorageError(
        "LIMIT",
        `the batch holds its ${rows.capacity} rows: write and clear it`,
        {
          facts: { limit: "capacity", value: rows.length + 1, max: rows.capacity },
        },
      );
    }
    if (labels instanceof PreparedLabels) return this.#addPrepared(labels, time, value);
    this.#clock?.beginEncoding();
    this.#encoder.encode(labels, rows, rows.length);
    this.#clock?.end();
    rows.addKeyed(time, value);
  }

  /** Empties the batch. */
  clear(): void {
    this.rows.clear();
    this.#prepared.length = 0;
  }

  /** After a write: lets prepared labels know their refs. */
  rememberRefs(): void {
    const { refs, status } = this.rows;
    for (let row = 0; row < this.#prepared.length; row += 1) {
      const prepared = this.#prepared[row];
      if (prepared && prepared.ref === NO_SERIES && status[row] === ACCEPTED)
        prepared.ref = refs[row]!;
    }
  }

  [Symbol.dispose](): void {
    this.rows.dispose();
  }

  #addPrepared(prepared: PreparedLabels, time: number, value: number): void {
    const { rows } = this;
    if (prepared.ref !== NO_SERIES) {
      const row = rows.add(time, value);
      rows.refs[row] = prepared.ref;
      return;
    }
    prepared.copyKey(rows);
    const row = rows.addKeyed(time, value);
    while (this.#prepared.length < row) this.#prepared.push(null);
    this.#prepared.push(prepared);
  }
}
