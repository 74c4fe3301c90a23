import type { Labels } from "@varve/contracts";
import { BACKSLASH, BRACE_CLOSE, BRACE_OPEN, QUOTE, SPACE, TAB } from "./ascii.ts";
import { readFloat } from "./float.ts";
import { LineFault, quoteBytes } from "./line-fault.ts";
import { HASH_FACTOR, HASH_START, SeriesCache } from "./series-cache.ts";
import { parseSeries, type SeriesStyle } from "./series-text.ts";

/**
 * Reads what sample lines of both text formats begin with: the series, found by its bytes when it was seen
 * before. A cursor: each call leaves `at` behind what it read.
 */
export class SampleLine {
  /** Behind what was read. */
  at = 0;
  readonly #style: SeriesStyle;
  readonly #cache = new SeriesCache();

  constructor(style: SeriesStyle) {
    this.#style = style;
  }

  /** Reads the series that the line begins with. Throws a fault when it is none. */
  series(bytes: Uint8Array, from: number, until: number): Labels {
    const length = this.#cache.beginsWithLast(bytes, from, until);
    if (length > 0) {
      this.at = from + length;
      return this.#cache.last!;
    }
    const hash = this.#findEnd(bytes, from, until);
    const known = this.#cache.find(bytes, from, this.at, hash);
    if (known !== undefined) return known;
    const labels = parseSeries(bytes, from, this.at, this.#style);
    this.#cache.add(bytes, from, this.at, hash, labels);
    return labels;
  }

  /** Finds where the text of the series ends, without taking it apart, and returns its hash. */
  #findEnd(bytes: Uint8Array, from: number, until: number): number {
    let hash = HASH_START;
    let at = from;
    for (; at < until; at += 1) {
      const byte = bytes[at]!;
      if (byte === BRACE_OPEN || byte === SPACE || byte === TAB) break;
      hash = Math.imul(hash ^ byte, HASH_FACTOR);
    }
    this.at = at;
    if (this.#style.isLoose) at = skipBlanks(bytes, at, until);
    if (at === until || bytes[at] !== BRACE_OPEN) return hash;
    let isQuoted = false;
    for (; at < until; at += 1) {
      const byte = bytes[at]!;
      hash = Math.imul(hash ^ byte, HASH_FACTOR);
      if (byte === QUOTE) isQuoted = !isQuoted;
      else if (isQuoted && byte === BACKSLASH) {
        at += 1;
        if (at < until) hash = Math.imul(hash ^ bytes[at]!, HASH_FACTOR);
      } else if (byte === BRACE_CLOSE && !isQuoted) {
        at += 1;
        break;
      }
    }
    this.at = Math.min(at, until);
    return hash;
  }

  /** Reads a value into `into[row]`. */
  value(bytes: Uint8Array, until: number, into: Float64Array, row: number): void {
    const start = this.at;
    const end = this.token(bytes, until);
    if (end === start) throw new LineFault(start, "the sample has no value");
    if (!readFloat(bytes, start, end, into, row)) {
      throw new LineFault(start, `expected a value, got ${quoteBytes(bytes, start, end)}`);
    }
  }

  /** Moves behind the bytes up to the next blank, and returns where they end. */
  token(bytes: Uint8Array, until: number): number {
    let at = this.at;
    while (at < until && bytes[at] !== SPACE && bytes[at] !== TAB) at += 1;
    this.at = at;
    return at;
  }
}

/** The position of the next byte that is no blank. */
export function skipBlanks(bytes: Uint8Array, from: number, until: number): number {
  let at = from;
  while (at < until && (bytes[at] === SPACE || bytes[at] === TAB)) at += 1;
  return at;
}

/** The fault of a sample without a time when there is no default. */
export function noTime(at: number): LineFault {
  return new LineFault(at, "the sample has no time, and no default time was given");
}
