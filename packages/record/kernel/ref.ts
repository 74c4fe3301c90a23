/**
 * Records of `ref`: what src/internal/write-series.ts, src/internal/write-labels.ts and src/ref.ts write, byte for byte.
 */

const ACCEPTED: u8 = 1;
const SERIES_RECORD: u8 = 1;
const SAMPLES_RECORD: u8 = 2;

/** From here on, doubles skip integers: no distance between times is longer. */
const DISTANCE_MAX: f64 = 9_007_199_254_740_991;

const SEPARATORS = i8x16.splat(-1);

/** Most bytes that the series of the new rows take in a record: 0 when there are none. */
export function seriesRoom(isNew: usize, status: usize, keyAt: usize, from: u32, until: u32): u32 {
  let room: u32 = 0;
  for (let row = from; row < until; row += 1) {
    if (load<u8>(isNew + row) == 0 || load<u8>(status + row) != ACCEPTED) continue;
    const ends = keyAt + (<usize>row << 2);
    const key = load<u32>(ends, 4) - load<u32>(ends);
    room += key + (key >>> 7) + 16;
  }
  return room == 0 ? 0 : room + 1;
}

/** Writes the series record of the new rows, and returns where it ends. */
export function writeSeries(
  refs: usize,
  isNew: usize,
  status: usize,
  keys: usize,
  keyAt: usize,
  from: u32,
  until: u32,
  at: usize,
): usize {
  store<u8>(at++, SERIES_RECORD);
  for (let row = from; row < until; row += 1) {
    if (load<u8>(isNew + row) == 0 || load<u8>(status + row) != ACCEPTED) continue;
    store<u64>(at, bswap<u64>(load<u32>(refs + (<usize>row << 2))));
    const ends = keyAt + (<usize>row << 2);
    at = writeLabels(at + 8, keys + load<u32>(ends), keys + load<u32>(ends, 4));
  }
  return at;
}

/**
 * Writes a key as labels: how many there are, then each string behind its length. A key has that form but for separators where
 * the next string's length belongs, so it is copied, and lengths are put over separators.
 */
function writeLabels(at: usize, from: usize, until: usize): usize {
  const first = at;
  let lengthAt = at + 1;
  let out = at + 2;
  let lengths: usize = 0;
  let strings: u32 = 0;
  let i = from;
  for (; i + 16 <= until; i += 16) {
    const part = v128.load(i);
    v128.store(out, part);
    let ends = i8x16.bitmask(i8x16.eq(part, SEPARATORS));
    while (ends != 0) {
      const separator = out + ctz<i32>(ends);
      const length = separator - lengthAt - 1;
      store<u8>(lengthAt, <u8>length);
      lengths |= length;
      lengthAt = separator;
      strings += 1;
      ends &= ends - 1;
    }
    out += 16;
  }
  for (; i < until; i += 1) {
    const byte = load<u8>(i);
    store<u8>(out, byte);
    if (byte == 0xff) {
      const length = out - lengthAt - 1;
      store<u8>(lengthAt, <u8>length);
      lengths |= length;
      lengthAt = out;
      strings += 1;
    }
    out += 1;
  }
  if (lengths >= 0x80 || strings >= 0x100) return writeLongLabels(first, from, until, strings >>> 1);
  store<u8>(first, <u8>(strings >>> 1));
  return lengthAt;
}

/** The same for lengths and counts of several bytes, a string at a time. */
function writeLongLabels(at: usize, from: usize, until: usize, count: u32): usize {
  at = writeUvarint(at, count);
  while (from < until) {
    let end = from;
    while (load<u8>(end) != 0xff) end += 1;
    at = writeUvarint(at, end - from);
    memory.copy(at, from, end - from);
    at += end - from;
    from = end + 1;
  }
  return at;
}

/**
 * Writes a samples record of the ACCEPTED rows from `from` on, the first of which is `from`. Returns where it ends, and in the
 * word there the row at which the next record begins: one whose time lies further from the first than a record can say.
 */
export function writeSamples(
  refs: usize,
  times: usize,
  values: usize,
  status: usize,
  from: u32,
  until: u32,
  at: usize,
): usize {
  const firstRef = <i64>load<u32>(refs + (<usize>from << 2));
  const firstTime = load<f64>(times + (<usize>from << 3));
  const firstWhole = <i64>firstTime;
  store<u8>(at, SAMPLES_RECORD);
  store<u64>(at, bswap<u64>(<u64>firstRef), 1);
  store<u64>(at, bswap<u64>(<u64>firstWhole), 9);
  at += 17;
  let row = from;
  for (; row < until; row += 1) {
    if (load<u8>(status + row) != ACCEPTED) continue;
    const time = load<f64>(times + (<usize>row << 3));
    if (abs<f64>(time - firstTime) > DISTANCE_MAX) break;
    at = writeVarint(at, <i64>load<u32>(refs + (<usize>row << 2)) - firstRef);
    at = writeVarint(at, <i64>time - firstWhole);
    store<u64>(at, bswap<u64>(load<u64>(values + (<usize>row << 3))));
    at += 8;
  }
  store<u32>(at, row);
  return at;
}

// @inline
function writeVarint(at: usize, value: i64): usize {
  return writeUvarint(at, (<u64>value << 1) ^ <u64>(value >> 63));
}

// @inline
function writeUvarint(at: usize, value: u64): usize {
  while (value >= 0x80) {
    store<u8>(at, <u8>(value | 0x80));
    value >>= 7;
    at += 1;
  }
  store<u8>(at, <u8>value);
  return at + 1;
}
