const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The most UTF-8 bytes that a string of `length` UTF-16 units takes. */
export function utf8BytesMax(length: number): number {
  return length * 3;
}

/**
 * Writes a string as UTF-8 at `at` and returns the position after it, or -1 when it holds a lone
 * surrogate. The caller has made room for `utf8BytesMax`.
 */
export function writeUtf8(bytes: Uint8Array, at: number, text: string): number {
  const length = text.length;
  for (let i = 0; i < length; i += 1) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) {
      bytes[at++] = unit;
    } else if (unit < 0x800) {
      bytes[at++] = 0xc0 | (unit >> 6);
      bytes[at++] = 0x80 | (unit & 0x3f);
    } else if (unit < 0xd800 || unit > 0xdfff) {
      bytes[at++] = 0xe0 | (unit >> 12);
      bytes[at++] = 0x80 | ((unit >> 6) & 0x3f);
      bytes[at++] = 0x80 | (unit & 0x3f);
    } else {
      const next = i + 1 < length ? text.charCodeAt(i + 1) : 0;
      if (unit > 0xdbff || next < 0xdc00 || next > 0xdfff) return -1;
      const point = 0x10000 + ((unit - 0xd800) << 10) + (next - 0xdc00);
      bytes[at++] = 0xf0 | (point >> 18);
      bytes[at++] = 0x80 | ((point >> 12) & 0x3f);
      bytes[at++] = 0x80 | ((point >> 6) & 0x3f);
      bytes[at++] = 0x80 | (point & 0x3f);
      i += 1;
    }
  }
  return at;
}

/** Reads UTF-8; throws a TypeError on malformed bytes. Copies, because decoders refuse some shared views. */
export function readUtf8(bytes: Uint8Array, from: number, until: number): string {
  return decoder.decode(bytes.slice(from, until));
}
