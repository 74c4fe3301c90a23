/**
 * Prometheus' XOR encoding: what src/internal/xor-append.ts does, on the same state, bit for bit. Times are safe integers,
 * as 64-bit ones they need no care; values are bits.
 */

// State, by byte: f64 last time, f64 the one before, u64 last value, u32 bits that the chunk takes, then packed: u16
// samples, 5 bits of leading zeros, 7 bits of length of the window of the last changed value, 0 for none.
const PREVIOUS_TIME: usize = 8;
const VALUE: usize = 16;
const BITS: usize = 24;
const PACKED: usize = 28;
const LEADING_SHIFT: u32 = 16;
const LENGTH_SHIFT: u32 = 21;
const COUNT_MASK: u32 = 0xffff;

const HEADER_BYTES: u32 = 2;
const FIRST_BYTES_MAX: u32 = 18;

// An open chunk, by byte: contracts/src/chunk.ts has its fields.
const END_TIME: usize = 8;
const PLACE: usize = 16;
const CAPACITY: usize = 20;
const COUNT: usize = 24;
const STOP: usize = 28;
const STATE: usize = 32;

const ACCEPTED: u8 = 1;
const LATE: u8 = 7;

/**
 * Appends ACCEPTED rows to the open chunks of their series, in order, up to the first one that needs more than that, and
 * returns its number: see `ChunkCodec.appendRows`.
 */
export function appendRows(
  refs: usize,
  times: usize,
  values: usize,
  status: usize,
  from: u32,
  until: u32,
  pages: usize,
  pageCount: u32,
  shift: u32,
  stride: u32,
  first: u32,
): u32 {
  const mask = (<u32>1 << shift) - 1;
  for (let row = from; row < until; row += 1) {
    const verdict = load<u8>(status + row);
    if (verdict != ACCEPTED) {
      if (verdict == LATE) return row;
      continue;
    }
    const index = load<u32>(refs + (<usize>row << 2)) - 1;
    const number = index >>> shift;
    const page = number < pageCount ? load<u32>(pages + (<usize>number << 2)) : 0;
    if (page == 0) return row;
    const open = <usize>(page + (index & mask) * stride + first);
    const time = load<f64>(times + (<usize>row << 3));
    const count = load<u32>(open, COUNT) + 1;
    if (count >= load<u32>(open, STOP) || time >= load<f64>(open, END_TIME)) return row;
    const value = load<u64>(values + (<usize>row << 3));
    if (!put(open + STATE, load<u32>(open, PLACE), load<u32>(open, CAPACITY), time, value)) return row;
    store<f64>(open, time);
    store<u32>(open, count, COUNT);
  }
  return until;
}

/** Appends a sample to the chunk at `chunk`. False, and nothing is changed, when it does not fit. */
function put(state: usize, chunk: usize, capacity: u32, time: f64, value: u64): bool {
  let packed = load<u32>(state, PACKED);
  const count = packed & COUNT_MASK;
  if (count == 0) return putFirst(state, chunk, capacity, time, value);
  if (count == COUNT_MASK) return false;
  const last = load<f64>(state);
  const delta = <i64>time - <i64>last;

  // Time: `code` in `bits`, but for the second sample's delta and for wide deltas of delta.
  let code: u64 = 0;
  let bits: u32 = 1;
  let dod: i64 = 0;
  if (count == 1) {
    bits = uvarintBytes(<u64>delta) << 3;
  } else {
    dod = delta - (<i64>last - <i64>load<f64>(state, PREVIOUS_TIME));
    if (dod != 0) {
      // A form of k bits holds -(2^(k-1) - 1) … 2^(k-1): one more above than below.
      if (dod >= -8191 && dod <= 8192) {
        code = (0b10 << 14) | (<u64>dod & 0x3fff);
        bits = 16;
      } else if (dod >= -65_535 && dod <= 65_536) {
        code = (0b110 << 17) | (<u64>dod & 0x1ffff);
        bits = 20;
      } else if (dod >= -524_287 && dod <= 524_288) {
        code = (0b1110 << 20) | (<u64>dod & 0xfffff);
        bits = 24;
      } else {
        bits = 68; // A prefix of 4 bits, and 64.
      }
    }
  }

  // Value: `control` in `controlBits`, then a window of `length` bits of the difference.
  const xor = value ^ load<u64>(state, VALUE);
  let control: u64 = 0;
  let controlBits: u32 = 1;
  let length: u32 = 0;
  let payload: u64 = 0;
  if (xor != 0) {
    let leading = <u32>clz<u64>(xor);
    if (leading > 31) leading = 31; // The form holds at most 31.
    const trailing = <u32>ctz<u64>(xor);
    const oldLeading = (packed >>> LEADING_SHIFT) & 31;
    length = packed >>> LENGTH_SHIFT;
    let shift: u32 = 64 - oldLeading - length;
    if (length != 0 && leading >= oldLeading && trailing >= shift) {
      control = 0b10;
      controlBits = 2;
    } else {
      shift = trailing;
      length = 64 - leading - shift;
      control = (0b11 << 11) | (leading << 6) | (length & 63); // 64 is written as 0.
      controlBits = 13;
      packed = count | (leading << LEADING_SHIFT) | (length << LENGTH_SHIFT);
    }
    payload = xor >> shift;
  }

  let bit = load<u32>(state, BITS);
  const end = bit + bits + controlBits + length;
  if (end > capacity << 3) return false;
  // Where eight bytes from the first one on lie in the chunk, a store of eight writes up to 57 bits.
  const wide = (capacity << 3) - 64;

  if (bits > 24 || count == 1) {
    if (count == 1) {
      writeUvarint(chunk + (bit >>> 3), <u64>delta);
      bit += bits;
    } else {
      bit = putBits(chunk, bit, 0b1111, 4, wide);
      bit = putBits(chunk, bit, <u64>dod >> 32, 32, wide);
      bit = putBits(chunk, bit, <u64>dod & 0xffffffff, 32, wide);
    }
    bits = 0;
    code = 0;
  }
  const head = bits + controlBits;
  code = (code << controlBits) | control;
  if (head + length <= 57) {
    putBits(chunk, bit, (code << length) | payload, head + length, wide);
  } else {
    bit = putBits(chunk, bit, code, head, wide);
    if (length > 32) {
      bit = putBits(chunk, bit, payload >> 32, length - 32, wide);
      payload &= 0xffffffff;
      length = 32;
    }
    putBits(chunk, bit, payload, length, wide);
  }

  store<f64>(state, time);
  store<f64>(state, last, PREVIOUS_TIME);
  store<u64>(state, value, VALUE);
  store<u32>(state, end, BITS);
  store<u32>(state, packed + 1, PACKED);
  return true;
}

function putFirst(state: usize, chunk: usize, capacity: u32, time: f64, value: u64): bool {
  if (capacity < FIRST_BYTES_MAX) return false;
  const whole = <i64>time;
  const at = writeUvarint(chunk + HEADER_BYTES, <u64>((whole << 1) ^ (whole >> 63)));
  store<u64>(at, bswap<u64>(value));
  store<f64>(state, time);
  store<u64>(state, value, VALUE);
  store<u32>(state, <u32>(at + 8 - chunk) << 3, BITS);
  store<u32>(state, 1, PACKED);
  return true;
}

/**
 * Writes the low `count` bits of `value`, at most 57, at bit `bit` of the chunk, and returns the bit after them. Higher bits
 * of `value` are zero. What is left of the last byte becomes zero; up to bit `wide`, more behind it may.
 */
// @inline
function putBits(chunk: usize, bit: u32, value: u64, count: u32, wide: i32): u32 {
  const used = bit & 7;
  const at = chunk + (bit >>> 3);
  const head = used == 0 ? <u64>0 : <u64>load<u8>(at) << 56;
  const word = head | (value << (64 - used - count));
  if (<i32>bit <= wide) store<u64>(at, bswap<u64>(word));
  else putBytes(at, word, (used + count + 7) >>> 3);
  return bit + count;
}

function putBytes(at: usize, word: u64, bytes: u32): void {
  for (let i: u32 = 0; i < bytes; i += 1) store<u8>(at + i, <u8>(word >> (56 - (i << 3))));
}

function uvarintBytes(value: u64): u32 {
  return value == 0 ? 1 : (70 - <u32>clz<u64>(value)) / 7;
}

function writeUvarint(at: usize, value: u64): usize {
  while (value >= 0x80) {
    store<u8>(at, <u8>(value | 0x80));
    value >>= 7;
    at += 1;
  }
  store<u8>(at, <u8>value);
  return at + 1;
}
