import { crc32c } from "@varve/bytes";

/** Bytes of an entry's key: the hash, high word first, and a collision number that tells equal hashes apart. */
export const ENTRY_KEY_BYTES = 12;

/** Where the parts of an entry's value lie. Little-endian words, then the series' key. */
const CHECKSUM = 0;
const REF = 4;
const MORE = 8;
export const SERIES_KEY = 12;

/** Writes an entry's key. */
export function writeEntryKey(into: Uint8Array, low: number, high: number, number: number): void {
  writeBig(into, 0, high);
  writeBig(into, 4, low);
  writeBig(into, 8, number);
}

/**
 * Makes an entry's value: checksum, ref, whether other series were put behind this one, series key.
 * The checksum covers the entry's key too, so that a value under another key is found out. Ref 0 holds a place
 * whose series was dropped.
 */
export function makeEntry(
  entryKey: Uint8Array,
  ref: number,
  more: boolean,
  seriesKey: Uint8Array,
): Uint8Array {
  const value = new Uint8Array(SERIES_KEY + seriesKey.length);
  writeLittle(value, REF, ref);
  value[MORE] = more ? 1 : 0;
  value.set(seriesKey, SERIES_KEY);
  writeLittle(value, CHECKSUM, checksumOf(entryKey, value, value.length));
  return value;
}

/** True when the first `length` bytes are a whole entry whose checksum fits. */
export function isEntry(entryKey: Uint8Array, value: Uint8Array, length: number): boolean {
  return (
    length >= SERIES_KEY && readLittle(value, CHECKSUM) === checksumOf(entryKey, value, length)
  );
}

export function refOf(value: Uint8Array): number {
  return readLittle(value, REF);
}

export function hasMore(value: Uint8Array): boolean {
  return value[MORE] === 1;
}

/** The key of the table from refs to entries: big-endian, so that new refs come last. */
export function writeRefKey(into: Uint8Array, ref: number): void {
  writeBig(into, 0, ref);
}

export function readRefKey(bytes: Uint8Array): number {
  return ((bytes[0]! << 24) | (bytes[1]! << 16) | (bytes[2]! << 8) | bytes[3]!) >>> 0;
}

function checksumOf(entryKey: Uint8Array, value: Uint8Array, length: number): number {
  return crc32c(value, REF, length, crc32c(entryKey, 0, ENTRY_KEY_BYTES));
}

function writeBig(into: Uint8Array, at: number, word: number): void {
  into[at] = word >>> 24;
  into[at + 1] = word >>> 16;
  into[at + 2] = word >>> 8;
  into[at + 3] = word;
}

function writeLittle(into: Uint8Array, at: number, word: number): void {
  into[at] = word;
  into[at + 1] = word >>> 8;
  into[at + 2] = word >>> 16;
  into[at + 3] = word >>> 24;
}

function readLittle(bytes: Uint8Array, at: number): number {
  const word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
  return word >>> 0;
}
