import { NEWLINE, QUOTE, COMMA } from "./ascii.ts";
import { LineFault } from "./line-fault.ts";

/** Cuts input into records. What it hands out is valid until the next `push`. */
export interface Splitter {
  readonly bytes: Uint8Array;
  /** The record is bytes[from, until), without the line's end. */
  readonly from: number;
  readonly until: number;
  /** The record's first line, from 1. */
  readonly line: number;
  /** Adds input; copies it. */
  push(chunk: Uint8Array, from: number, until: number): void;
  /** Tells that no more input comes. */
  finish(): void;
  /** Moves to the next record. Throws a fault, once, for one that is longer than the maximum, and goes on behind it. */
  next(): boolean;
}

/** Makes a splitter for formats in which a record is a line. */
export function lineSplitter(bytesMax: number): Splitter {
  return new LineSplitter(bytesMax);
}

/** Makes a splitter for CSV, where a quoted field may hold line ends. */
export function recordSplitter(bytesMax: number): Splitter {
  return new RecordSplitter(bytesMax);
}

/** Where a scan for the end of a record stops when it finds none. */
const NOT_FOUND = -1;

abstract class BufferedSplitter implements Splitter {
  bytes = Uint8Array.of(NEWLINE);
  from = 0;
  until = 0;
  line = 0;
  protected readonly bytesMax: number;
  /** Live bytes are [start, end). */
  protected start = 0;
  protected end = 0;
  protected isFinished = false;
  #nextLine = 1;
  #isDiscarding = false;

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  push(chunk: Uint8Array, from: number, until: number): void {
    const length = until - from;
    const live = this.end - this.start;
    if (this.start > 0) {
      this.bytes.copyWithin(0, this.start, this.end);
      this.moved(this.start);
      this.start = 0;
      this.end = live;
    }
    if (live + length >= this.bytes.length) {
      const grown = new Uint8Array(Math.max(this.bytes.length * 2, live + length + 1));
      grown.set(this.bytes.subarray(0, live));
      this.bytes = grown;
    }
    this.bytes.set(
      from === 0 && until === chunk.length ? chunk : chunk.subarray(from, until),
      live,
    );
    this.end = live + length;
    this.bytes[this.end] = NEWLINE; // Stops every search for one, without a view of the live bytes.
  }

  finish(): void {
    this.isFinished = true;
  }

  next(): boolean {
    if (this.#isDiscarding && !this.#discard()) return false;
    let end = this.recordEnd();
    if (end === NOT_FOUND) {
      if (this.end - this.start > this.bytesMax) return this.#refuse();
      if (!this.isFinished || this.start === this.end) return false;
      if (this.isOpen()) return this.#refuse();
      end = this.end;
    } else if (end - this.start > this.bytesMax) return this.#refuse();
    this.from = this.start;
    this.until = end;
    this.line = this.#nextLine;
    this.#nextLine += this.linesInside() + 1;
    this.start = Math.min(end + 1, this.end);
    this.restart();
    return true;
  }

  /** The position of the byte that ends the record, or NOT_FOUND. Goes on where it stopped. */
  protected abstract recordEnd(): number;
  /** True when the end of input would cut the record. */
  protected abstract isOpen(): boolean;
  /** Line ends inside the record that was found. */
  protected abstract linesInside(): number;
  /** A new record begins at `start`. */
  protected abstract restart(): void;
  /** Live bytes have moved down by `distance`. */
  protected abstract moved(distance: number): void;

  /**
   * Gives up the first line of a record that is too long or never ends, and goes on behind that line: what
   * follows it may be sound. Decided by the record's first `bytesMax` bytes alone, however the input was cut.
   */
  #refuse(): never {
    const { start, bytesMax } = this;
    const isOpen = this.isOpen();
    this.from = start;
    this.until = Math.min(this.end, start + bytesMax);
    this.line = this.#nextLine;
    const newline = this.bytes.subarray(start, this.until).indexOf(NEWLINE);
    if (newline >= 0) {
      this.start = start + newline + 1;
      this.#nextLine += 1;
    } else if (this.end - start <= bytesMax) {
      this.start = this.end;
    } else {
      this.#isDiscarding = true;
    }
    this.restart();
    throw new LineFault(
      start,
      isOpen ? "a quoted field does not end" : `the line is longer than ${bytesMax} bytes`,
    );
  }

  /** Drops input up to the next line end. False when more input is needed. */
  #discard(): boolean {
    const at = this.bytes.subarray(this.start, this.end).indexOf(NEWLINE);
    this.start = at < 0 ? this.end : this.start + at + 1;
    this.restart();
    if (at < 0) return false;
    this.#isDiscarding = false;
    this.#nextLine += 1;
    return true;
  }
}

class LineSplitter extends BufferedSplitter {
  #scanned = 0;

  protected recordEnd(): number {
    const at = this.bytes.indexOf(NEWLINE, this.#scanned);
    if (at < this.end) return at;
    this.#scanned = this.end;
    return NOT_FOUND;
  }

  protected isOpen(): boolean {
    return false;
  }

  protected linesInside(): number {
    return 0;
  }

  protected restart(): void {
    this.#scanned = this.start;
  }

  protected moved(distance: number): void {
    this.#scanned -= distance;
  }
}

/** States of a scan through CSV. */
const FIELD_START = 0;
const PLAIN = 1;
const QUOTED = 2;
/** Behind a quote in a quoted field: its end, or half of an escaped quote. */
const QUOTE_SEEN = 3;

class RecordSplitter extends BufferedSplitter {
  #scanned = 0;
  #state = FIELD_START;
  #lines = 0;

  protected recordEnd(): number {
    const { bytes } = this;
    // Beyond the maximum nothing is looked at, so that the state is that of the record's first bytes.
    const until = Math.min(this.end, this.start + this.bytesMax + 1);
    let state = this.#state;
    for (let at = this.#scanned; at < until; at += 1) {
      const byte = bytes[at]!;
      if (state === QUOTED) {
        if (byte === QUOTE) state = QUOTE_SEEN;
        else if (byte === NEWLINE) this.#lines += 1;
      } else if (byte === NEWLINE) {
        this.#state = state;
        this.#scanned = at;
        return at;
      } else if (byte === COMMA) state = FIELD_START;
      else if (byte === QUOTE && state !== PLAIN) state = QUOTED;
      else state = PLAIN;
    }
    this.#state = state;
    this.#scanned = until;
    return NOT_FOUND;
  }

  protected isOpen(): boolean {
    return this.#state === QUOTED;
  }

  protected linesInside(): number {
    return this.#lines;
  }

  protected restart(): void {
    this.#scanned = this.start;
    this.#state = FIELD_START;
    this.#lines = 0;
  }

  protected moved(distance: number): void {
    this.#scanned -= distance;
  }
}
