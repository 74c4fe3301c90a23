import { writeU64 } from "@varve/bytes";
import { ACCEPTED, type RecordBuffer, type SeriesRef, type WriteBatch } from "@varve/contracts";
import { SERIES_RECORD, WORD_BYTES } from "./types.ts";
import { labelsBytesMax, writeLabels } from "./write-labels.ts";

/** Writes one series record for the accepted rows of the range whose series is new, if there are any. */
export function writeNewSeries(
  batch: WriteBatch,
  from: number,
  until: number,
  into: RecordBuffer,
): void {
  const { isNew, status, keyAt, keys, refs } = batch;
  const accepted = ACCEPTED; // A local copy: V8 loads a module's constants each time.
  let room = 0;
  for (let row = from; row < until; row += 1) {
    if (isNew[row] === 0 || status[row] !== accepted) continue;
    room += WORD_BYTES + labelsBytesMax(keyAt[row + 1]! - keyAt[row]!);
  }
  if (room === 0) return;
  into.reserve(1 + room);
  const { bytes } = into;
  let at = into.length;
  bytes[at++] = SERIES_RECORD;
  for (let row = from; row < until; row += 1) {
    if (isNew[row] === 0 || status[row] !== accepted) continue;
    writeU64(bytes, at, refs[row]!);
    at = writeLabels(bytes, at + 8, keys, keyAt[row]!, keyAt[row + 1]!);
  }
  into.length = at;
  into.endRecord();
}

/** Writes a series record for one series. */
export function writeSeries(
  ref: SeriesRef,
  key: Uint8Array,
  keyFrom: number,
  keyUntil: number,
  into: RecordBuffer,
): void {
  into.reserve(1 + WORD_BYTES + labelsBytesMax(keyUntil - keyFrom));
  const { bytes } = into;
  const at = into.length;
  bytes[at] = SERIES_RECORD;
  writeU64(bytes, at + 1, ref);
  into.length = writeLabels(bytes, at + 1 + WORD_BYTES, key, keyFrom, keyUntil);
  into.endRecord();
}
