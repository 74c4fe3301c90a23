import { randomFillSync } from "node:crypto";

/** A secret of this process: label values that collide on purpose must not be possible to prepare. */
const SECRET = randomFillSync(new Int32Array(2));
const KEY_LOW = SECRET[0]!;
const KEY_HIGH = SECRET[1]!;

/**
 * HalfSipHash-1-3 of bytes[from … until), keyed, as an unsigned word: the 32-bit sibling of SipHash by
 * Aumasson and Bernstein.
 */
export function hashBytes(bytes: Uint8Array, from: number, until: number): number {
  let v0 = KEY_LOW;
  let v1 = KEY_HIGH;
  let v2 = 0x6c796765 ^ KEY_LOW;
  let v3 = 0x74656462 ^ KEY_HIGH;
  const length = until - from;
  let left = (length >>> 2) + 4; // Whole words, the last one with the length, and three rounds to finish.
  for (let at = from; left > 0; left -= 1, at += 4) {
    let word = 0;
    if (left > 4) {
      word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    } else if (left === 4) {
      word = tailWord(bytes, at, until, length);
    } else if (left === 3) {
      v2 ^= 0xff;
    }
    v3 ^= word;
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    v0 ^= word;
  }
  return (v1 ^ v3) >>> 0;
}

/** The last bytes, fewer than four, and the length's low byte on top. */
function tailWord(bytes: Uint8Array, from: number, until: number, length: number): number {
  let word = length << 24;
  for (let at = from, shift = 0; at < until; at += 1, shift += 8) word |= bytes[at]! << shift;
  return word;
}
