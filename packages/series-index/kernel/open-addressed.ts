/**
 * Finds and inserts rows: what src/open-addressed-index.ts does with rows whose first candidate decides, and with new ones
 * for which no room has to be made. Every other row is left to it.
 */

/** Rows whose slots are sought before the first key is compared: enough for cache misses to overlap. */
const GROUP_ROWS: u32 = 64;

// A segment's slots, by byte: src/segment-layout.ts has their fields, src/slot-table.ts the bounds.
const SLOT_REF: usize = 8;
const SLOT_KEY: usize = 12;
const SLOT_SHIFT: u32 = 4;
const SLOT_MASK: u32 = 511;
const HOME_SHIFT: u32 = 23;
const PROBES_MAX: u32 = 64;
const SEGMENT_SERIES_MAX: u32 = 358;
const NO_SLOT: usize = 0;

// A key, by byte: src/key-arena.ts has its header.
const KEY_PLACE: usize = 4;
const KEY_REF: usize = 8;
const KEY_BYTES: u32 = 12;
const PIECE_BYTES_MAX: u32 = 16_384;

// What calls share, by byte: src/index-kernel.ts has its fields.
const STARTS: usize = 8;
const MASK: usize = 12;
const NUMBERS: usize = 16;
const SERIES: usize = 20;
const OVERFLOWED: usize = 24;
const NEXT_REF: usize = 28;
const MOST: usize = 32;
const COLUMN: usize = 36;
const NEXT_KEY: usize = 40;
const PAGE_END: usize = 44;
const GROUP: usize = 64;

const OPEN: u8 = 0;

/** Finds rows up to the first one that is not for it, and returns that row, or `until`. */
export function findRows(
  state: usize,
  refs: usize,
  hashes: usize,
  keyAt: usize,
  keys: usize,
  from: u32,
  until: u32,
): u32 {
  for (let start = from; start < until; start += GROUP_ROWS) {
    const end = min<u32>(start + GROUP_ROWS, until);
    let slotAt = state + GROUP;
    for (let row = start; row < end; row += 1, slotAt += 4) {
      if (load<u32>(refs + (<usize>row << 2)) != 0) continue;
      const hash = load<u64>(hashes + (<usize>row << 3));
      store<u32>(slotAt, <u32>seek(state, placeOf(state, hash), hash));
    }
    slotAt = state + GROUP;
    for (let row = start; row < end; row += 1, slotAt += 4) {
      const refAt = refs + (<usize>row << 2);
      if (load<u32>(refAt) != 0) continue;
      const slot = <usize>load<u32>(slotAt);
      const ref = slot == NO_SLOT ? 0 : load<u32>(slot, SLOT_REF);
      if (ref == 0) {
        if (mayOverflow(state, load<u64>(hashes + (<usize>row << 3)))) return row;
        continue;
      }
      const keyAtRow = keyAt + (<usize>row << 2);
      const byteAt = load<u32>(keyAtRow);
      if (!isKey(slot, keys + byteAt, load<u32>(keyAtRow, 4) - byteAt)) return row;
      store<u32>(refAt, ref);
    }
  }
  return until;
}

/**
 * Inserts rows up to the first one that is not for it, and returns that row, or `until`. What the next series gets moves on
 * with every new one: its ref, its place in the column and in the arena's page.
 */
export function insertRows(
  state: usize,
  refs: usize,
  hashes: usize,
  keyAt: usize,
  keys: usize,
  status: usize,
  from: u32,
  until: u32,
): u32 {
  const end = load<u32>(state, PAGE_END);
  let most = load<u32>(state, MOST);
  let ref = load<u32>(state, NEXT_REF);
  let column = <usize>load<u32>(state, COLUMN);
  let key = load<u32>(state, NEXT_KEY);
  let row = from;
  for (; row < until; row += 1) {
    const refAt = refs + (<usize>row << 2);
    if (load<u8>(status + row) != OPEN || load<u32>(refAt) != 0) continue;
    const hash = load<u64>(hashes + (<usize>row << 3));
    const place = placeOf(state, hash);
    const slot = seek(state, place, hash);
    if (slot == NO_SLOT) break;
    const keyAtRow = keyAt + (<usize>row << 2);
    const byteAt = load<u32>(keyAtRow);
    const length = load<u32>(keyAtRow, 4) - byteAt;
    const known = load<u32>(slot, SLOT_REF);
    if (known != 0) {
      if (!isKey(slot, keys + byteAt, length)) break;
      store<u32>(refAt, known);
      continue;
    }
    const series = seriesAt(state, place);
    const bytes = (KEY_BYTES + length + 7) & ~7;
    if (most == 0 || length > PIECE_BYTES_MAX || bytes > PIECE_BYTES_MAX || bytes > end - key) break;
    if (load<u16>(series) >= SEGMENT_SERIES_MAX || mayOverflow(state, hash)) break;
    store<u32>(key, length);
    store<u32>(key, place, KEY_PLACE);
    store<u32>(key, ref, KEY_REF);
    copyKey(key + KEY_BYTES, keys + byteAt, length);
    store<u64>(slot, hash);
    store<u32>(slot, ref, SLOT_REF);
    store<u32>(slot, key >>> 2, SLOT_KEY);
    store<u16>(series, load<u16>(series) + 1);
    store<u32>(column, key >>> 2);
    store<u32>(refAt, ref);
    key += bytes;
    column += 4;
    ref += 1;
    most -= 1;
  }
  store<u32>(state, ref, NEXT_REF);
  store<u32>(state, key, NEXT_KEY);
  return row;
}

/** A hash as the table's place for it: `SlotTable.place`. */
// @inline
function placeOf(state: usize, hash: u64): u32 {
  const mixed = hash ^ load<u64>(state);
  let h = <u32>mixed * 0x85ebca6b;
  h ^= h >>> 15;
  h = (h ^ <u32>(mixed >> 32)) * 0xc2b2ae35;
  h ^= h >>> 13;
  h *= 0x27d4eb2f;
  return h ^ (h >>> 16);
}

/** The first slot from a place on that holds the hash or nothing, or NO_SLOT. */
// @inline
function seek(state: usize, place: u32, hash: u64): usize {
  const entry = load<u32>(state, STARTS) + ((place & load<u32>(state, MASK)) << 2);
  const base = <usize>load<u32>(entry) << 2;
  const home = place >>> HOME_SHIFT;
  for (let probe: u32 = 0; probe < PROBES_MAX; probe += 1) {
    const slot = base + (<usize>((home + probe) & SLOT_MASK) << SLOT_SHIFT);
    if (load<u32>(slot, SLOT_REF) == 0 || load<u64>(slot) == hash) return slot;
  }
  return NO_SLOT;
}

/** Whether a series of this hash may be in the overflow. */
// @inline
function mayOverflow(state: usize, hash: u64): bool {
  const overflowed = <usize>load<u32>(state, OVERFLOWED);
  return overflowed != 0 && load<u8>(overflowed + numberOf(state, placeOf(state, hash))) != 0;
}

/** Where the series of a place's segment are counted. */
// @inline
function seriesAt(state: usize, place: u32): usize {
  return <usize>load<u32>(state, SERIES) + (numberOf(state, place) << 1);
}

// @inline
function numberOf(state: usize, place: u32): usize {
  const entry = load<u32>(state, NUMBERS) + ((place & load<u32>(state, MASK)) << 2);
  return <usize>load<u32>(entry);
}

/** Whether the key of a slot is the `length` bytes at `given`. */
// @inline
function isKey(slot: usize, given: usize, length: u32): bool {
  const key = <usize>load<u32>(slot, SLOT_KEY) << 2;
  return load<u32>(key) == length && equals(key + KEY_BYTES, given, length);
}

/** Compares eight bytes at a time; the last eight overlap those before. */
function equals(stored: usize, given: usize, length: u32): bool {
  if (length < 8) return start(stored, length) == start(given, length);
  const last = stored + length - 8;
  if (load<u64>(last) != load<u64>(given + length - 8)) return false;
  for (; stored + 24 < last; stored += 32, given += 32) {
    const difference =
      (load<u64>(stored) ^ load<u64>(given)) |
      (load<u64>(stored, 8) ^ load<u64>(given, 8)) |
      (load<u64>(stored, 16) ^ load<u64>(given, 16)) |
      (load<u64>(stored, 24) ^ load<u64>(given, 24));
    if (difference != 0) return false;
  }
  for (; stored < last; stored += 8, given += 8) {
    if (load<u64>(stored) != load<u64>(given)) return false;
  }
  return true;
}

/** Copies a key. Its last word is padded with zeros; no byte behind it is read or written. */
// @inline
function copyKey(to: usize, given: usize, length: u32): void {
  let left = length;
  for (; left >= 8; left -= 8, to += 8, given += 8) store<u64>(to, load<u64>(given));
  const rest = start(given, left);
  if (left != 0) store<u32>(to, <u32>rest);
  if (left > 4) store<u32>(to, <u32>(rest >> 32), 4);
}

/** The first `length` bytes, fewer than eight, as a number. */
function start(at: usize, length: u32): u64 {
  let number: u64 = 0;
  let shift: u64 = 0;
  if ((length & 4) != 0) {
    number = load<u32>(at);
    at += 4;
    shift = 32;
  }
  if ((length & 2) != 0) {
    number |= <u64>load<u16>(at) << shift;
    at += 2;
    shift += 16;
  }
  if ((length & 1) != 0) number |= <u64>load<u8>(at) << shift;
  return number;
}
