import { equalBytes, type RowBatch } from "@varve/bytes";
import {
  ACCEPTED,
  NO_SERIES,
  StorageError,
  type KeyEncoder,
  type Labels,
  type RowStatus,
} from "@varve/contracts";
import { foreignError, PreparedLabels } from "./prepared.ts";
import type { PhaseClock } from "./timing.ts";

/** Rows to write together. Made by `engine.batch`; may be cleared and used again. */
export class UserBatch implements Disposable {
  /** The columns, for callers who fill `refs`, `times` and `values` themselves. */
  readonly rows: RowBatch;
  /** The engine that made it. */
  readonly owner: symbol;
  readonly #encoder: KeyEncoder;
  readonly #clock: PhaseClock | null;
  readonly #prepared: (PreparedLabels | null)[] = [];

  constructor(rows: RowBatch, encoder: KeyEncoder, clock: PhaseClock | null, owner: symbol) {
    this.rows = rows;
    this.owner = owner;
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

  /** Adds a row. Throws LABELS, LIMIT when it is full, or INPUT for foreign labels, leaving the batch as it was. */
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
    const { refs, status, keys, keyAt, length } = this.rows;
    for (let row = 0; row < Math.min(length, this.#prepared.length); row += 1) {
      const prepared = this.#prepared[row];
      if (!prepared || prepared.ref !== NO_SERIES || status[row] !== ACCEPTED) continue;
      // The caller may have put other rows into the columns.
      const { key } = prepared;
      if (equalBytes(keys, keyAt[row]!, keyAt[row + 1]!, key, 0, key.length))
        prepared.ref = refs[row]!;
    }
  }

  [Symbol.dispose](): void {
    this.rows.dispose();
  }

  #addPrepared(prepared: PreparedLabels, time: number, value: number): void {
    const { rows } = this;
    if (prepared.owner !== this.owner) throw foreignError("labels");
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
