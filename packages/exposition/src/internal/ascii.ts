/** Bytes that the formats give a meaning to. */
export const TAB = 0x09;
export const NEWLINE = 0x0a;
export const RETURN = 0x0d;
export const SPACE = 0x20;
export const QUOTE = 0x22;
export const HASH = 0x23;
export const PLUS = 0x2b;
export const COMMA = 0x2c;
export const MINUS = 0x2d;
export const DOT = 0x2e;
export const ZERO = 0x30;
export const NINE = 0x39;
export const COLON = 0x3a;
export const BACKSLASH = 0x5c;
export const BRACE_OPEN = 0x7b;
export const BRACE_CLOSE = 0x7d;

/** True for the bytes of `word`, which is ASCII, at `at`. */
export function startsWith(bytes: Uint8Array, at: number, until: number, word: string): boolean {
  if (until - at < word.length) return false;
  for (let i = 0; i < word.length; i += 1) if (bytes[at + i] !== word.charCodeAt(i)) return false;
  return true;
}

/** Bytes that are ASCII, as text. */
export function asciiText(bytes: Uint8Array, from: number, until: number): string {
  return Buffer.prototype.latin1Slice.call(bytes, from, until);
}
