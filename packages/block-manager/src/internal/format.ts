import {
  crc32c,
  readI64,
  readU32,
  readU64,
  uvarintBytes,
  writeU32,
  writeU64,
  writeUvarint,
} from "@varve/bytes";

/**
 * Files of `sealed/`: Prometheus' layout for head chunks, `01 30 BC 91`, version 1, three zeros, then records
 *
 *     u64 seriesRef | u64 mint | u64 maxt | u8 encoding | uvarint length | data | u32 crc32c of all before
 *
 * A record of series 0 with encoding 0 and no data is a mark. Its `mint` is the place after which it
 * was written, its `maxt` the trusted place: all before it was synced, and the log that brought it was durable,
 * before the mark was written. Readers that know no series 0 pass over it. Every file begins with three marks,
 * and one follows where the trusted place has moved on.
 *
 * Only chunks below the furthest place that a mark states count. The first mark of a file voids all between the
 * place after which the file was begun and the file: what a failed sync left in doubt, and what an earlier
 * life wrote that was never trusted. For the latter, damage to that mark must not bring back what it voids: the second
 * and third mark of every file name the first file of its life, and the place after which that one was begun.
 */
export const HEADER_BYTES = 8;
/** Bytes of a mark: 25, a length of one byte, and the checksum. */
export const MARK_BYTES = 30;
/** Where the marks of a file's beginning lie that are its life's; its own comes first, behind the header. */
export const LIFE_FILE_MARK_AT = HEADER_BYTES + MARK_BYTES;
export const LIFE_AFTER_MARK_AT = LIFE_FILE_MARK_AT + MARK_BYTES;
/** Bytes that a file begins with: the header and these marks. */
export const BEGINNING_BYTES = LIFE_AFTER_MARK_AT + MARK_BYTES;
/** Prometheus' bound on a file of head chunks, in bytes. */
export const FILE_BYTES_MAX = 128 * 2 ** 20;
/** Places are `file * PLACE_SPAN + offset`: one number orders all files. An offset fits 28 bits. */
export const PLACE_SPAN = 2 ** 28;

const MAGIC = 0x0130bc91;
const VERSION = 1;
/** From the start of a record to its length field. */
const LENGTH_AT = 25;
const CRC_BYTES = 4;
/** Longest data that a record is believed to have, in bytes. */
const DATA_BYTES_MAX = 2 ** 24;
/** Largest file number that a place can carry. */
const FILES_MAX = 2 ** 25;

/** A file's place in the order of all records. */
export function placeOf(file: number, offset: number): number {
  return file * PLACE_SPAN + offset;
}

/** The number of the file that a place lies in. */
export function fileOf(place: number): number {
  return Math.floor(place / PLACE_SPAN);
}

/** The name of a file: six digits or more. */
export function fileName(number: number): string {
  return String(number).padStart(6, "0");
}

/** The number in a file's name, or 0 when the name is not one of ours. */
export function fileNumber(name: string): number {
  const number = /^\d{6,8}$/.test(name) ? Number(name) : 0;
  return number < FILES_MAX && fileName(number) === name ? number : 0;
}

/** What the first bytes of a file say: `torn` when a crash may have left them. */
export function headerState(bytes: Uint8Array, length: number): "ours" | "torn" | "newer" {
  if (length < HEADER_BYTES || readU32(bytes, 0) !== MAGIC) return "torn";
  return bytes[4] === VERSION ? "ours" : "newer";
}

/** The first file that a process wrote, and the place after which it was begun: all between is void. */
export interface Life {
  readonly file: number;
  readonly after: number;
}

/** Writes what a file begins with, at the start of the buffer; returns where the next record goes. */
export function writeBeginning(
  bytes: Uint8Array,
  after: number,
  trusted: number,
  life: Life,
): number {
  writeU32(bytes, 0, MAGIC);
  writeU32(bytes, 4, VERSION << 24);
  writeMark(bytes, HEADER_BYTES, after, trusted);
  writeMark(bytes, LIFE_FILE_MARK_AT, placeOf(life.file, 0), trusted);
  return writeMark(bytes, LIFE_AFTER_MARK_AT, life.after, trusted);
}

export function writeMark(bytes: Uint8Array, at: number, after: number, trusted: number): number {
  return writeTail(bytes, at, writeHead(bytes, at, 0, after, trusted, 0, 0));
}

/** Bytes of a record with `length` bytes of data. */
export function recordBytes(length: number): number {
  return LENGTH_AT + uvarintBytes(length) + length + CRC_BYTES;
}

/** Writes a record up to its data, and returns where the data goes. */
export function writeHead(
  bytes: Uint8Array,
  at: number,
  ref: number,
  minTime: number,
  maxTime: number,
  encoding: number,
  length: number,
): number {
  writeU64(bytes, at, ref);
  writeU64(bytes, at + 8, minTime);
  writeU64(bytes, at + 16, maxTime);
  bytes[at + 24] = encoding;
  return writeUvarint(bytes, at + LENGTH_AT, length);
}

/** Closes the record that begins at `at` and whose data ends at `until`; returns where the next begins. */
export function writeTail(bytes: Uint8Array, at: number, until: number): number {
  writeU32(bytes, until, crc32c(bytes, at, until));
  return until + CRC_BYTES;
}

/** A record read from bytes that nobody trusts. */
export class RecordView {
  ref = 0;
  minTime = 0;
  maxTime = 0;
  encoding = 0;
  dataAt = 0;
  length = 0;
  /** Where the next record begins. */
  end = 0;
  isMark = false;
  /** Data that was looked at for a checksum that did not hold, in bytes: what looking for records in damage has cost. */
  wastedBytes = 0;

  /** Reads the record at `at`. Answers false when there is none whose checksum holds. */
  parse(bytes: Uint8Array, at: number, until: number): boolean {
    if (at + LENGTH_AT + 1 + CRC_BYTES > until || readU32(bytes, at) !== 0) return false;
    let length = 0;
    let dataAt = at + LENGTH_AT;
    for (let shift = 0; ; shift += 7) {
      if (shift > 21 || dataAt >= until) return false;
      const byte = bytes[dataAt++]!;
      length |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    const end = dataAt + length;
    if (length > DATA_BYTES_MAX || end + CRC_BYTES > until) return false;
    // A padded length: whoever knows the length alone would not find the record's end.
    if (end + CRC_BYTES - at !== recordBytes(length)) return false;
    if (crc32c(bytes, at, end) !== readU32(bytes, end)) {
      this.wastedBytes += length;
      return false;
    }
    this.ref = readU32(bytes, at + 4);
    this.encoding = bytes[at + 24]!;
    this.isMark = this.ref === 0 && this.encoding === 0 && length === 0;
    const read = this.isMark ? readU64 : readI64;
    this.minTime = read(bytes, at + 8);
    this.maxTime = read(bytes, at + 16);
    this.dataAt = dataAt;
    this.length = length;
    this.end = end + CRC_BYTES;
    if (this.isMark)
      return Number.isSafeInteger(this.minTime) && Number.isSafeInteger(this.maxTime);
    if (this.ref === 0 || length === 0 || this.minTime > this.maxTime) return false;
    return Number.isSafeInteger(this.minTime) && Number.isSafeInteger(this.maxTime);
  }
}
