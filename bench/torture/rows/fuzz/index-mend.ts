import { crc32c, type Random, readU32, VarintReader, writeU32 } from "@varve/bytes";

/** Where the sections of an index begin, as its table of contents says. */
const TOC_BYTES = 52;
const SYMBOLS = 0;
const SERIES = 1;
const LABEL_INDICES = 2;
const LABEL_TABLE = 3;
const POSTINGS = 4;
const POSTINGS_TABLE = 5;
const ENTRIES_MAX = 200;

/** The index's table of contents; null where it points nowhere. */
function placesOf(bytes: Uint8Array): number[] | null {
  const from = bytes.length - TOC_BYTES;
  if (from < 0) return null;
  return Array.from({ length: 6 }, (_, i) => readU32(bytes, from + 8 * i + 4));
}

/** Overwrites an entry of the table of contents, a length, a count or a pointer: what the rest hangs on. */
export function changeIndex(bytes: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  const out = bytes.slice();
  const places = placesOf(out)!;
  do {
    const place = random.pick(places);
    const kind = random.below(5);
    if (kind === 0) {
      const at = out.length - TOC_BYTES + 8 * random.below(6) + 4;
      writeU32(
        out,
        at,
        random.pick([...places, 0, out.length, 2 ** 32 - 1, random.below(out.length)]),
      );
    } else if (kind === 1) {
      const value = random.pick([0, 1, 5, 0x7fff_ffff, 0xffff_ffff, random.below(out.length)]);
      writeU32(out, Math.min(out.length - 4, place + random.pick([0, 4])), value);
    } else if (kind === 2) {
      changeList(out, places, random);
    } else if (kind === 3) {
      const from = random.below(out.length);
      out.set(
        other.subarray(from, Math.min(other.length, from + random.below(40), out.length)),
        from,
      );
    } else {
      // A byte of a series' entry, or of a table's.
      const at = random.pick([places[SERIES]!, places[POSTINGS_TABLE]!, places[SYMBOLS]!]);
      const target = Math.min(out.length - 1, at + random.below(60));
      out[target] = random.pick([0, 1, 2, 3, 0x7f, 0x80, 0xff, out[target]! + 1, out[target]! - 1]);
    }
  } while (random.chance(0.4));
  return out;
}

/** Changes an id in a postings list, or lets the table point to another list. */
function changeList(out: Uint8Array, places: readonly number[], random: Random): void {
  const lists = listsOf(out, places);
  if (lists.length === 0) return;
  const { list, at } = random.pick(lists);
  const ids = readU32(out, list + 4);
  if (random.chance(0.4) || ids === 0 || ids > 1000) {
    const { list: another } = random.pick(lists);
    const length = varintLength(out, at);
    let rest = another;
    for (let i = 0; i < length; i += 1) {
      out[at + i] = (rest & 127) | (i < length - 1 ? 128 : 0);
      rest >>>= 7;
    }
    return;
  }
  const id = list + 8 + 4 * random.below(ids);
  if (id + 4 > out.length) return;
  const value = random.pick([0, 1, readU32(out, id) + 1, readU32(out, list + 8), 0xffff_ffff]);
  writeU32(out, id, value);
}

function varintLength(bytes: Uint8Array, at: number): number {
  let length = 1;
  while (length < 5 && (bytes[at + length - 1]! & 128) !== 0) length += 1;
  return length;
}

/** The lists that the postings table names, and where it names them. */
function listsOf(bytes: Uint8Array, places: readonly number[]): { list: number; at: number }[] {
  const lists: { list: number; at: number }[] = [];
  const table = places[POSTINGS_TABLE]!;
  if (table + 12 > bytes.length) return lists;
  const fields = new VarintReader();
  fields.reset(bytes, table + 8, bytes.length - TOC_BYTES);
  const count = Math.min(readU32(bytes, table + 4), ENTRIES_MAX);
  for (let i = 0; i < count && !fields.failed; i += 1) {
    if (fields.unsigned() !== 2) break;
    fields.at += fields.unsigned();
    fields.at += fields.unsigned();
    const { at } = fields;
    const list = fields.unsigned();
    if (!fields.failed && list + 8 <= bytes.length) lists.push({ list, at });
  }
  return lists;
}

/** Puts every checksum right that can be found by the lengths and pointers as they are. */
export function mendIndex(bytes: Uint8Array): Uint8Array {
  const places = placesOf(bytes);
  if (places === null) return bytes;
  const end = bytes.length - TOC_BYTES;
  for (const { list } of listsOf(bytes, places)) mendSection(bytes, list, end);
  for (const section of [SYMBOLS, POSTINGS_TABLE, LABEL_TABLE]) {
    mendSection(bytes, places[section]!, end);
  }
  // Legacy indices and lists, one behind the other.
  for (let at = places[LABEL_INDICES]!; at > 0 && at < Math.min(end, places[POSTINGS]!);) {
    at = mendSection(bytes, at, end);
  }
  mendSeries(bytes, places[SERIES]!, Math.min(end, places[LABEL_INDICES]!));
  writeU32(bytes, bytes.length - 4, crc32c(bytes, end, bytes.length - 4));
  return bytes;
}

/** A section `u32 length | body | u32 crc`. Returns where the next one begins, or 0. */
function mendSection(bytes: Uint8Array, at: number, end: number): number {
  if (at + 8 > end) return 0;
  const until = at + 4 + readU32(bytes, at);
  if (until + 4 > end) return 0;
  writeU32(bytes, until, crc32c(bytes, at + 4, until));
  return Math.ceil((until + 4) / 4) * 4;
}

/** Entries `uvarint length | body | u32 crc`, each at a multiple of 16. */
function mendSeries(bytes: Uint8Array, from: number, end: number): void {
  const fields = new VarintReader();
  for (let at = Math.ceil(from / 16) * 16; at < end;) {
    fields.reset(bytes, at, end);
    const until = fields.unsigned() + fields.at;
    if (fields.failed || until + 4 > end) {
      at += 16;
      continue;
    }
    writeU32(bytes, until, crc32c(bytes, fields.at, until));
    at = Math.ceil((until + 4) / 16) * 16;
  }
}
