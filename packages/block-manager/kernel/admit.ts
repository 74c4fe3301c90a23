/**
 * Admits rows: what `admitEach` of src/internal/admission.ts does with those that are newer than their series' last sample, or
 * its first ones. Every other row is left to it.
 */

const OPEN: u8 = 0;
const ACCEPTED: u8 = 1;

/** From here on, doubles skip integers. */
const TIME_MAX: f64 = 9_007_199_254_740_991;

// A series' state, by byte: src/internal/series-table.ts has its fields.
const VALUE: usize = 8;
const FLAGS: usize = 16;
const KNOWN: u32 = 1;

// The undo stack, by byte: u32 rows on it, and from UNDO_ROWS on the rows. src/internal/undo.ts has their fields.
const UNDO_ROWS: usize = 8;
const UNDO_BYTES: usize = 24;
const UNDO_VALUE: usize = 8;
const UNDO_FLAGS: usize = 16;
const UNDO_SERIES: usize = 20;

/**
 * Admits rows up to the first one that is not for it, and returns that row, or `until`. The undo stack takes what they were
 * before, and no more than `most` rows.
 */
export function admitRows(
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
  cutTime: f64,
  undo: usize,
  most: u32,
): u32 {
  let top = load<u32>(undo);
  const mask = (<u32>1 << shift) - 1;
  let row = from;
  for (; row < until; row += 1) {
    if (load<u8>(status + row) != OPEN) continue;
    const time = load<f64>(times + (<usize>row << 3));
    const index = load<u32>(refs + (<usize>row << 2)) - 1;
    const number = index >>> shift;
    const page = number < pageCount ? load<u32>(pages + (<usize>number << 2)) : 0;
    if (page == 0 || top >= most || !isSafe(time) || time < cutTime) break;
    const series = <usize>(page + (index & mask) * stride);
    const last = load<f64>(series);
    const flags = load<u32>(series, FLAGS);
    if (!(time > last) && (flags & KNOWN) != 0) break;
    const before = undo + UNDO_ROWS + <usize>top * UNDO_BYTES;
    store<f64>(before, last);
    store<u64>(before, load<u64>(series, VALUE), UNDO_VALUE);
    store<u32>(before, flags, UNDO_FLAGS);
    store<u32>(before, index + 1, UNDO_SERIES);
    top += 1;
    store<f64>(series, time);
    store<u64>(series, load<u64>(values + (<usize>row << 3)), VALUE);
    store<u32>(series, KNOWN, FLAGS);
    store<u8>(status + row, ACCEPTED);
  }
  store<u32>(undo, top);
  return row;
}

// @inline
function isSafe(time: f64): bool {
  return abs<f64>(time) <= TIME_MAX && trunc<f64>(time) == time;
}
