import { crc32c, readU32, writeU32 } from "@varve/bytes";

/** A chunk that a file of `sealed/` holds, by `docs/format/sealed.md`. */
export interface ReadChunk {
  readonly ref: number;
  readonly minTime: bigint;
  readonly maxTime: bigint;
  readonly data: Uint8Array;
}

const HEADER_BYTES = 8;
const MAGIC = 0x0130bc91;
const LENGTH_AT = 25;
const DATA_BYTES_MAX = 2 ** 24;
const SAFE_MAX = BigInt(Number.MAX_SAFE_INTEGER);
const XOR = 1;
const LOOKS_MAX = 16;

interface ReadRecord extends ReadChunk {
  readonly encoding: number;
  readonly isMark: boolean;
  readonly end: number;
}

/**
 * Chunks of a file, whether they count or not: read slowly, and with nothing of the reader that it is compared with. Null
 * for a file that nobody may touch.
 */
export function readSealed(bytes: Uint8Array): ReadChunk[] | null {
  const isHeaded = bytes.length >= HEADER_BYTES && readU32(bytes, 0) === MAGIC;
  if (isHeaded && bytes[4] !== 1) return null;
  const chunks: ReadRecord[] = [];
  for (let at = isHeaded ? HEADER_BYTES : 0; at < bytes.length;) {
    const record = readRecord(bytes, at);
    at = record === null ? at + 1 : record.end;
    if (record !== null && !record.isMark) chunks.push(record);
  }
  const isKnown = chunks.every(({ encoding, data }) => encoding === XOR && data.length >= 2);
  return isKnown ? chunks : null;
}

/**
 * Whether more bytes would have to be looked at for records than a reader has to: sixteen times what there is. What lies behind
 * such damage may count as damaged, whatever it is.
 */
export function wearsOut(bytes: Uint8Array): boolean {
  let looks = 0;
  for (let at = 0; at < bytes.length;) {
    const data = dataOf(bytes, at);
    const record = data === null ? null : readRecord(bytes, at);
    if (data !== null && record === null && readU32(bytes, at) === 0) looks += data[1] - data[0];
    at = record === null ? at + 1 : record.end;
  }
  return looks > LOOKS_MAX * bytes.length;
}

function readRecord(bytes: Uint8Array, at: number): ReadRecord | null {
  const data = dataOf(bytes, at);
  if (data === null || readU32(bytes, at) !== 0) return null;
  const [from, until] = data;
  // A padded length is none.
  if (from > at + LENGTH_AT + 1 && bytes[from - 1] === 0) return null;
  if (crc32c(bytes, at, until) !== readU32(bytes, until)) return null;
  const ref = u64(bytes, at);
  const encoding = bytes[at + 24]!;
  const isMark = ref === 0n && encoding === 0 && from === until;
  const minTime = isMark ? u64(bytes, at + 8) : BigInt.asIntN(64, u64(bytes, at + 8));
  const maxTime = isMark ? u64(bytes, at + 16) : BigInt.asIntN(64, u64(bytes, at + 16));
  const isSafe = [minTime, maxTime].every((time) => time <= SAFE_MAX && time >= -SAFE_MAX);
  const isChunk = ref > 0n && ref < 2n ** 32n && from < until && minTime <= maxTime;
  if (!isSafe || !(isMark || isChunk)) return null;
  const found = { ref: Number(ref), minTime, maxTime, data: bytes.subarray(from, until) };
  return { ...found, encoding, isMark, end: until + 4 };
}

/** Where the data of a record at `at` lies; null when it cannot be one. */
function dataOf(bytes: Uint8Array, at: number): [number, number] | null {
  if (at + LENGTH_AT >= bytes.length) return null;
  let length = 0;
  let from = at + LENGTH_AT;
  for (let scale = 1; ; scale *= 128) {
    if (scale === 128 ** 4 || from >= bytes.length) return null;
    const byte = bytes[from]!;
    from += 1;
    length += (byte & 127) * scale;
    if (byte < 128) break;
  }
  const until = from + length;
  return length > DATA_BYTES_MAX || until + 4 > bytes.length ? null : [from, until];
}

/** Puts checksums right where records seem to begin: each behind the one before, by its length. */
export function mendSealed(bytes: Uint8Array): Uint8Array {
  for (const [from, until] of recordPlaces(bytes)) {
    writeU32(bytes, until - 4, crc32c(bytes, from, until - 4));
  }
  return bytes;
}

/** Where records begin and end. */
export function recordPlaces(bytes: Uint8Array): [number, number][] {
  const places: [number, number][] = [];
  for (let at = HEADER_BYTES; at < bytes.length;) {
    const data = dataOf(bytes, at);
    if (data === null) break;
    places.push([at, data[1] + 4]);
    at = data[1] + 4;
  }
  return places;
}

function u64(bytes: Uint8Array, at: number): bigint {
  return (BigInt(readU32(bytes, at)) << 32n) | BigInt(readU32(bytes, at + 4));
}
