/**
 * Frames a record: what `#fragments` of src/internal/framer.ts does for records of the caller's, byte for byte, and CRC-32C
 * as packages/bytes/kernel/crc32c.ts takes it, with tables made there.
 */

const PAGE_BYTES: u32 = 32_768;
const HEADER_BYTES: u32 = 7;
const FULL: u8 = 1;
const FIRST: u8 = 2;
const MIDDLE: u8 = 3;
const LAST: u8 = 4;

// The tables, by byte: eight of 256 words, then four for STRETCH bytes of zeros, and four for twice as many.
const STRETCH: u32 = 256;
const ZEROS: usize = 8 * 1024;
const MORE_ZEROS: usize = 12 * 1024;

/**
 * Frames the bytes from `from` to `until` behind `out + at`, where `base + at` is the place in the file, and returns where the
 * next fragment goes, as `at`. `chain` is the checksum over headers so far, which goes on over these: a word of the memory.
 */
export function frame(
  from: usize,
  until: usize,
  out: usize,
  at: u32,
  base: u32,
  tables: usize,
  chain: usize,
): u32 {
  let run = ~load<u32>(chain);
  let isFirst = true;
  for (;;) {
    const room = PAGE_BYTES - ((base + at) & (PAGE_BYTES - 1)) - HEADER_BYTES;
    const rest = <u32>(until - from);
    const part = rest < room ? rest : room;
    const isLast = part == rest;
    const header = out + at;
    const body = header + HEADER_BYTES;
    memory.copy(body, from, part);
    const sum = ~extend(tables, ~0, body, body + part);
    const type = isLast ? (isFirst ? FULL : LAST) : isFirst ? FIRST : MIDDLE;
    store<u8>(header, type);
    store<u16>(header, bswap<u16>(<u16>part), 1);
    store<u32>(header, bswap<u32>(sum), 3);
    run = extend(tables, run, header, body);
    at += HEADER_BYTES + part;
    from += part;
    // A header does not fit the rest of the page: zeros, and on with the next page.
    const rim = room - part;
    if (rim < HEADER_BYTES) {
      memory.fill(out + at, 0, rim);
      at += rim;
    }
    if (isLast) break;
    isFirst = false;
  }
  store<u32>(chain, ~run);
  return at;
}

/** Extends `crc`, inverted as it is between steps, by the bytes from `at` to `end`. */
function extend(tables: usize, crc: u32, at: usize, end: usize): u32 {
  while (at + 3 * STRETCH <= end) {
    let second: u32 = 0;
    let third: u32 = 0;
    for (const until = at + STRETCH; at < until; at += 8) {
      crc = slice(tables, crc ^ load<u32>(at), load<u32>(at, 4));
      second = slice(tables, second ^ load<u32>(at, STRETCH), load<u32>(at, STRETCH + 4));
      third = slice(tables, third ^ load<u32>(at, 2 * STRETCH), load<u32>(at, 2 * STRETCH + 4));
    }
    crc = shift(tables + MORE_ZEROS, crc) ^ shift(tables + ZEROS, second) ^ third;
    at += 2 * STRETCH;
  }
  for (; at + 8 <= end; at += 8) crc = slice(tables, crc ^ load<u32>(at), load<u32>(at, 4));
  for (; at < end; at += 1) {
    crc = (crc >>> 8) ^ load<u32>(tables + (<usize>((crc ^ load<u8>(at)) & 255) << 2));
  }
  return crc;
}

// @inline
function slice(tables: usize, low: u32, high: u32): u32 {
  return (
    load<u32>(tables + (<usize>(low & 255) << 2), 7 * 1024) ^
    load<u32>(tables + (<usize>((low >>> 8) & 255) << 2), 6 * 1024) ^
    load<u32>(tables + (<usize>((low >>> 16) & 255) << 2), 5 * 1024) ^
    load<u32>(tables + (<usize>(low >>> 24) << 2), 4 * 1024) ^
    load<u32>(tables + (<usize>(high & 255) << 2), 3 * 1024) ^
    load<u32>(tables + (<usize>((high >>> 8) & 255) << 2), 2 * 1024) ^
    load<u32>(tables + (<usize>((high >>> 16) & 255) << 2), 1024) ^
    load<u32>(tables + (<usize>(high >>> 24) << 2))
  );
}

// @inline
function shift(table: usize, crc: u32): u32 {
  return (
    load<u32>(table + (<usize>(crc & 255) << 2)) ^
    load<u32>(table + (<usize>((crc >>> 8) & 255) << 2), 1024) ^
    load<u32>(table + (<usize>((crc >>> 16) & 255) << 2), 2048) ^
    load<u32>(table + (<usize>(crc >>> 24) << 2), 3072)
  );
}
