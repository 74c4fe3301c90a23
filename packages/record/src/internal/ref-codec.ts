import { VARINT_BYTES_MAX, writeU32, writeU64, writeVarint } from "@varve/bytes";
import {
  ACCEPTED,
  type RecordBuffer,
  type RecordCodec,
  type RecordVisitor,
  type SeriesRef,
  type WriteBatch,
} from "@varve/contracts";
import { RecordDecoder } from "./decode.ts";
import { SAMPLES_RECORD, WORD_BYTES } from "./types.ts";
import { writeNewSeries, writeSeries } from "./write-series.ts";

/** Type, ref and time from which a samples record counts. */
export const SAMPLES_HEADER_BYTES = 1 + 2 * WORD_BYTES;

/** A ref's distance, a time's, and a value. */
export const SAMPLE_BYTES_MAX = 5 + VARINT_BYTES_MAX + WORD_BYTES;

/** The codec of `ref`. */
export class RefCodec implements RecordCodec {
  readonly #decoder = new RecordDecoder();

  encode(batch: WriteBatch, from: number, until: number, into: RecordBuffer): void {
    writeNewSeries(batch, from, until, into);
    for (let row = from; row < until;) row = writeSamples(batch, row, until, into);
  }

  encodeSeries(
    ref: SeriesRef,
    key: Uint8Array,
    keyFrom: number,
    keyUntil: number,
    into: RecordBuffer,
  ): void {
    writeSeries(ref, key, keyFrom, keyUntil, into);
  }

  decode(bytes: Uint8Array, from: number, until: number, visitor: RecordVisitor): boolean {
    return this.#decoder.decode(bytes, from, until, visitor);
  }
}

/** Writes a samples record for the accepted rows from `from` on; returns the row at which the next one starts. */
function writeSamples(batch: WriteBatch, from: number, until: number, into: RecordBuffer): number {
  const { refs, times, valueWords, status } = batch;
  const accepted = ACCEPTED; // A local copy: V8 loads a module's constants each time.
  let row = from;
  while (row < until && status[row] !== accepted) row += 1;
  if (row === until) return until;
  into.reserve(SAMPLES_HEADER_BYTES + (until - row) * SAMPLE_BYTES_MAX);
  const { bytes } = into;
  const firstRef = refs[row]!;
  const firstTime = times[row]!;
  let at = into.length;
  bytes[at] = SAMPLES_RECORD;
  writeU64(bytes, at + 1, firstRef);
  writeU64(bytes, at + 9, firstTime);
  at += SAMPLES_HEADER_BYTES;
  for (; row < until; row += 1) {
    if (status[row] !== accepted) continue;
    const timeDelta = times[row]! - firstTime;
    if (timeDelta > Number.MAX_SAFE_INTEGER || timeDelta < -Number.MAX_SAFE_INTEGER) break;
    at = putVarint(bytes, at, refs[row]! - firstRef);
    at = putVarint(bytes, at, timeDelta);
    writeU32(bytes, at, valueWords[2 * row + 1]!);
    writeU32(bytes, at + 4, valueWords[2 * row]!);
    at += 8;
  }
  into.length = at;
  into.endRecord();
  return row;
}

/** `writeVarint` with a short way for the one or two bytes that most take. */
function putVarint(bytes: Uint8Array, at: number, value: number): number {
  if (value >= -8192 && value < 8192) {
    const code = (value << 1) ^ (value >> 31);
    if (code < 0x80) {
      bytes[at] = code;
      return at + 1;
    }
    bytes[at] = (code & 0x7f) | 0x80;
    bytes[at + 1] = code >>> 7;
    return at + 2;
  }
  return writeVarint(bytes, at, value);
}
