import { uvarintBytes, writeU32, writeUvarint, writeVarint } from "@varve/bytes";
import type { ChunkState } from "@varve/contracts";
import {
  BITS,
  FIRST_BYTES_MAX,
  HEADER_BYTES,
  LAST_TIME,
  PACKED,
  TWO_32,
  TWO_53,
  VALUE_HIGH,
  VALUE_LOW,
} from "./xor-layout.ts";

/** Appends a sample, or returns false and changes nothing when it does not fit. */
export function appendSample(
  state: ChunkState,
  stateAt: number,
  bytes: Uint8Array,
  at: number,
  capacity: number,
  time: number,
  valueLow: number,
  valueHigh: number,
): boolean {
  const { words, doubles } = state;
  // The layout's numbers once more: V8 folds these, but loads a module's constants each time (26 to 20 ns a sample).
  const lastTime = stateAt >>> 3;
  const previousTime = lastTime + 1;
  const lowWord = (stateAt >>> 2) + 4;
  const highWord = lowWord + 1;
  const bitsWord = lowWord + 2;
  const packedWord = lowWord + 3;
  const leadingShift = 16;
  const lengthShift = 21;
  let packed = words[packedWord]!;
  const count = packed & 0xffff;
  if (count === 0) {
    return appendFirst(state, stateAt, bytes, at, capacity, time, valueLow, valueHigh);
  }
  if (count === 65_535) return false;
  const last = doubles[lastTime]!;
  const previous = doubles[previousTime]!;

  // Time: `timeCode` in `timeBits`, but for the second sample's delta and for wide deltas of delta.
  let timeCode = 0;
  let timeBits = 1;
  if (count === 1) {
    timeBits = uvarintBytes(time - last) * 8;
  } else {
    let dod = time - last - (last - previous);
    if (time - previous >= 2 ** 53) dod = exactDod(time, last, previous);
    if (dod !== 0) {
      // A form of k bits holds -(2^(k-1) - 1) … 2^(k-1): one more above than below.
      if (dod >= -8191 && dod <= 8192) {
        timeCode = (0b10 << 14) | (dod & 0x3fff);
        timeBits = 16;
      } else if (dod >= -65_535 && dod <= 65_536) {
        timeCode = (0b110 << 17) | (dod & 0x1ffff);
        timeBits = 20;
      } else if (dod >= -524_287 && dod <= 524_288) {
        timeCode = (0b1110 << 20) | (dod & 0xfffff);
        timeBits = 24;
      } else {
        timeBits = 68; // A prefix of 4 bits, and 64.
      }
    }
  }

  // Value: `control` in `controlBits`, then a window of `length` bits of the difference.
  const xorLow = valueLow ^ words[lowWord]!;
  const xorHigh = valueHigh ^ words[highWord]!;
  let control = 0;
  let controlBits = 1;
  let length = 0;
  let shift = 0;
  if ((xorLow | xorHigh) !== 0) {
    const zeros = xorHigh !== 0 ? Math.clz32(xorHigh) : 31; // The form holds at most 31.
    const trailing = xorLow !== 0 ? trailingZeros(xorLow) : 32 + trailingZeros(xorHigh);
    let leading = (packed >>> leadingShift) & 31;
    length = packed >>> lengthShift;
    shift = 64 - leading - length;
    if (length !== 0 && zeros >= leading && trailing >= shift) {
      control = 0b10;
      controlBits = 2;
    } else {
      leading = zeros;
      shift = trailing;
      length = 64 - leading - shift;
      control = (0b11 << 11) | (leading << 6) | (length & 63); // 64 is written as 0.
      controlBits = 13;
      packed = count | (leading << leadingShift) | (length << lengthShift);
    }
  }

  let bit = words[bitsWord]!;
  if (bit + timeBits + controlBits + length > capacity * 8) return false;

  if (timeBits > 24 || count === 1) {
    if (count === 1) writeDelta(bytes, at + (bit >>> 3), last, time);
    else putWide(bytes, at, bit, time, last, previous);
    bit += timeBits;
    timeBits = 0;
  }
  const head = timeBits + controlBits;
  if (head + length <= 32) {
    // The whole sample in one go. `length` is below 32, because `controlBits` is not 0.
    const payload = shift < 32 ? shiftRight(xorLow, xorHigh, shift) : xorHigh >>> (shift - 32);
    const code = (((timeCode << controlBits) | control) << length) | payload;
    bit = put(bytes, at, bit, code, head + length);
  } else {
    if (timeBits > 0) bit = put(bytes, at, bit, timeCode, timeBits);
    bit = put(bytes, at, bit, control, controlBits);
    bit = putWindow(bytes, at, bit, xorLow, xorHigh, shift, length);
  }

  doubles[lastTime] = time;
  doubles[previousTime] = last;
  words[lowWord] = valueLow;
  words[highWord] = valueHigh;
  words[bitsWord] = bit;
  words[packedWord] = packed + 1;
  return true;
}

function appendFirst(
  state: ChunkState,
  stateAt: number,
  bytes: Uint8Array,
  at: number,
  capacity: number,
  time: number,
  valueLow: number,
  valueHigh: number,
): boolean {
  if (capacity < FIRST_BYTES_MAX) return false;
  const { words, doubles } = state;
  const word = stateAt >>> 2;
  const valueAt = writeVarint(bytes, at + HEADER_BYTES, time);
  writeU32(bytes, valueAt, valueHigh);
  writeU32(bytes, valueAt + 4, valueLow);
  doubles[(stateAt >>> 3) + LAST_TIME] = time;
  words[word + VALUE_LOW] = valueLow;
  words[word + VALUE_HIGH] = valueHigh;
  words[word + BITS] = (valueAt + 8 - at) * 8;
  words[word + PACKED] = 1;
  return true;
}

/** Writes `length` bits of the difference, from bit `shift` on. */
function putWindow(
  bytes: Uint8Array,
  at: number,
  bit: number,
  low: number,
  high: number,
  shift: number,
  length: number,
): number {
  if (shift >= 32) return put(bytes, at, bit, high >>> (shift - 32), length);
  const word = shiftRight(low, high, shift);
  if (length <= 32) return put(bytes, at, bit, word, length);
  return put(bytes, at, put(bytes, at, bit, high >>> shift, length - 32), word, 32);
}

/** Writes the second sample's delta as a uvarint, which a double may be too short for. */
function writeDelta(bytes: Uint8Array, at: number, last: number, time: number): void {
  if (time - last < TWO_53) {
    writeUvarint(bytes, at, time - last);
    return;
  }
  const low = ((time | 0) - (last | 0)) & 0xfffffff; // `|` takes the low 32 bits, so 28 of them are exact.
  for (let i = 0; i < 4; i += 1) bytes[at + i] = ((low >>> (7 * i)) & 0x7f) | 0x80;
  writeUvarint(bytes, at + 4, (time - low - last) / 2 ** 28);
}

/** The delta of delta where a delta may be too long for a double: exact up to 2^53, rounded beyond. */
function exactDod(time: number, last: number, previous: number): number {
  return dodHigh(time, last, previous) * TWO_32 + dodLow(time, last, previous);
}

/** Writes a delta of delta as 64 bits in two's complement, by halves. */
function putWide(
  bytes: Uint8Array,
  at: number,
  bit: number,
  time: number,
  last: number,
  previous: number,
): void {
  const low = dodLow(time, last, previous);
  const high = dodHigh(time, last, previous) + Math.floor(low / TWO_32);
  put(bytes, at, bit, 0b1111, 4);
  put(bytes, at, bit + 4, high | 0, 32);
  put(bytes, at, bit + 36, low | 0, 32);
}

/** The part of a delta of delta that the low words make, not yet carried: up to 34 bits and a sign. */
function dodLow(time: number, last: number, previous: number): number {
  return (time >>> 0) - 2 * (last >>> 0) + (previous >>> 0);
}

function dodHigh(time: number, last: number, previous: number): number {
  return Math.floor(time / TWO_32) - 2 * Math.floor(last / TWO_32) + Math.floor(previous / TWO_32);
}

function trailingZeros(word: number): number {
  return 31 - Math.clz32(word & -word);
}

/** The low word of a 64-bit value shifted right by `shift` < 32. */
function shiftRight(low: number, high: number, shift: number): number {
  return shift === 0 ? low : (low >>> shift) | (high << (32 - shift));
}

/**
 * Writes the low `count` bits of `value`, at most 32, at bit `bit` behind `at`, and returns the bit after them.
 * What is left of the last byte becomes zero; nothing behind it is touched. Higher bits of `value` are zero.
 */
function put(bytes: Uint8Array, at: number, bit: number, value: number, count: number): number {
  const used = bit & 7;
  const end = used + count;
  let i = at + (bit >>> 3);
  const head = used === 0 ? 0 : bytes[i]! << 24;
  if (end <= 32) {
    const word = head | (value << (32 - end));
    bytes[i] = word >>> 24;
    if (end > 8) {
      bytes[i + 1] = word >>> 16;
      if (end > 16) {
        bytes[i + 2] = word >>> 8;
        if (end > 24) bytes[i + 3] = word;
      }
    }
  } else {
    const word = head | (value >>> (end - 32));
    bytes[i++] = word >>> 24;
    bytes[i++] = word >>> 16;
    bytes[i++] = word >>> 8;
    bytes[i++] = word;
    bytes[i] = value << (40 - end);
  }
  return bit + count;
}
