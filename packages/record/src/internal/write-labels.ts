import { uvarintBytes, writeUvarint } from "@varve/bytes";
import { KEY_SEPARATOR } from "@varve/contracts";

/** The most bytes that `writeLabels` takes for a key: a long string's length needs more than its separator did. */
export function labelsBytesMax(keyBytes: number): number {
  return keyBytes + (keyBytes >>> 7) + 8;
}

/**
 * Writes a canonical key as a log holds labels, and returns the position after them: how many there
 * are, then names and values by turns, each behind its length.
 *
 * A key has that form already, one byte further on, but for separators where the length of the string behind them
 * belongs. So it is copied four bytes at a time (300 to 220 ns for 199 bytes), and lengths are put over separators.
 * Lengths and counts that need more than a byte take the long way.
 */
export function writeLabels(
  bytes: Uint8Array,
  at: number,
  keys: Uint8Array,
  from: number,
  until: number,
): number {
  const shift = at + 2 - from;
  let lengthAt = at + 1;
  let strings = 0;
  let lengths = 0;
  let i = from;
  while (i < until) {
    // Copies up to the next separator, or up to four bytes that hold one.
    let end = i + 4;
    if (end <= until) {
      const a = keys[i]!;
      const b = keys[i + 1]!;
      const c = keys[i + 2]!;
      const d = keys[i + 3]!;
      const out = i + shift;
      bytes[out] = a;
      bytes[out + 1] = b;
      bytes[out + 2] = c;
      bytes[out + 3] = d;
      if ((a | b | c | d) < 0x80) {
        i = end;
        continue;
      }
    } else {
      end = until;
    }
    for (; i < end; i += 1) {
      const byte = keys[i]!;
      const out = i + shift;
      bytes[out] = byte;
      if (byte !== 0xff) continue;
      const length = out - lengthAt - 1;
      bytes[lengthAt] = length;
      lengths |= length;
      lengthAt = out;
      strings += 1;
    }
  }
  if (lengths >= 0x80 || strings >= 0x100) return writeLongLabels(bytes, at, keys, from, until);
  bytes[at] = strings >>> 1;
  return lengthAt;
}

/** The same for strings and counts of any length: what stands behind a length of several bytes moves. */
function writeLongLabels(
  bytes: Uint8Array,
  at: number,
  keys: Uint8Array,
  from: number,
  until: number,
): number {
  let lengthAt = at + 1;
  let out = at + 2;
  let strings = 0;
  for (let i = from; i < until; i += 1) {
    const byte = keys[i]!;
    if (byte !== KEY_SEPARATOR) {
      bytes[out++] = byte;
      continue;
    }
    out = putLength(bytes, lengthAt, out, out - lengthAt - 1);
    strings += 1;
    lengthAt = out++;
  }
  return putLength(bytes, at, lengthAt, strings >>> 1);
}

/** Puts a uvarint in place of the byte at `at`, moving what follows up to `end`; returns the new end. */
function putLength(bytes: Uint8Array, at: number, end: number, value: number): number {
  const size = uvarintBytes(value);
  bytes.copyWithin(at + size, at + 1, end);
  writeUvarint(bytes, at, value);
  return end + size - 1;
}
