/** A sample, exactly. */
export interface BitSample {
  readonly time: bigint;
  readonly bits: bigint;
}

const SAFE_MAX = BigInt(Number.MAX_SAFE_INTEGER);
const VARINT_BYTES_MAX = 10;
/** Bits of a short delta of delta, by the ones of its prefix. */
const WIDTHS = [0, 14, 17, 20];

/**
 * Reads an XOR chunk as Prometheus' documents say, bit by bit and in whole numbers of any size: slow, dull, and nothing of
 * the reader that it is compared with. Null for bytes that are none.
 */
export function readXor(bytes: Uint8Array): BitSample[] | null {
  if (bytes.length < 2) return null;
  const samples: BitSample[] = [];
  const bits = new Bits(bytes, 16);
  const count = (bytes[0]! << 8) | bytes[1]!;
  // A sample takes two bits at least.
  if (count * 2 > bytes.length * 8) return null;
  let time = 0n;
  let delta = 0n;
  let value = 0n;
  const window = { leading: 0, length: 0 };
  for (let i = 0; i < count && !bits.failed; i += 1) {
    if (i === 0) {
      const code = bits.uvarint();
      time = code % 2n === 0n ? code / 2n : -(code + 1n) / 2n;
      value = bits.take(64);
    } else {
      delta = i === 1 ? bits.uvarint() : BigInt.asIntN(64, delta + takeDeltaOfDelta(bits));
      if (delta <= 0n) return null;
      time += delta;
      const change = takeChange(bits, window);
      if (change === null) return null;
      value ^= change;
    }
    if (time > SAFE_MAX || time < -SAFE_MAX) return null;
    samples.push({ time, bits: value });
  }
  return bits.failed ? null : samples;
}

function takeDeltaOfDelta(bits: Bits): bigint {
  let ones = 0;
  while (ones < 4 && bits.take(1) === 1n) ones += 1;
  if (ones === 0) return 0n;
  if (ones === 4) return BigInt.asIntN(64, bits.take(64));
  const width = WIDTHS[ones]!;
  const code = bits.take(width);
  return code > 1n << BigInt(width - 1) ? code - (1n << BigInt(width)) : code;
}

/** The bits of a value that change; null for a window that cannot be. */
function takeChange(bits: Bits, window: { leading: number; length: number }): bigint | null {
  if (bits.take(1) === 0n) return 0n;
  if (bits.take(1) === 1n) {
    window.leading = Number(bits.take(5));
    window.length = Number(bits.take(6)) || 64;
  }
  const shift = 64 - window.leading - window.length;
  if (window.length === 0 || shift < 0) return null;
  return bits.take(window.length) << BigInt(shift);
}

class Bits {
  failed = false;
  readonly #bytes: Uint8Array;
  #at: number;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  take(count: number): bigint {
    if (this.#at + count > this.#bytes.length * 8) this.failed = true;
    if (this.failed) return 0n;
    let value = 0n;
    let left = count;
    while (left > 0) {
      const room = 8 - (this.#at & 7);
      const part = Math.min(room, left);
      const byte = this.#bytes[this.#at >> 3]!;
      value = (value << BigInt(part)) | BigInt((byte >> (room - part)) & ((1 << part) - 1));
      this.#at += part;
      left -= part;
    }
    return value;
  }

  uvarint(): bigint {
    let value = 0n;
    for (let i = 0; i < VARINT_BYTES_MAX; i += 1) {
      const byte = this.take(8);
      value |= (byte & 127n) << BigInt(7 * i);
      if (byte < 128n) return value;
    }
    this.failed = true;
    return 0n;
  }
}
