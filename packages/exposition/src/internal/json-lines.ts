import type { Labels } from "@varve/contracts";
import {
  BACKSLASH,
  BRACE_CLOSE,
  BRACE_OPEN,
  COLON,
  COMMA,
  QUOTE,
  RETURN,
  SPACE,
  startsWith,
  TAB,
} from "./ascii.ts";
import { readFloatOrBits } from "./float.ts";
import { isJsonNumber } from "./json-number.ts";
import { parseJsonLabels } from "./json-labels.ts";
import { LineFault, quoteBytes } from "./line-fault.ts";
import type { ParserContext, RecordParser } from "./parser.ts";
import { noTime } from "./sample-line.ts";
import { HASH_FACTOR, HASH_START, SeriesCache } from "./series-cache.ts";
import { readMillis } from "./time.ts";

const NO_FIELDS = 0;
const HAS_LABELS = 1;
const HAS_TIME = 2;
const HAS_VALUE = 4;

/**
 * Parses lines `{"labels":{…},"time":ms,"value":…}`, members in any order. A value is a number, or a string that
 * spells one: `"NaN"`, `"+Inf"`, or all bits of a double as `"0x7ff0000000000002"`.
 */
export function jsonLinesParser(context: ParserContext): RecordParser {
  return new JsonLinesParser(context);
}

class JsonLinesParser implements RecordParser {
  readonly isLost = false;
  readonly #context: ParserContext;
  readonly #cache = new SeriesCache();
  #at = 0;
  #labels: Labels = {};
  #time = 0;

  constructor(context: ParserContext) {
    this.#context = context;
  }

  parse(bytes: Uint8Array, from: number, until: number): void {
    this.#at = skipSpace(bytes, from, until);
    if (this.#at === until) return;
    this.#expect(bytes, until, BRACE_OPEN, '"{"');
    let found = NO_FIELDS;
    for (;;) {
      const start = this.#at;
      const field = this.#member(bytes, until);
      if ((found & field) !== 0) throw new LineFault(start, "a member is there twice");
      found |= field;
      if (bytes[this.#at] !== COMMA || this.#at >= until) break;
      this.#at = skipSpace(bytes, this.#at + 1, until);
    }
    this.#expect(bytes, until, BRACE_CLOSE, '"," or "}"');
    if (this.#at < until) throw this.#fault("expected the end of the line", bytes, until);
    if ((found & HAS_LABELS) === 0) throw new LineFault(from, 'the line has no "labels"');
    if ((found & HAS_VALUE) === 0) throw new LineFault(from, 'the line has no "value"');
    if ((found & HAS_TIME) === 0) {
      const { defaultTime } = this.#context;
      if (defaultTime === undefined) throw noTime(from);
      this.#time = defaultTime;
    }
    this.#context.rows.end(this.#labels, this.#time);
  }

  finish(): void {}

  /** Reads one member and the space behind it, and returns which it was. */
  #member(bytes: Uint8Array, until: number): number {
    const start = this.#at;
    const field = startsWith(bytes, start, until, '"labels"')
      ? HAS_LABELS
      : startsWith(bytes, start, until, '"time"')
        ? HAS_TIME
        : startsWith(bytes, start, until, '"value"')
          ? HAS_VALUE
          : NO_FIELDS;
    if (field === NO_FIELDS)
      throw this.#fault('expected "labels", "time" or "value"', bytes, until);
    this.#at = skipSpace(bytes, bytes.indexOf(QUOTE, start + 1) + 1, until);
    this.#expect(bytes, until, COLON, '":"');
    if (field === HAS_LABELS) this.#readLabels(bytes, until);
    else if (field === HAS_TIME) this.#readTime(bytes, until);
    else this.#readValue(bytes, until);
    this.#at = skipSpace(bytes, this.#at, until);
    return field;
  }

  #readLabels(bytes: Uint8Array, until: number): void {
    const from = this.#at;
    if (from >= until || bytes[from] !== BRACE_OPEN) {
      throw this.#fault("expected an object of labels", bytes, until);
    }
    const length = this.#cache.beginsWithLast(bytes, from, until);
    if (length > 0) {
      this.#at = from + length;
      this.#labels = this.#cache.last!;
      return;
    }
    let hash = HASH_START;
    let isQuoted = false;
    let at = from;
    for (; at < until; at += 1) {
      const byte = bytes[at]!;
      hash = Math.imul(hash ^ byte, HASH_FACTOR);
      if (byte === QUOTE) isQuoted = !isQuoted;
      else if (isQuoted && byte === BACKSLASH) at += 1;
      else if (byte === BRACE_CLOSE && !isQuoted) break;
    }
    if (at >= until) throw new LineFault(from, "the object of labels does not end");
    this.#at = at + 1;
    const known = this.#cache.find(bytes, from, this.#at, hash);
    if (known !== undefined) {
      this.#labels = known;
      return;
    }
    this.#labels = parseJsonLabels(bytes, from, this.#at);
    this.#cache.add(bytes, from, this.#at, hash, this.#labels);
  }

  #readTime(bytes: Uint8Array, until: number): void {
    const from = this.#at;
    const end = endOfScalar(bytes, from, until);
    this.#time = isJsonNumber(bytes, from, end) ? readMillis(bytes, from, end) : Number.NaN;
    if (Number.isNaN(this.#time)) {
      throw this.#fault("expected a time in whole milliseconds", bytes, end);
    }
    this.#at = end;
  }

  #readValue(bytes: Uint8Array, until: number): void {
    const { rows } = this.#context;
    const isString = this.#at < until && bytes[this.#at] === QUOTE;
    const from = isString ? this.#at + 1 : this.#at;
    const end = isString ? endOfString(bytes, from, until) : endOfScalar(bytes, from, until);
    const isSpelled = isString || isJsonNumber(bytes, from, end);
    if (!isSpelled || !readFloatOrBits(bytes, from, end, rows.values, rows.length)) {
      throw this.#fault("expected a number, or a string that spells one", bytes, end);
    }
    this.#at = isString ? end + 1 : end;
  }

  /** Takes one byte and the space behind it. */
  #expect(bytes: Uint8Array, until: number, byte: number, name: string): void {
    if (this.#at >= until || bytes[this.#at] !== byte) {
      throw this.#fault(`expected ${name}`, bytes, until);
    }
    this.#at = skipSpace(bytes, this.#at + 1, until);
  }

  #fault(reason: string, bytes: Uint8Array, until: number): LineFault {
    const at = Math.min(this.#at, until);
    return new LineFault(
      at,
      `${reason}, got ${at === until ? "the end" : quoteBytes(bytes, at, until)}`,
    );
  }
}

function skipSpace(bytes: Uint8Array, from: number, until: number): number {
  let at = from;
  while (at < until && (bytes[at] === SPACE || bytes[at] === TAB || bytes[at] === RETURN)) at += 1;
  return at;
}

/** Where a number or a word ends. */
function endOfScalar(bytes: Uint8Array, from: number, until: number): number {
  let at = from;
  for (; at < until; at += 1) {
    const byte = bytes[at]!;
    if (byte === COMMA || byte === BRACE_CLOSE || byte <= SPACE) break;
  }
  return at;
}

/** Where a string without escapes ends. Throws a fault when it does not. */
function endOfString(bytes: Uint8Array, from: number, until: number): number {
  let at = from;
  while (at < until && bytes[at] !== QUOTE) at += 1;
  if (at === until) throw new LineFault(from - 1, "a string does not end");
  return at;
}
