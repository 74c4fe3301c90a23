import {
  ACCEPTED,
  BAD_TIME,
  CONFLICT,
  LATE,
  LIMIT,
  OPEN,
  OUT_OF_ORDER,
  REPEATED,
  type ChunkState,
  type Memory,
  type RowStatus,
  type WriteBatch,
} from "@varve/contracts";
import { AdmitKernel } from "./admit-kernel.ts";
import { type ChunkTable, NO_CHUNK } from "./chunk-table.ts";
import type { Late } from "./late.ts";
import type { Settings } from "./options.ts";
import {
  ADMITTED_HIGH,
  ADMITTED_LOW,
  ADMITTED_TIME,
  FLAGS,
  KNOWN,
  NEWEST_CHUNK,
  NO_PAGE,
  SERIES_MASK,
  SERIES_SHIFT,
  type SeriesTable,
  VALUE_UNREAD,
} from "./series-table.ts";
import type { Stock } from "./stock.ts";
import { UndoStack } from "./undo.ts";

/** Fewer rows are done one by one: single writes are, and most of them would stop a kernel at once. */
export const KERNEL_ROWS_MIN = 8;

export interface AdmissionOptions {
  readonly settings: Settings;
  readonly memory: Memory;
  readonly series: SeriesTable;
  readonly chunks: ChunkTable;
  readonly stock: Stock;
  readonly late: Late;
  /** Reads the last value of a series whose last sample lies in `sealed/` to its state; false when it cannot. */
  readValue(page: ChunkState, base: number): boolean;
  /** The allocator is at its bound: gives room for a series' row, or answers false. */
  makeRoom(isKnown: boolean): boolean;
}

/**
 * Decides rows, and takes decisions back. For every row that waits to be applied it holds back one region of the first size
 * and one descriptor of a chunk: a row starts at most one chunk.
 */
export class Admission {
  /** Rows below this time are in blocks, or about to be: they come late. */
  cutTime = Number.NEGATIVE_INFINITY;
  /** The highest time applied. */
  newestTime = Number.NEGATIVE_INFINITY;
  /** Rows come from the log, which decided about them once. */
  isReplaying = false;
  readonly #options: AdmissionOptions;
  readonly #undo: UndoStack;
  readonly #kernel: AdmitKernel | null;
  /** Rows that regions and descriptors in hand suffice for. */
  #ready = 0;

  constructor(options: AdmissionOptions) {
    const { memory, series, settings } = options;
    this.#options = options;
    this.#undo = new UndoStack(memory);
    this.#kernel = settings.kernel ? new AdmitKernel(memory, series, this.#undo) : null;
  }

  /** Whether a row is admitted and not applied. */
  get hasWaiting(): boolean {
    return this.#undo.top > 0 || this.#options.late.waiting > 0;
  }

  admit(batch: WriteBatch, from: number, until: number): void {
    const kernel = this.#kernel;
    if (kernel === null || until - from < KERNEL_ROWS_MIN) {
      return this.#admitEach(batch, from, until);
    }
    for (let next = from; next < until; next += 1) {
      next = kernel.admit(batch, next, until, this.cutTime, this.#ready);
      if (next < until) this.#admitEach(batch, next, next + 1);
    }
  }

  #admitEach(batch: WriteBatch, from: number, until: number): void {
    const { refs, times, valueWords, status } = batch;
    const { series } = this.#options;
    const { cutTime } = this;
    const { pages, stride } = series;
    const undo = this.#undo;
    for (let i = from; i < until; i += 1) {
      if (status[i] !== OPEN) continue;
      const time = times[i]!;
      if (!Number.isSafeInteger(time)) {
        status[i] = BAD_TIME;
        continue;
      }
      const index = (refs[i]! - 1) >>> 0;
      const number = index >>> SERIES_SHIFT;
      let page = number < pages.length ? pages[number]! : NO_PAGE;
      if (page === NO_PAGE && (page = this.#newPage(refs[i]!, number)) === NO_PAGE) {
        status[i] = LIMIT;
        continue;
      }
      const { words, doubles } = page;
      const base = (index & SERIES_MASK) * stride;
      const w = base >> 2;
      const d = base >> 3;
      const last = doubles[d + ADMITTED_TIME]!;
      const flags = words[w + FLAGS]!;
      if ((!(time > last) && (flags & KNOWN) !== 0) || time < cutTime) {
        status[i] = this.#decline(page, base, batch, i);
        continue;
      }
      if (undo.top - undo.applied >= this.#ready && !this.#reserve((flags & KNOWN) !== 0)) {
        status[i] = LIMIT;
        continue;
      }
      if (undo.top === undo.capacity && !undo.makeRoom()) {
        status[i] = LIMIT;
        continue;
      }
      undo.push(index + 1, last, words[w + ADMITTED_LOW]!, words[w + ADMITTED_HIGH]!, flags);
      doubles[d + ADMITTED_TIME] = time;
      words[w + ADMITTED_LOW] = valueWords[2 * i]!;
      words[w + ADMITTED_HIGH] = valueWords[2 * i + 1]!;
      words[w + FLAGS] = KNOWN;
      status[i] = ACCEPTED;
    }
  }

  withdraw(batch: WriteBatch, from: number, until: number): void {
    const { refs, status } = batch;
    const { series } = this.#options;
    const undo = this.#undo;
    for (let i = until - 1; i >= from; i -= 1) {
      if (status[i] !== ACCEPTED) {
        if (status[i] !== LATE) continue;
        this.#options.late.waiting -= 1;
        status[i] = OPEN;
        continue;
      }
      const ref = refs[i]!;
      const row = undo.pop(ref);
      const { words, doubles } = series.pageOf(ref);
      const base = series.baseOf(ref);
      doubles[(base >> 3) + ADMITTED_TIME] = undo.time(row);
      words[(base >> 2) + ADMITTED_LOW] = undo.low(row);
      words[(base >> 2) + ADMITTED_HIGH] = undo.high(row);
      words[(base >> 2) + FLAGS] = undo.flags(row);
      status[i] = OPEN;
    }
  }

  /** `count` admitted rows more are applied. */
  applied(count: number): void {
    this.#undo.apply(count);
    this.recount();
  }

  /** What is in hand has changed. */
  recount(): void {
    const { stock, chunks } = this.#options;
    this.#ready = Math.min(stock.length, chunks.free);
  }

  dispose(): void {
    this.#undo.dispose();
  }

  #newPage(ref: number, number: number): ChunkState {
    return ref === 0 ? NO_PAGE : this.#options.series.page(number);
  }

  /** What becomes of a row that is not newer than its series' last sample, or than the newest block. */
  #decline(page: ChunkState, base: number, batch: WriteBatch, row: number): RowStatus {
    const { words, doubles } = page;
    const w = base >> 2;
    const time = batch.times[row]!;
    const low = batch.valueWords[2 * row]!;
    const high = batch.valueWords[2 * row + 1]!;
    const isKnown = (words[w + FLAGS]! & KNOWN) !== 0;
    const isUnread = (words[w + FLAGS]! & VALUE_UNREAD) !== 0;
    const isLost = isUnread && words[w + NEWEST_CHUNK] === NO_CHUNK; // It is in a block by now.
    if (isKnown && time === doubles[(base >> 3) + ADMITTED_TIME]! && !isLost) {
      // What cannot be read cannot be called equal.
      if (isUnread && !this.#options.readValue(page, base)) return CONFLICT;
      const isEqual = words[w + ADMITTED_LOW] === low && words[w + ADMITTED_HIGH] === high;
      return isEqual ? REPEATED : CONFLICT;
    }
    if (this.isReplaying) return OUT_OF_ORDER; // `sealed/` or a block has it.
    const { late } = this.#options;
    if (late.windowMs < 0 || time < this.newestTime - late.windowMs) return OUT_OF_ORDER;
    if (late.isFull) return LIMIT;
    const status = late.decide(batch.refs[row]!, time, low, high);
    if (status === LATE) late.waiting += 1;
    return status;
  }

  /** Sees to it that one row more can start a chunk. Answers false when memory is full. */
  #reserve(isKnown: boolean): boolean {
    const { stock, chunks } = this.#options;
    const wanted = this.#undo.top - this.#undo.applied + 1;
    while (chunks.free < wanted) if (!chunks.grow()) return false;
    while (stock.length < wanted) {
      if (!stock.refill() && !this.#options.makeRoom(isKnown)) return false;
    }
    this.recount();
    return true;
  }
}
