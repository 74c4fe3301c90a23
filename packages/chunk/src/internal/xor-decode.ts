import { assert, StorageError, type SampleColumns } from "@varve/contracts";
import { COUNT_MAX, HEADER_BYTES, SAMPLE_BITS_MAX, TWO_32, TWO_53 } from "./xor-layout.ts";

/** Longer chunks do not exist, and bit positions below this stay small integers. */
const BYTES_MAX = Math.ceil((HEADER_BYTES * 8 + COUNT_MAX * SAMPLE_BITS_MAX) / 8);

/** Fewest bits of the first sample, of the second and of every later one. */
const FIRST_BITS_MIN = 8 + 64;
const SECOND_BITS_MIN = 8 + 1;
const SAMPLE_BITS_MIN = 2;

/** Below this, a delta stays exact with any short delta of delta added. */
const DELTA_PLAIN = 2 ** 52;

/** Most bytes of a 64-bit varint. */
const VARINT_BYTES_MAX = 10;

/** A chunk's bytes are not what an appender writes. */
export function corruptChunk(reason: string, length: number, count: number): StorageError {
  return new StorageError(
    "BLOCK_CORRUPT",
    `a chunk of ${length} bytes and ${count} samples is damaged: ${reason}`,
    { facts: { length, count, reason } },
  );
}

/**
 * Appends the first `count` samples of the chunk to `into`, or throws BLOCK_CORRUPT and appends none.
 *
 * Reads past the end see zeros, and the position is checked once, behind the last sample: a sample takes at least
 * two bits, so that no input takes long.
 */
export function decodeSamples(
  bytes: Uint8Array,
  at: number,
  length: number,
  count: number,
  into: SampleColumns,
): void {
  assert(count >= 0, `a count is not negative, got ${count}`);
  assert(at + length <= bytes.length, `a chunk lies in its array: ${at} + ${length}`);
  if (count === 0) return;
  const size = Math.min(length, BYTES_MAX);
  if (count > COUNT_MAX || size * 8 < bitsMin(count)) {
    throw corruptChunk("it is too short for its samples", length, count);
  }
  into.reserve(count);
  const { times } = into;
  const first = into.length;
  const end = first + count;
  // The doubles' own bytes: values travel as words, so that every NaN keeps its bits.
  const words = new Int32Array(into.values.buffer, into.values.byteOffset, end * 2);
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, size);
  /** Last bit from which a word can be loaded. */
  const bitMax = (size - 4) * 8 + 7;

  // First sample: a varint and a plain value.
  const timeEnd = varintEnd(view, HEADER_BYTES);
  if (timeEnd < 0 || timeEnd + 8 > size) throw corruptChunk("its first time", length, count);
  let low = varintLow(view, HEADER_BYTES, timeEnd);
  let rest = varintRest(view, HEADER_BYTES, timeEnd);
  const magnitude = rest * 2 ** 27 + (low >>> 1);
  let time = low & 1 ? -magnitude - 1 : magnitude;
  if (!Number.isSafeInteger(time)) throw corruptChunk("its first time", length, count);
  let valueHigh = view.getInt32(timeEnd);
  let valueLow = view.getInt32(timeEnd + 4);
  times[first] = time;
  words[2 * first] = valueLow;
  words[2 * first + 1] = valueHigh;
  if (count === 1) {
    into.length = end;
    return;
  }

  // Second sample: its delta is a uvarint.
  const deltaEnd = varintEnd(view, timeEnd + 8);
  if (deltaEnd < 0) throw corruptChunk("its first delta", length, count);
  low = varintLow(view, timeEnd + 8, deltaEnd);
  rest = varintRest(view, timeEnd + 8, deltaEnd);
  const second = time + rest * 2 ** 28 + low; // In this order every step is exact, or too large.
  let delta = second - time;
  if (!(delta > 0 && second < TWO_53)) throw corruptChunk("its first delta", length, count);
  time = second;

  let bit = deltaEnd * 8;
  let windowLength = 0;
  let shift = 0;
  for (let i = first + 1; ;) {
    // 25 bits at least: enough for any short time, or for a time of one bit and a value's control bits.
    let window = bit <= bitMax ? view.getInt32(bit >>> 3) << (bit & 7) : peekTail(view, size, bit);

    if (i > first + 1) {
      if (window >= 0) {
        window <<= 1;
        bit += 1;
        time += delta;
      } else {
        const prefix = Math.clz32(~window);
        let next: number;
        if (prefix < 4) {
          const width = 11 + 3 * prefix;
          const half = 1 << (width - 1);
          const code = (window << (prefix + 1)) >>> (32 - width);
          const dod = code > half ? code - 2 * half : code;
          bit += prefix + 1 + width;
          next =
            delta < DELTA_PLAIN
              ? time + (delta + dod)
              : nextTime(time, times[i - 2]!, dod >> 31, dod);
        } else {
          const dodHigh = word(view, size, bit + 4);
          const dodLow = word(view, size, bit + 36);
          bit += 68;
          next = nextTime(time, times[i - 2]!, dodHigh, dodLow);
        }
        delta = next - time;
        if (!(delta > 0)) throw corruptChunk("a time that does not increase", length, count);
        time = next;
        window = bit <= bitMax ? view.getInt32(bit >>> 3) << (bit & 7) : peekTail(view, size, bit);
      }
    }

    if (window >= 0) {
      bit += 1;
    } else {
      if ((window & 0x40000000) === 0) {
        bit += 2;
        if (windowLength === 0) throw corruptChunk("a window before the first", length, count);
      } else {
        const leading = (window >>> 25) & 31;
        windowLength = (window >>> 19) & 63 || 64;
        shift = 64 - leading - windowLength;
        bit += 13;
        if (shift < 0) throw corruptChunk("a window of too many bits", length, count);
      }
      if (windowLength <= 32) {
        const code = word(view, size, bit) >>> (32 - windowLength);
        if (shift >= 32) {
          valueHigh ^= code << (shift - 32);
        } else {
          valueLow ^= code << shift;
          if (shift > 0) valueHigh ^= code >>> (32 - shift);
        }
      } else {
        const high = word(view, size, bit) >>> (64 - windowLength);
        const code = word(view, size, bit + windowLength - 32);
        valueLow ^= code << shift;
        valueHigh ^= shift > 0 ? (high << shift) | (code >>> (32 - shift)) : high;
      }
      bit += windowLength;
    }

    times[i] = time;
    words[2 * i] = valueLow;
    words[2 * i + 1] = valueHigh;
    i += 1;
    if (i === end) break;
  }
  if (bit > size * 8) throw corruptChunk("it ends inside a sample", length, count);
  if (time >= TWO_53) throw corruptChunk("its last time", length, count); // Times increased up to here.
  into.length = end;
}

function bitsMin(count: number): number {
  const later = count > 1 ? SECOND_BITS_MIN + (count - 2) * SAMPLE_BITS_MIN : 0;
  return HEADER_BYTES * 8 + FIRST_BITS_MIN + later;
}

/** The 32 bits from `bit` on; zeros where the chunk has ended. */
function word(view: DataView, size: number, bit: number): number {
  const at = bit >>> 3;
  if (at + 5 > size) return peekTail(view, size, bit);
  return (view.getInt32(at) << (bit & 7)) | (view.getUint8(at + 4) >>> (8 - (bit & 7)));
}

/** The same near the end, byte by byte. */
function peekTail(view: DataView, size: number, bit: number): number {
  let result = 0;
  const at = bit >>> 3;
  for (let i = 0; i < 4; i += 1) {
    result = (result << 8) | (at + i < size ? view.getUint8(at + i) : 0);
  }
  const next = at + 4 < size ? view.getUint8(at + 4) : 0;
  return (result << (bit & 7)) | (next >>> (8 - (bit & 7)));
}

/** `2 * last - previous + dod` in 64-bit two's complement; NaN when it is no safe integer. */
function nextTime(last: number, previous: number, dodHigh: number, dodLow: number): number {
  const low = 2 * (last >>> 0) - (previous >>> 0) + (dodLow >>> 0);
  const carried = Math.floor(low / TWO_32);
  const high = 2 * Math.floor(last / TWO_32) - Math.floor(previous / TWO_32) + dodHigh + carried;
  const time = (high | 0) * TWO_32 + (low >>> 0);
  return Number.isSafeInteger(time) ? time : Number.NaN;
}

/** Where the varint at `at` ends: -1 when it does not. */
function varintEnd(view: DataView, at: number): number {
  const until = Math.min(view.byteLength, at + VARINT_BYTES_MAX);
  for (let i = at; i < until; i += 1) if (view.getUint8(i) < 0x80) return i + 1;
  return -1;
}

/** The low 28 bits of a varint. */
function varintLow(view: DataView, at: number, until: number): number {
  let result = 0;
  for (let i = Math.min(until, at + 4) - 1; i >= at; i -= 1) {
    result = (result << 7) | (view.getUint8(i) & 0x7f);
  }
  return result;
}

/** What a varint holds above its low 28 bits: up to 42 bits. */
function varintRest(view: DataView, at: number, until: number): number {
  let result = 0;
  for (let i = until - 1; i >= at + 4; i -= 1) result = result * 128 + (view.getUint8(i) & 0x7f);
  return result;
}
