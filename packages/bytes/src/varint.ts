/**
 * Variable-length integers as Go's encoding/binary writes them: unsigned LEB128, and zig-zag for signed.
 * Numbers are safe integers; more than 53 bits do not occur in what varve writes.
 */

const TWO_32 = 2 ** 32;

/** The most bytes that a varint of a safe integer takes. */
export const VARINT_BYTES_MAX = 8;

/** Writes `value` >= 0 at `at` and returns the position after it. */
export function writeUvarint(bytes: Uint8Array, at: number, value: number): number {
  let rest = value;
  while (rest >= 0x80000000) {
    bytes[at++] = (rest % 128) | 0x80;
    rest = Math.floor(rest / 128);
  }
  let low = rest | 0;
  while (low >= 0x80) {
    bytes[at++] = (low & 0x7f) | 0x80;
    low >>>= 7;
  }
  bytes[at++] = low;
  return at;
}

/** Writes a signed value, zig-zag, at `at` and returns the position after it. */
export function writeVarint(bytes: Uint8Array, at: number, value: number): number {
  if (value >= -0x40000000 && value < 0x40000000) {
    return writeUvarint(bytes, at, ((value << 1) ^ (value >> 31)) >>> 0);
  }
  // Safe integers double to at most 2^54: still exact, because doubling keeps the mantissa.
  return value >= 0 ? writeUvarint(bytes, at, value * 2) : writeWide(bytes, at, -value);
}

/** Zig-zag of -magnitude is 2 * magnitude - 1, which may need a 54th bit: its low seven bits go first. */
function writeWide(bytes: Uint8Array, at: number, magnitude: number): number {
  const low = ((magnitude % 64) * 2 + 127) % 128; // (2m - 1) mod 128
  const high = Math.floor((magnitude - 1) / 64); // floor((2m - 1) / 128)
  if (high === 0) {
    bytes[at] = low;
    return at + 1;
  }
  bytes[at] = low | 0x80;
  return writeUvarint(bytes, at + 1, high);
}

/** Bytes that `writeUvarint` takes for `value`. */
export function uvarintBytes(value: number): number {
  let count = 1;
  let rest = value;
  while (rest >= 128) {
    rest = Math.floor(rest / 128);
    count += 1;
  }
  return count;
}

/**
 * Reads varints from bytes that nobody trusts: a cursor that stops at `until`.
 * After `failed`, values are 0 and the position stays where it is.
 */
export class VarintReader {
  bytes: Uint8Array = new Uint8Array(0);
  at = 0;
  until = 0;
  /** The bytes ended too early, or a value does not fit a safe integer. */
  failed = false;

  reset(bytes: Uint8Array, at: number, until: number): void {
    this.bytes = bytes;
    this.at = at;
    this.until = until;
    this.failed = false;
  }

  unsigned(): number {
    if (this.failed) return 0;
    let result = 0;
    let scale = 1;
    let at = this.at;
    const until = Math.min(this.until, at + 10);
    while (at < until) {
      const byte = this.bytes[at++]!;
      result += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (result > Number.MAX_SAFE_INTEGER) return this.#fail();
        this.at = at;
        return result;
      }
      scale *= 128;
    }
    return this.#fail();
  }

  signed(): number {
    // Zig-zag by halves: the low seven bits carry the sign, so that 54-bit codes stay exact.
    let at = this.at;
    if (at >= this.until || this.failed) return this.#fail();
    const first = this.bytes[at]!;
    let magnitude = (first & 0x7f) >>> 1;
    const negative = (first & 1) === 1;
    if (first >= 0x80) {
      let scale = 64;
      const until = Math.min(this.until, at + 10);
      let byte = first;
      at += 1;
      while (byte >= 0x80) {
        if (at >= until) return this.#fail();
        byte = this.bytes[at++]!;
        magnitude += (byte & 0x7f) * scale;
        scale *= 128;
      }
    } else {
      at += 1;
    }
    // Zig-zag reaches one further below zero: -2^53, which is not a safe integer.
    if (magnitude > Number.MAX_SAFE_INTEGER - (negative ? 1 : 0)) return this.#fail();
    this.at = at;
    return negative ? -magnitude - 1 : magnitude;
  }

  /** Reads a big-endian u64 that fits a safe integer. */
  u64(): number {
    if (this.failed || this.at + 8 > this.until) return this.#fail();
    const value = readU32(this.bytes, this.at) * TWO_32 + readU32(this.bytes, this.at + 4);
    if (value > Number.MAX_SAFE_INTEGER) return this.#fail();
    this.at += 8;
    return value;
  }

  #fail(): number {
    this.failed = true;
    return 0;
  }
}

/** Big-endian words, as Prometheus' files have them. */
export function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

export function readU32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
  );
}

/** Writes a safe integer, in two's complement when negative. */
export function writeU64(bytes: Uint8Array, at: number, value: number): void {
  writeU32(bytes, at, Math.floor(value / TWO_32));
  writeU32(bytes, at + 4, value);
}

/** Reads a two's complement 64-bit integer; beyond 2^53 it is rounded. */
export function readI64(bytes: Uint8Array, at: number): number {
  return (readU32(bytes, at) | 0) * TWO_32 + readU32(bytes, at + 4);
}

/** Reads an unsigned 64-bit integer; beyond 2^53 it is rounded. */
export function readU64(bytes: Uint8Array, at: number): number {
  return readU32(bytes, at) * TWO_32 + readU32(bytes, at + 4);
}
