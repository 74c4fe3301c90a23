import type { RowBatch } from "@varve/bytes";
import {
  ACCEPTED,
  BAD_TIME,
  isTaken,
  LATE,
  NO_SERIES,
  OPEN,
  REPEATED,
  type BlockManager,
  type SeriesIndex,
  type SeriesRef,
} from "@varve/contracts";
import type { RefSet } from "./ref-set.ts";
import { unnamedError } from "./row-error.ts";

/** Keeps rows, index and log of one mind about which series there are: marks what is new, and finds the way back. */
export class SeriesLedger {
  readonly #index: SeriesIndex;
  readonly #blocks: BlockManager;
  /** Series that the log knows, or is about to be told. */
  readonly #logged: RefSet;
  readonly #dropped = new Uint32Array(1);
  /** Of the rows that `markNew` saw last: those that carry a series, and whether any is late. */
  newRows = 0;
  hasLate = false;

  constructor(index: SeriesIndex, blocks: BlockManager, logged: RefSet) {
    this.#index = index;
    this.#blocks = blocks;
    this.#logged = logged;
  }

  /**
   * Forgets what an earlier write left in the columns: rows are OPEN, or BAD_TIME. Returns how many name their series by
   * key. Throws INPUT when a row names none.
   */
  begin(rows: RowBatch, count: number): number {
    const { refs, keyAt, isNew, status, times } = rows;
    const logged = this.#logged;
    let keyed = 0;
    for (let row = 0; row < count; row += 1) {
      isNew[row] = 0;
      status[row] = Number.isSafeInteger(times[row]) ? OPEN : BAD_TIME;
      const ref = refs[row]!;
      if (ref !== NO_SERIES && logged.has(ref)) continue;
      if (keyAt[row] === keyAt[row + 1]) throw unnamedError(row, ref);
      refs[row] = NO_SERIES; // From an earlier write: the series has been dropped since.
      keyed += 1;
    }
    return keyed;
  }

  /**
   * Marks the rows that carry a series to the log for the first time, which only `keyed` ones do. Returns how many rows
   * were refused.
   */
  markNew(rows: RowBatch, count: number, keyed: number): number {
    let rejected = 0;
    this.newRows = 0;
    this.hasLate = false;
    const { status: statuses } = rows;
    const accepted = ACCEPTED; // A local copy: V8 loads a module's constants each time.
    for (let row = 0; row < count; row += 1) {
      const status = statuses[row]!;
      if (status === accepted && keyed === 0) continue;
      if (isTaken(status)) {
        const ref = rows.refs[row]!;
        if (status === LATE) this.hasLate = true;
        if (this.#logged.has(ref)) continue;
        rows.isNew[row] = 1;
        this.newRows += 1;
        this.#logged.add(ref);
      } else if (status !== REPEATED) {
        rejected += 1;
      }
    }
    return rejected;
  }

  /** Forgets series that only refused rows had brought. */
  dropRefused(rows: RowBatch, count: number, nextRefBefore: SeriesRef): void {
    for (let row = 0; row < count; row += 1) {
      const ref = rows.refs[row]!;
      if (ref < nextRefBefore || isTaken(rows.status[row]!) || this.#logged.has(ref)) continue;
      this.drop(ref);
      rows.refs[row] = NO_SERIES;
    }
  }

  /** Leaves index, blocks and rows as they were before the rows were placed. */
  takeBack(rows: RowBatch, from: number, until: number, nextRefBefore: SeriesRef): void {
    this.#blocks.withdraw(rows, from, until);
    for (let row = from; row < until; row += 1) {
      const ref = rows.refs[row]!;
      if (rows.isNew[row] === 1) this.#logged.delete(ref);
      rows.isNew[row] = 0;
      rows.status[row] = OPEN;
      if (ref < nextRefBefore) continue;
      this.drop(ref);
      rows.refs[row] = NO_SERIES;
    }
  }

  /** Forgets a series that no accepted row has carried. */
  drop(ref: SeriesRef): void {
    this.#dropped[0] = ref;
    this.#index.drop(this.#dropped, 1);
  }
}
