import { equalBytes, type RowBatch } from "@varve/bytes";
import {
  isTaken,
  NO_SERIES,
  StorageError,
  type KeyEncoder,
  type Labels,
  type RowStatus,
} from "@varve/contracts";
import { foreignError, PreparedLabels } from "./prepared.ts";
import type { RefSet } from "./ref-set.ts";
import type { PhaseClock } from "./timing.ts";

/** Rows to write together. Made by `engine.batch`; may be cleared and used again. */
export class UserBatch implements Disposable {
  /** The columns, for callers who fill `refs`, `times` and `values` themselves. */
  readonly rows: RowBatch;
  /** The engine that made it. */
  readonly owner: symbol;
  readonly #encoder: KeyEncoder;
  readonly #clock: PhaseClock | null;
  /** By row, below `#reach`: what was prepared of it. Kept from use to use: an array that is emptied grows anew. */
  readonly #prepared: (PreparedLabels | null)[] = [];
  #reach = 0;
  /** Rows of prepared labels whose ref was not known when they were added. */
  #unresolved = 0;
  #deletions = 0;

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
    this.#reach = 0;
    this.#unresolved = 0;
  }

  /**
   * Before a write: gives rows of prepared labels their keys again whose series has been dropped since they were
   * added. Rows of refs that the caller filled in are his to look after.
   */
  refresh(logged: RefSet): void {
    if (logged.deletions === this.#deletions) return;
    this.#deletions = logged.deletions;
    const { rows } = this;
    const isStale = (row: number): boolean => {
      const prepared = this.#preparedOf(row);
      return (
        prepared !== null && rows.keyAt[row] === rows.keyAt[row + 1] && !logged.has(prepared.ref)
      );
    };
    for (let row = 0; row < rows.length; row += 1) if (isStale(row)) return this.#rebuild(logged);
  }

  /** After a write: lets prepared labels know their refs. */
  rememberRefs(): void {
    if (this.#unresolved === 0) return;
    const { refs, status, keys, keyAt, length } = this.rows;
    for (let row = 0; row < Math.min(length, this.#reach); row += 1) {
      const prepared = this.#prepared[row]!;
      if (prepared === null || prepared.ref !== NO_SERIES || !isTaken(status[row]!)) continue;
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
    this.#setPrepared(rows.length, prepared);
    if (prepared.ref !== NO_SERIES) {
      const row = rows.add(time, value);
      rows.refs[row] = prepared.ref;
      return;
    }
    this.#unresolved += 1;
    prepared.copyKey(rows);
    rows.addKeyed(time, value);
  }

  #setPrepared(row: number, prepared: PreparedLabels | null): void {
    const list = this.#prepared;
    for (let i = this.#reach; i < row; i += 1) list[i] = null; // Rows that came by other ways.
    list[row] = prepared;
    this.#reach = row + 1;
  }

  #preparedOf(row: number): PreparedLabels | null {
    return row < this.#reach ? this.#prepared[row]! : null;
  }

  /** Adds all rows again: keys lie one behind the other, so that none can be put between. */
  #rebuild(logged: RefSet): void {
    const { rows } = this;
    const prepared = Array.from({ length: rows.length }, (_, row) => this.#preparedOf(row));
    const keys = rows.keys.slice(0, rows.keyAt[rows.length]);
    const keyAt = rows.keyAt.slice(0, rows.length + 1);
    const refs = rows.refs.slice(0, rows.length);
    const times = rows.times.slice(0, rows.length);
    const words = rows.valueWords.slice(0, 2 * rows.length);
    this.clear();
    for (let row = 0; row < times.length; row += 1) {
      const labels = prepared[row]!;
      const isStale = labels !== null && !logged.has(labels.ref);
      if (isStale) labels.ref = NO_SERIES;
      const key = isStale ? labels.key : keys.subarray(keyAt[row], keyAt[row + 1]);
      rows.reserveKey(row, key.length);
      rows.keys.set(key, rows.keyAt[row]!);
      rows.add(times[row]!, 0);
      rows.keyAt[row + 1] = rows.keyAt[row]! + key.length;
      rows.refs[row] = key.length > 0 ? NO_SERIES : refs[row]!;
      rows.valueWords[2 * row] = words[2 * row]!;
      rows.valueWords[2 * row + 1] = words[2 * row + 1]!;
      this.#setPrepared(row, labels);
      if (labels?.ref === NO_SERIES) this.#unresolved += 1;
    }
  }
}
