import {
  readI64,
  readU32,
  readU64,
  VarintReader,
  writeU32,
  writeU64,
  writeVarint,
} from "@varve/bytes";
import {
  LATE,
  StorageError,
  type Lsn,
  type RecordBuffer,
  type SeriesRef,
  type WriteBatch,
} from "@varve/contracts";

/**
 * Records that the engine itself writes to the log, beside those of the record codec. docs/format/wal.md has the bytes.
 * Prometheus knows tombstones, and passes over the private ones.
 */

/** Prometheus' record of deletions: { u64 ref, varint mint, varint maxt } as often as there are. */
const TOMBSTONES_RECORD = 3;
/** Keeps `nextRef` in a checkpoint: { u8 version, u64 nextRef }. */
const NEXT_REF_RECORD = 132;
/** Samples that came late: { u8 version, u64 ref, u64 time } then { varint ref, varint time, u64 bits } against those. */
const LATE_RECORD = 133;
const VERSION = 1;
/** Types from here on are private: Prometheus passes over them. */
const PRIVATE_FROM = 128;

/** Most bytes of a tombstone, and of a late sample. */
const TOMBSTONE_BYTES = 8 + 10 + 10;
const LATE_BYTES = 10 + 10 + 8;

/** Writes the record that lets refs never be reused, even when the newest series are gone from the log. */
export function encodeNextRef(nextRef: SeriesRef, into: RecordBuffer): void {
  into.reserve(10);
  const { bytes } = into;
  bytes[into.length] = NEXT_REF_RECORD;
  bytes[into.length + 1] = VERSION;
  writeU64(bytes, into.length + 2, nextRef);
  into.length += 10;
  into.endRecord();
}

/** Collects deletions into one record. */
export class TombstoneRecord {
  readonly #into: RecordBuffer;
  #isBegun = false;

  constructor(into: RecordBuffer) {
    this.#into = into;
  }

  add(ref: SeriesRef, minTime: number, maxTime: number): void {
    const into = this.#into;
    into.reserve(1 + TOMBSTONE_BYTES);
    if (!this.#isBegun) {
      into.bytes[into.length] = TOMBSTONES_RECORD;
      into.length += 1;
      this.#isBegun = true;
    }
    const { bytes } = into;
    writeU64(bytes, into.length, ref);
    const at = writeVarint(bytes, into.length + 8, minTime);
    into.length = writeVarint(bytes, at, maxTime);
  }

  /** Ends the record; there is none when nothing was added. */
  end(): void {
    if (this.#isBegun) this.#into.endRecord();
  }
}

/** Writes the LATE rows of a batch, if there are any. */
export function encodeLate(batch: WriteBatch, into: RecordBuffer): void {
  const { length, status, refs, times, valueWords } = batch;
  let firstRef = 0;
  let firstTime = 0;
  for (let row = 0; row < length; row += 1) {
    if (status[row] !== LATE) continue;
    into.reserve(18 + LATE_BYTES);
    const { bytes } = into;
    if (firstRef === 0) {
      firstRef = refs[row]!;
      firstTime = times[row]!;
      bytes[into.length] = LATE_RECORD;
      bytes[into.length + 1] = VERSION;
      writeU64(bytes, into.length + 2, firstRef);
      writeU64(bytes, into.length + 10, firstTime);
      into.length += 18;
    }
    let at = writeVarint(bytes, into.length, refs[row]! - firstRef);
    at = writeVarint(bytes, at, times[row]! - firstTime);
    writeU32(bytes, at, valueWords[2 * row + 1]!);
    writeU32(bytes, at + 4, valueWords[2 * row]!);
    into.length = at + 8;
  }
  if (firstRef !== 0) into.endRecord();
}

/** What the engine's own records say. */
export interface OwnRecordVisitor {
  nextRef(nextRef: SeriesRef): void;
  tombstone(ref: SeriesRef, minTime: number, maxTime: number): void;
  late(ref: SeriesRef, time: number, low: number, high: number): void;
}

const reader = new VarintReader();

/**
 * Decodes one record of batch `lsn`; those of Prometheus that say nothing to us are passed over. Throws WAL_CORRUPT on
 * a malformed one, and UNSUPPORTED_VERSION on a private one that nobody here knows: a newer release wrote it, or another
 * codec, and without it the store would be short of something.
 */
export function decodeOwn(
  bytes: Uint8Array,
  from: number,
  until: number,
  lsn: Lsn,
  visitor: OwnRecordVisitor,
): void {
  const type = bytes[from]!;
  if (type === TOMBSTONES_RECORD) decodeTombstones(bytes, from + 1, until, visitor);
  if (type < PRIVATE_FROM || from === until) return;
  const version = until - from > 1 ? bytes[from + 1]! : 0;
  const isOurs = type === NEXT_REF_RECORD || type === LATE_RECORD;
  if (!isOurs || version > VERSION) throw unsupported(type, isOurs ? `${version}` : "unknown", lsn);
  if (type === LATE_RECORD) decodeLate(bytes, from + 2, until, visitor);
  else if (until - from === 10) visitor.nextRef(readU64(bytes, from + 2));
  else throw malformed("the next ref");
}

function decodeTombstones(
  bytes: Uint8Array,
  from: number,
  until: number,
  visitor: OwnRecordVisitor,
): void {
  reader.reset(bytes, from, until);
  while (reader.at < until) {
    const ref = reader.u64();
    const minTime = reader.signed();
    const maxTime = reader.signed();
    if (reader.failed || minTime > maxTime) throw malformed("tombstones");
    visitor.tombstone(ref, minTime, maxTime);
  }
}

function decodeLate(
  bytes: Uint8Array,
  from: number,
  until: number,
  visitor: OwnRecordVisitor,
): void {
  if (until - from < 16) throw malformed("late samples");
  const firstRef = readU64(bytes, from);
  const firstTime = readI64(bytes, from + 8);
  reader.reset(bytes, from + 16, until);
  while (reader.at < until) {
    const ref = firstRef + reader.signed();
    const time = firstTime + reader.signed();
    if (reader.failed || reader.at + 8 > until || ref < 1) throw malformed("late samples");
    const high = readU32(bytes, reader.at) | 0;
    const low = readU32(bytes, reader.at + 4) | 0;
    reader.at += 8;
    visitor.late(ref, time, low, high);
  }
}

function unsupported(type: number, version: string, lsn: Lsn): StorageError {
  return new StorageError(
    "UNSUPPORTED_VERSION",
    `the log's batch ${lsn} holds record type ${type}, version ${version}, which this release and the plan's record codec ` +
      "do not read; nothing was changed; open the directory with the release and the codec that wrote it",
    { facts: { lsn, type, version } },
  );
}

function malformed(what: string): StorageError {
  return new StorageError(
    "WAL_CORRUPT",
    `a record of ${what} in the log is malformed although its checksum holds; nothing was changed; ` +
      'copy the directory, then open it with recovery: "salvage"',
    { facts: { kind: "record" } },
  );
}
