import { makeBatch, type RowBatch } from "@varve/bytes";
import {
  BAD_TIME,
  isTaken,
  LATE,
  LIMIT,
  NO_SERIES,
  OPEN,
  REPEATED,
  isStorageError,
  type Labels,
  type Lsn,
  type RowStatus,
} from "@varve/contracts";
import type { Parts } from "./parts.ts";
import type { PreparedLabels } from "./prepared.ts";
import { encodeLate } from "./records.ts";
import type { RefSet } from "./ref-set.ts";
import { rowError } from "./row-error.ts";
import { SeriesLedger } from "./series-ledger.ts";
import type { PhaseClock } from "./timing.ts";
import { phase } from "./timing.ts";

/** What became of a written batch. Each row's own answer is in its status column. */
export interface BatchResult {
  readonly lsn: Lsn;
  /** Rows that were accepted, those that repeat the last sample included. */
  readonly accepted: number;
  readonly rejected: number;
}

export interface WriterOptions {
  readonly rowsPerClose: number;
  readonly newRowsPerClose: number;
  readonly closeDelayMs: number;
}

/** Share of the memory above which no new series are taken, so that existing ones keep room to be sealed. */
const NEW_SERIES_SHARE = 0.95;

/** After the log refused a closing, the next try without a call comes after this long. */
const RETRY_MS = 1000;

const LIMITS = phase("limits");

/**
 * The write path: validate, then log, then apply.
 *
 * A single write is a row of the open batch: found, checked and accepted or refused at once, logged and
 * applied when the batch closes. Nothing here awaits.
 */
export class Writer {
  readonly #parts: Parts;
  readonly #logged: RefSet;
  readonly #clock: PhaseClock | null;
  readonly #rowsPerClose: number;
  readonly #newRowsPerClose: number;
  readonly #closeDelayMs: number;
  readonly #open: RowBatch;
  readonly #ledger: SeriesLedger;
  readonly #bytesForNew: number;
  /** Rows of the open batch that carry a new series, and whether any row of it is late. */
  #newRows = 0;
  #hasLate = false;
  #timer: NodeJS.Timeout | null = null;
  /** The timer waits to try a closing again that failed. */
  #isRetrying = false;

  constructor(parts: Parts, logged: RefSet, clock: PhaseClock | null, options: WriterOptions) {
    this.#parts = parts;
    this.#logged = logged;
    this.#clock = clock;
    this.#rowsPerClose = options.rowsPerClose;
    this.#newRowsPerClose = options.newRowsPerClose;
    this.#closeDelayMs = options.closeDelayMs;
    this.#open = makeBatch(parts.memory, options.rowsPerClose);
    this.#ledger = new SeriesLedger(parts.index, parts.blocks, logged);
    this.#bytesForNew = parts.memory.bytesMax * NEW_SERIES_SHARE;
  }

  /** Rows that are accepted and not yet logged. */
  get rowsOpen(): number {
    return this.#open.length;
  }

  write(labels: Labels, time: number, value: number): void {
    const rows = this.#open;
    if (!Number.isSafeInteger(time)) throw rowError(BAD_TIME, labels, time);
    if (rows.length === rows.capacity) this.close(); // An earlier closing failed.
    this.#clock?.beginPlacing(1);
    this.#parts.encoder.encode(labels, rows, rows.length);
    const row = rows.addKeyed(time, value);
    const status = this.#place(row);
    this.#finishRow(row, status, labels, time);
  }

  writePrepared(prepared: PreparedLabels, time: number, value: number): void {
    const rows = this.#open;
    if (!Number.isSafeInteger(time)) throw rowError(BAD_TIME, prepared.labels, time);
    if (rows.length === rows.capacity) this.close();
    this.#clock?.beginPlacing(1);
    let row: number;
    if (prepared.ref !== NO_SERIES && this.#logged.has(prepared.ref)) {
      row = rows.add(time, value);
      rows.refs[row] = prepared.ref;
    } else {
      prepared.copyKey(rows);
      row = rows.addKeyed(time, value);
    }
    const status = this.#place(row);
    const ref = rows.refs[row]!;
    this.#finishRow(row, status, prepared.labels, time);
    prepared.ref = ref; // Only now: a row that is taken back may take its series with it.
  }

  writeBatch(rows: RowBatch): BatchResult {
    const parts = this.#parts;
    const count = rows.length;
    parts.locks.acquire();
    let nextRefBefore = 0;
    try {
      this.#closeOpen();
      const keyed = this.#ledger.begin(rows, count);
      nextRefBefore = parts.index.nextRef;
      this.#clock?.beginPlacing(count);
      if (keyed > 0) {
        parts.hasher.hash(rows, 0, count);
        parts.index.find(rows, 0, count);
        if (parts.memory.bytesTaken > this.#bytesForNew) this.#refuseNew(rows, count);
        parts.index.insert(rows, 0, count);
      }
      parts.blocks.admit(rows, 0, count);
      const rejected = this.#ledger.markNew(rows, count, keyed);
      this.#clock?.end();
      if (rejected > 0) this.#ledger.dropRefused(rows, count, nextRefBefore);
      const lsn = this.#logAndApply(rows, this.#ledger.newRows, this.#ledger.hasLate);
      return { lsn, accepted: count - rejected, rejected };
    } catch (error) {
      if (nextRefBefore > 0) this.#ledger.takeBack(rows, 0, count, nextRefBefore);
      throw error;
    } finally {
      parts.locks.release();
    }
  }

  /** Closes the open batch: logs and applies its rows. When the log refuses, they stay accepted and open. */
  close(): Lsn {
    this.#parts.locks.acquire();
    try {
      return this.#closeOpen();
    } finally {
      this.#parts.locks.release();
    }
  }

  /** Stops the timer. The open batch is the caller's to close first. */
  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#isRetrying = false;
  }

  /** Takes the lock and places a row. When a part throws, there is no row, and the lock is free. */
  #place(row: number): RowStatus {
    const rows = this.#open;
    this.#parts.locks.acquire();
    try {
      if (rows.refs[row] === NO_SERIES) return this.#placeKeyed(row);
      this.#parts.blocks.admit(rows, row, row + 1);
      return rows.status[row]!;
    } catch (error) {
      const ref = rows.refs[row]!;
      rows.length = row;
      try {
        if (ref !== NO_SERIES && !this.#logged.has(ref)) this.#ledger.drop(ref);
      } finally {
        this.#parts.locks.release();
      }
      throw error;
    }
  }

  /** Finds or makes the row's series, and lets the block manager decide. Runs under the lock. */
  #placeKeyed(row: number): RowStatus {
    const rows = this.#open;
    const { hasher, index, blocks, memory } = this.#parts;
    hasher.hash(rows, row, row + 1);
    index.find(rows, row, row + 1);
    const isUnknown = rows.refs[row] === NO_SERIES;
    if (isUnknown) {
      if (memory.bytesTaken > this.#bytesForNew) return LIMIT;
      index.insert(rows, row, row + 1);
      if (rows.status[row] !== OPEN) return rows.status[row]!;
    }
    blocks.admit(rows, row, row + 1);
    const status = rows.status[row]!;
    const ref = rows.refs[row]!;
    if (isTaken(status)) {
      if (!this.#logged.has(ref)) {
        rows.isNew[row] = 1;
        this.#newRows += 1;
        this.#logged.add(ref);
      }
    } else if (isUnknown) {
      this.#ledger.drop(ref);
    }
    return status;
  }

  /** Keeps or drops a placed row, closes the batch when it is full, and gives the lock back. */
  #finishRow(row: number, status: RowStatus, series: unknown, time: number): void {
    const rows = this.#open;
    this.#clock?.end();
    if (!isTaken(status)) {
      rows.length = row;
      this.#parts.locks.release();
      if (status !== REPEATED) throw rowError(status, series, time);
      return;
    }
    if (status === LATE) this.#hasLate = true;
    if (rows.length >= this.#rowsPerClose || this.#newRows >= this.#newRowsPerClose) {
      this.#closeFull(row);
    } else if (this.#timer === null) this.#arm();
    this.#parts.locks.release();
  }

  /** Closes after a row that filled the batch; when the log refuses, that row was not written. */
  #closeFull(row: number): void {
    try {
      this.#closeOpen();
    } catch (error) {
      const rows = this.#open;
      // Its series is new when the row carries it and no other row does: withdrawing it forgets the series.
      const isNew = rows.isNew[row] === 1;
      const nextRefBefore = isNew ? rows.refs[row]! : Number.POSITIVE_INFINITY;
      if (isNew) this.#newRows -= 1;
      try {
        this.#ledger.takeBack(rows, row, row + 1, nextRefBefore);
      } finally {
        rows.length = row;
        if (row > 0 && this.#timer === null) this.#arm();
        this.#parts.locks.release();
      }
      throw error;
    }
  }

  #closeOpen(): Lsn {
    const rows = this.#open;
    if (rows.length === 0) return this.#parts.wal.accepted;
    const lsn = this.#logAndApply(rows, this.#newRows, this.#hasLate);
    rows.clear();
    this.#newRows = 0;
    this.#hasLate = false;
    if (this.#isRetrying) this.stop();
    return lsn;
  }

  #logAndApply(rows: RowBatch, newRows: number, hasLate: boolean): Lsn {
    const { codec, wal, blocks, postings } = this.#parts;
    this.#clock?.beginClosing(rows.length);
    try {
      if (hasLate) this.#encodeLateSeries(rows);
      codec.encode(rows, 0, rows.length, wal.buffer);
      if (hasLate) encodeLate(rows, wal.buffer);
    } catch (error) {
      wal.buffer.clear(); // Half a batch must not go before the next.
      throw error;
    }
    const lsn = wal.append();
    if (newRows > 0) postings.add(rows, 0, rows.length);
    blocks.append(rows, 0, rows.length, lsn);
    this.#clock?.end();
    return lsn;
  }

  /** Logs series that a late row brought: codecs log those of accepted rows. */
  #encodeLateSeries(rows: RowBatch): void {
    const { codec, wal } = this.#parts;
    const { status, isNew, refs, keys, keyAt, length } = rows;
    for (let row = 0; row < length; row += 1) {
      if (status[row] !== LATE || isNew[row] === 0) continue;
      codec.encodeSeries(refs[row]!, keys, keyAt[row]!, keyAt[row + 1]!, wal.buffer);
    }
  }

  /** Memory is almost full: rows of series that are not known are refused. */
  #refuseNew(rows: RowBatch, count: number): void {
    const timed = this.#clock?.active === true;
    if (timed) this.#clock!.enter(LIMITS);
    const { refs, status } = rows;
    for (let row = 0; row < count; row += 1) {
      if (status[row] === OPEN && refs[row] === NO_SERIES) status[row] = LIMIT;
    }
    if (timed) this.#clock!.leave();
  }

  #arm(delayMs = this.#closeDelayMs): void {
    this.#timer = setTimeout(() => {
      this.#timer = null;
      try {
        this.close();
      } catch (error) {
        // The rows stay open. The next write, flush or close meets the same failure and throws it.
        if (isStorageError(error, "POISONED")) return;
        this.#arm(Math.max(RETRY_MS, this.#closeDelayMs));
        this.#isRetrying = true;
      }
    }, delayMs);
    this.#timer.unref();
  }
}
