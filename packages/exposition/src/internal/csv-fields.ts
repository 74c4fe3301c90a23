import { COMMA, QUOTE, RETURN } from "./ascii.ts";
import { LineFault } from "./line-fault.ts";

/** Fields that a record may have. */
export const FIELDS_MAX = 1024;

/**
 * Finds the fields of a CSV record (RFC 4180) without copying them: field i is bytes[starts[i], ends[i]), without
 * its quotes; where `escaped[i]` is 1, a quote inside stands doubled.
 */
export class CsvFields {
  count = 0;
  readonly starts = new Uint32Array(FIELDS_MAX);
  readonly ends = new Uint32Array(FIELDS_MAX);
  readonly escaped = new Uint8Array(FIELDS_MAX);

  /** Throws a fault for quotes in the wrong place, and for too many fields. */
  split(bytes: Uint8Array, from: number, recordEnd: number): void {
    const until = recordEnd > from && bytes[recordEnd - 1] === RETURN ? recordEnd - 1 : recordEnd;
    this.count = 0;
    for (let at = from; ; at += 1) {
      if (this.count === FIELDS_MAX) {
        throw new LineFault(at, `the record has more than ${FIELDS_MAX} fields`);
      }
      at =
        bytes[at] === QUOTE && at < until
          ? this.#quoted(bytes, at, until)
          : this.#plain(bytes, at, until);
      this.count += 1;
      if (at === until) return;
      if (bytes[at] !== COMMA) throw new LineFault(at, 'expected "," or the end of the record');
    }
  }

  /** The field as text bytes: a copy without doubled quotes, or the bytes themselves when there are none. */
  unescaped(bytes: Uint8Array, field: number): Uint8Array {
    const raw = bytes.subarray(this.starts[field]!, this.ends[field]!);
    if (this.escaped[field] === 0) return raw;
    const plain = new Uint8Array(raw.length);
    let length = 0;
    for (let i = 0; i < raw.length; i += 1) {
      plain[length] = raw[i]!;
      length += 1;
      if (raw[i] === QUOTE) i += 1;
    }
    return plain.subarray(0, length);
  }

  #plain(bytes: Uint8Array, from: number, until: number): number {
    let at = from;
    for (; at < until && bytes[at] !== COMMA; at += 1) {
      if (bytes[at] === QUOTE) {
        throw new LineFault(
          at,
          "a field with a quote in it stands in quotes, the inner one doubled",
        );
      }
    }
    this.#add(from, at, 0);
    return at;
  }

  #quoted(bytes: Uint8Array, from: number, until: number): number {
    let isEscaped = 0;
    for (let at = from + 1; at < until; at += 1) {
      if (bytes[at] !== QUOTE) continue;
      if (at + 1 < until && bytes[at + 1] === QUOTE) {
        isEscaped = 1;
        at += 1;
        continue;
      }
      this.#add(from + 1, at, isEscaped);
      return at + 1;
    }
    throw new LineFault(from, "a quoted field does not end");
  }

  #add(start: number, end: number, isEscaped: number): void {
    this.starts[this.count] = start;
    this.ends[this.count] = end;
    this.escaped[this.count] = isEscaped;
  }
}
