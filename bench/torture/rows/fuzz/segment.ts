import { crc32c, readU32, writeU32 } from "@varve/bytes";

/**
 * The log's framing by `docs/format/wal.md`, as a writer that writes what it is told, and a reader that is as dull as can
 * be: nothing of it is shared with the log. The store's id is all zero here.
 */
export const STORE_ID = "00".repeat(16);

const PAGE_BYTES = 32_768;
const HEADER_BYTES = 7;
export const COMMIT = 128;
export const SEGMENT = 129;
export const END = 130;
/** A number has one behind it that is a safe integer. */
const NUMBER_MAX = BigInt(Number.MAX_SAFE_INTEGER);
const PRIVATE_BYTES: Readonly<Record<number, number>> = { [COMMIT]: 26, [SEGMENT]: 30, [END]: 13 };

/** A batch as a reading tells it. */
export interface ReadBatch {
  readonly lsn: bigint;
  readonly records: readonly Uint8Array[];
}

export interface SegmentReading {
  /** Whole batches before the first fault. */
  readonly batches: readonly ReadBatch[];
  readonly isFaulty: boolean;
  /** All its records, private ones included, up to the first fault. */
  readonly records: readonly Uint8Array[];
}

function isPrivate(record: Uint8Array): boolean {
  return record[0] !== undefined && record[0] in PRIVATE_BYTES;
}

/** What a chain covers since its last link. */
class Chain {
  #run = crc32c(new Uint8Array(4), 0, 4);

  header(bytes: Uint8Array, at: number): void {
    this.#run = crc32c(bytes, at, at + HEADER_BYTES, this.#run);
  }

  /** What a private record's last four bytes have to be. */
  of(record: Uint8Array): number {
    return crc32c(record, 0, record.length - 4, this.#run);
  }

  link(value: number): void {
    const word = new Uint8Array(4);
    writeU32(word, 0, value);
    this.#run = crc32c(word, 0, 4);
  }
}

/** How records are framed otherwise than they should be. */
interface FrameOptions {
  /** Private records keep the chain that they have; otherwise they get the one that belongs there. */
  readonly keepsChain?: boolean;
  /** Cuts fragments shorter than they have to be. */
  readonly sizeOf?: (most: number) => number;
  /** The record of this number stays without its end. */
  readonly broken?: number;
  /** So many bytes of a fragment may reach beyond its page. */
  readonly overrun?: number;
}

/** Frames records to a segment that ends with the last. */
export function frame(records: readonly Uint8Array[], options: FrameOptions = {}): Uint8Array {
  const { keepsChain = false, sizeOf = (most) => most, broken = -1, overrun = 0 } = options;
  let out = new Uint8Array(PAGE_BYTES);
  let at = 0;
  const chain = new Chain();
  for (const [i, given] of records.entries()) {
    const record = given.slice();
    const isLink = isPrivate(record) && record.length >= 5;
    if (isLink && !keepsChain) writeU32(record, record.length - 4, chain.of(record));
    let from = 0;
    do {
      let room = PAGE_BYTES - (at % PAGE_BYTES);
      if (room < HEADER_BYTES) {
        at += room;
        room = PAGE_BYTES;
      }
      while (at + room + overrun > out.length)
        out = Buffer.concat([out, new Uint8Array(PAGE_BYTES)]);
      const most = Math.min(record.length - from, room - HEADER_BYTES + overrun);
      const part = most === 0 ? 0 : Math.max(1, Math.min(most, sizeOf(most)));
      const isLast = from + part === record.length && i !== broken;
      putHeader(out, at, isLast ? (from === 0 ? 1 : 4) : from === 0 ? 2 : 3, part);
      out.set(record.subarray(from, from + part), at + HEADER_BYTES);
      writeU32(out, at + 3, crc32c(record, from, from + part));
      if (!isLink) chain.header(out, at);
      at += HEADER_BYTES + part;
      from += part;
    } while (from < record.length);
    if (isLink) chain.link(readU32(record, record.length - 4));
  }
  return out.slice(0, at);
}

function putHeader(out: Uint8Array, at: number, type: number, length: number): void {
  out[at] = type;
  out[at + 1] = length >> 8;
  out[at + 2] = length;
}

/** Behind its end a file is taken for zeros, by whoever reads on. */
const BEHIND = new Uint8Array(2 * HEADER_BYTES);

/** Puts the checksum of each fragment right, as the headers say where they lie: also of those that reach a little too far. */
export function mendFragments(bytes: Uint8Array): Uint8Array {
  for (let at = 0; at + HEADER_BYTES <= bytes.length;) {
    if (bytes[at] === 0) {
      at += PAGE_BYTES - (at % PAGE_BYTES);
      continue;
    }
    const from = at + HEADER_BYTES;
    const until = from + ((bytes[at + 1]! << 8) | bytes[at + 2]!);
    const beyond = Math.max(0, until - bytes.length);
    if (beyond > BEHIND.length) break;
    const sum = crc32c(bytes, from, Math.min(until, bytes.length));
    writeU32(bytes, at + 3, crc32c(BEHIND, 0, beyond, sum));
    at = until;
  }
  return bytes;
}

/** Where the last fragment ends: zeros follow, or nothing. */
export function framedBytes(bytes: Uint8Array): number {
  let end = 0;
  for (const { at, length } of fragments(bytes)) end = at + HEADER_BYTES + length;
  return end;
}

interface Fragment {
  readonly at: number;
  readonly type: number;
  readonly length: number;
}

/** Fragments by their headers alone, up to the first that cannot be. */
function* fragments(bytes: Uint8Array): Generator<Fragment> {
  for (let at = 0; at < bytes.length;) {
    const until = Math.min(bytes.length, at - (at % PAGE_BYTES) + PAGE_BYTES);
    if (bytes[at] === 0) {
      if (!isZero(bytes, at, until)) return;
      at = until;
      continue;
    }
    const length = ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    if (bytes[at]! > 4 || at + HEADER_BYTES + length > until) return;
    yield { at, type: bytes[at]!, length };
    at += HEADER_BYTES + length;
  }
}

/** Reads a log's only segment, up to the first fault. */
export function readSegment(bytes: Uint8Array): SegmentReading {
  const batches: ReadBatch[] = [];
  const all: Uint8Array[] = [];
  const chain = new Chain();
  let parts: Uint8Array[] = [];
  let headers: number[] = [];
  let records: Uint8Array[] = [];
  let lsn = 0n;
  let isHeaded = false;
  let isEnded = false;
  let wholeUntil = 0;
  let readUntil = 0;
  const reading = (isFaulty: boolean): SegmentReading => ({ batches, isFaulty, records: all });
  for (const { at, type, length } of fragments(bytes)) {
    const from = at + HEADER_BYTES;
    const data = bytes.subarray(from, from + length);
    readUntil = from + length;
    if (crc32c(data, 0, length) !== readU32(bytes, at + 3)) return reading(true);
    if ((type === 1 || type === 2) !== (parts.length === 0)) return reading(true);
    parts.push(data);
    headers.push(at);
    if (type === 2 || type === 3) continue;
    const record = Buffer.concat(parts);
    const ownHeaders = headers;
    parts = [];
    headers = [];
    if (!isPrivate(record)) {
      if (!isHeaded || isEnded) return reading(true);
      for (const header of ownHeaders) chain.header(bytes, header);
      records.push(record);
      all.push(record);
      continue;
    }
    if (record.length !== PRIVATE_BYTES[record[0]!]) return reading(true);
    if (record[0] !== END && record[1]! > 1) return reading(true);
    if (readU32(record, record.length - 4) !== chain.of(record)) return reading(true);
    if (record[0] === SEGMENT) {
      const isOurs = record.subarray(2, 18).every((byte) => byte === 0);
      if (isHeaded || !isOurs || u64(record, 18) !== 1n) return reading(true);
      isHeaded = true;
    } else if (record[0] === COMMIT) {
      if (!isHeaded || isEnded || u64(record, 6) !== lsn + 1n) return reading(true);
      if (readU32(record, 2) !== records.length || u64(record, 14) >= NUMBER_MAX) {
        return reading(true);
      }
      lsn += 1n;
      batches.push({ lsn, records });
      records = [];
    } else {
      if (!isHeaded || records.length > 0 || u64(record, 1) !== lsn) return reading(true);
      isEnded = true;
    }
    all.push(record);
    chain.link(readU32(record, record.length - 4));
    wholeUntil = readUntil;
  }
  const isWhole = isHeaded && parts.length === 0 && records.length === 0;
  // Behind the last batch come zeros, to the end of its page at most.
  const pageEnd = Math.ceil(wholeUntil / PAGE_BYTES) * PAGE_BYTES;
  const isPadding = bytes.length <= pageEnd && isZero(bytes, wholeUntil, bytes.length);
  return reading(!isWhole || !isPadding);
}

function isZero(bytes: Uint8Array, from: number, until: number): boolean {
  for (let at = from; at < until; at += 1) if (bytes[at] !== 0) return false;
  return true;
}

function u64(bytes: Uint8Array, at: number): bigint {
  return (BigInt(readU32(bytes, at)) << 32n) | BigInt(readU32(bytes, at + 4));
}
