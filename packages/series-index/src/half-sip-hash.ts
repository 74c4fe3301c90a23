/**
 * HalfSipHash-1-3 of bytes[from … until) under a 64-bit key given as two words: an unsigned word.
 *
 * A keyed hash, so that whoever chooses the bytes cannot choose the result. The 32-bit member of the
 * SipHash family (Aumasson, Bernstein), with the rounds that Linux uses for its hash tables.
 */
export function halfSipHash(
  bytes: Uint8Array,
  from: number,
  until: number,
  keyLow: number,
  keyHigh: number,
): number {
  let v0 = keyLow | 0;
  let v1 = keyHigh | 0;
  let v2 = 0x6c796765 ^ keyLow;
  let v3 = 0x74656462 ^ keyHigh;
  const length = until - from;
  const whole = from + (length & ~3);
  for (let at = from; at <= whole; at += 4) {
    // The last word holds the bytes that are left, and the length in its top byte.
    const word =
      at < whole
        ? bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
        : lastWord(bytes, at, until, length);
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
  v2 ^= 0xff;
  for (let round = 0; round < 3; round += 1) {
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
  }
  return (v1 ^ v3) >>> 0;
}

function lastWord(bytes: Uint8Array, at: number, until: number, length: number): number {
  let word = length << 24;
  for (let i = at; i < until; i += 1) word |= bytes[i]! << ((i - at) * 8);
  return word;
}
