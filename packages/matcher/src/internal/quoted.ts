import type { Cursor } from "./cursor.ts";

const PLAIN = /[^\\\n"'`]+/y;
const SIMPLE: Readonly<Record<string, number>> = {
  a: 7,
  b: 8,
  f: 12,
  n: 10,
  r: 13,
  t: 9,
  v: 11,
  "\\": 92,
};
const OCTAL = /[0-7]{3}/y;
/** Hex digits that follow `x`, `u` and `U`. */
const HEX: Readonly<Record<string, RegExp>> = {
  x: /[0-9a-fA-F]{2}/y,
  u: /[0-9a-fA-F]{4}/y,
  U: /[0-9a-fA-F]{8}/y,
};
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Reads a string in double or single quotes with Go's escapes, or in backquotes without any: what PromQL takes.
 * `\x` and octal escapes are bytes, and all bytes together have to be UTF-8. Null when no string begins here.
 */
export function takeQuoted(cursor: Cursor): string | null {
  const start = cursor.at;
  const quote = cursor.text[start];
  if (quote !== '"' && quote !== "'" && quote !== "`") return null;
  cursor.at += 1;
  if (quote === "`") return takeRaw(cursor, start);
  const bytes: number[] = [];
  for (;;) {
    // One by one: as arguments of one call, those of a long string would not fit the stack.
    for (const byte of encoder.encode(cursor.take(PLAIN))) bytes.push(byte);
    const next = cursor.text[cursor.at];
    if (next === undefined || next === "\n") throw unterminated(cursor, start);
    if (next === "\\") {
      takeEscape(cursor, quote, bytes);
      continue;
    }
    cursor.at += 1;
    if (next === quote) return decode(cursor, start, bytes);
    bytes.push(next.charCodeAt(0)); // Another kind of quote.
  }
}

function takeRaw(cursor: Cursor, start: number): string {
  const end = cursor.text.indexOf("`", cursor.at);
  if (end < 0) throw unterminated(cursor, start);
  const raw = cursor.text.slice(cursor.at, end);
  cursor.at = end + 1;
  return raw;
}

function takeEscape(cursor: Cursor, quote: string, bytes: number[]): void {
  const start = cursor.at;
  const letter = cursor.text[start + 1] ?? "";
  const refuse = (problem: string): Error => cursor.error(start, problem);
  if (letter === quote || SIMPLE[letter] !== undefined) {
    bytes.push(SIMPLE[letter] ?? letter.charCodeAt(0));
    cursor.at += 2;
    return;
  }
  if (letter >= "0" && letter <= "7") {
    cursor.at += 1;
    const byte = Number.parseInt(cursor.take(OCTAL), 8);
    if (!(byte <= 255)) throw refuse("expected three octal digits up to 377");
    bytes.push(byte);
    return;
  }
  const digits = Object.hasOwn(HEX, letter) ? HEX[letter] : undefined;
  if (digits === undefined) throw refuse(`unknown escape ${JSON.stringify(`\\${letter}`)}`);
  cursor.at += 2;
  const point = Number.parseInt(cursor.take(digits), 16);
  if (Number.isNaN(point)) throw refuse(`expected hex digits after \\${letter}`);
  if (letter === "x") {
    bytes.push(point);
    return;
  }
  if (point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) {
    throw refuse("the escape is no Unicode code point");
  }
  bytes.push(...encoder.encode(String.fromCodePoint(point)));
}

function decode(cursor: Cursor, start: number, bytes: readonly number[]): string {
  try {
    return decoder.decode(Uint8Array.from(bytes));
  } catch (cause) {
    throw cursor.error(start, "the string's bytes are not UTF-8", cause);
  }
}

function unterminated(cursor: Cursor, start: number): Error {
  return cursor.error(start, "the quoted string does not end");
}
