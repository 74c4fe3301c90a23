/**
 * CRC-32C by slicing: what src/crc32c.ts does, in a memory of its own, which is not shared, so that bytes are copied into it
 * at the speed of the machine. Three stretches of equal length are gone through side by side, because one alone waits for
 * its own last step; then their checksums are joined by tables that stand for so many bytes of zeros.
 */

const POLYNOMIAL: u32 = 0x82f63b78;
/** Bytes of a stretch. */
const STRETCH: u32 = 256;
/** Eight tables of 256 words, then four tables for STRETCH bytes of zeros, and four for twice as many. */
const SLICES: usize = 0;
const ZEROS: usize = 8 * 1024;
const MORE_ZEROS: usize = 12 * 1024;

/** Fills the tables, once. */
export function init(): void {
  for (let i: u32 = 0; i < 256; i += 1) {
    let crc = i;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    store<u32>(SLICES + (i << 2), crc);
  }
  for (let i: u32 = 256; i < 2048; i += 1) {
    const previous = load<u32>(SLICES + ((i - 256) << 2));
    store<u32>(SLICES + (i << 2), (previous >>> 8) ^ load<u32>(SLICES + ((previous & 255) << 2)));
  }
  fillZeros(ZEROS, STRETCH);
  fillZeros(MORE_ZEROS, 2 * STRETCH);
}

/** What each byte of a checksum becomes by so many bytes of zeros. */
function fillZeros(table: usize, zeros: u32): void {
  for (let byte: u32 = 0; byte < 4; byte += 1) {
    for (let i: u32 = 0; i < 256; i += 1) {
      let crc = i << (byte << 3);
      for (let step: u32 = 0; step < zeros; step += 1) {
        crc = (crc >>> 8) ^ load<u32>(SLICES + ((crc & 255) << 2));
      }
      store<u32>(table + (((byte << 8) + i) << 2), crc);
    }
  }
}

/** Extends `crc`, inverted as it is between steps, by the bytes from `at` to `end`. */
export function extend(crc: u32, at: usize, end: usize): u32 {
  while (at + 3 * STRETCH <= end) {
    let second: u32 = 0;
    let third: u32 = 0;
    for (const until = at + STRETCH; at < until; at += 8) {
      crc = slice(crc ^ load<u32>(at), load<u32>(at, 4));
      second = slice(second ^ load<u32>(at, STRETCH), load<u32>(at, STRETCH + 4));
      third = slice(third ^ load<u32>(at, 2 * STRETCH), load<u32>(at, 2 * STRETCH + 4));
    }
    crc = shift(MORE_ZEROS, crc) ^ shift(ZEROS, second) ^ third;
    at += 2 * STRETCH;
  }
  for (; at + 8 <= end; at += 8) crc = slice(crc ^ load<u32>(at), load<u32>(at, 4));
  for (; at < end; at += 1) {
    crc = (crc >>> 8) ^ load<u32>(SLICES + (<usize>((crc ^ load<u8>(at)) & 255) << 2));
  }
  return crc;
}

// @inline
function slice(low: u32, high: u32): u32 {
  return (
    entry(7, low & 255) ^
    entry(6, (low >>> 8) & 255) ^
    entry(5, (low >>> 16) & 255) ^
    entry(4, low >>> 24) ^
    entry(3, high & 255) ^
    entry(2, (high >>> 8) & 255) ^
    entry(1, (high >>> 16) & 255) ^
    entry(0, high >>> 24)
  );
}

// @inline
function entry(table: usize, byte: u32): u32 {
  return load<u32>(SLICES + (table << 10) + (<usize>byte << 2));
}

// @inline
function shift(table: usize, crc: u32): u32 {
  return (
    load<u32>(table + (<usize>(crc & 255) << 2)) ^
    load<u32>(table + 1024 + (<usize>((crc >>> 8) & 255) << 2)) ^
    load<u32>(table + 2048 + (<usize>((crc >>> 16) & 255) << 2)) ^
    load<u32>(table + 3072 + (<usize>(crc >>> 24) << 2))
  );
}
