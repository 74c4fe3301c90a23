import { readU32, readU64 } from "@varve/bytes";
import type { Lsn } from "@varve/contracts";
import type { Damage, Span } from "./file.ts";

const PAGE_BYTES = 32 * 1024;
const HEADER_BYTES = 7;
const FULL = 1;
const LAST = 4;
const COMMIT_TYPE = 128;
const SEGMENT_TYPE = 129;
const END_TYPE = 130;

/** A batch, and what its commit record says. */
export interface Batch extends Span {
  readonly lsn: Lsn;
  /** Its commit record begins here. */
  readonly commitAt: number;
  readonly durable: Lsn;
}

/** Where a sound segment has what: read from its bytes, by docs/format/wal.md, without the log's own code. */
export interface SegmentMap {
  readonly firstLsn: Lsn;
  /** The first record ends here. */
  readonly headEnd: number;
  readonly batches: readonly Batch[];
  readonly end: Span | null;
  /** Behind it the rest of the page is zero. */
  readonly contentEnd: number;
  readonly frames: readonly Span[];
}

export function mapSegment(bytes: Uint8Array): SegmentMap {
  const frames: Span[] = [];
  const batches: Batch[] = [];
  let [firstLsn, headEnd, contentEnd, batchFrom] = [0, 0, 0, 0];
  let end: Span | null = null;
  for (let at = 0; at < bytes.length;) {
    const left = PAGE_BYTES - (at % PAGE_BYTES);
    const type = bytes[at]!;
    if (type === 0 || left < HEADER_BYTES) {
      at += left;
      continue;
    }
    const from = at + HEADER_BYTES;
    const until = from + ((bytes[at + 1]! << 8) | bytes[at + 2]!);
    if (type > LAST) throw new Error(`the sound segment has no fragment at ${at}`);
    frames.push({ from: at, until });
    const record = type === FULL ? bytes[from] : -1;
    if (record === SEGMENT_TYPE) {
      firstLsn = readU64(bytes, from + 18);
      headEnd = until;
      batchFrom = until;
    } else if (record === END_TYPE) {
      end = { from: at, until };
    } else if (record === COMMIT_TYPE) {
      const lsn = readU64(bytes, from + 6);
      const durable = readU64(bytes, from + 14);
      if (readU32(bytes, from + 2) > 0 && lsn !== firstLsn + batches.length) {
        throw new Error(`the sound segment has batch ${lsn} at ${at}`);
      }
      batches.push({ from: batchFrom, until, lsn, durable, commitAt: at });
      batchFrom = until;
    }
    at = until;
    contentEnd = until;
  }
  return { firstLsn, headEnd, batches, end, contentEnd, frames };
}

/** What damage to a segment must come to. */
export interface Verdict {
  /** Batches up to this one are untouched, and so is all before them. */
  readonly intact: Lsn;
  /** The highest batch that something intact says was durable: beyond `intact`, opening must be refused. */
  readonly durable: Lsn;
  /** What was moved may be found, and say more. */
  readonly isUnsure: boolean;
  /** The first record is damaged: opening may be refused, even where nothing shows what was durable. */
  readonly isHead: boolean;
  /** The highest batch that the damage touches. */
  readonly touched: Lsn;
}

/** `laterDurable` is what the segments behind it prove to be durable: 0 for the last one. */
export function judgeDamage(
  { firstLsn, headEnd, batches, end }: SegmentMap,
  original: Uint8Array,
  damage: Damage,
  laterDurable: Lsn,
): Verdict {
  const { kind, from, bytes } = damage;
  const isSame = (at: number, until: number): boolean =>
    until <= bytes.length &&
    Buffer.compare(original.subarray(at, until), bytes.subarray(at, until)) === 0;
  let intact = firstLsn - 1;
  // Salvage gives up the batch that a damaged first record leads to.
  let touched = from < headEnd ? firstLsn : 0;
  let durable = laterDurable;
  for (const batch of batches) {
    if (batch.until <= from) intact = batch.lsn;
    if (!isSame(batch.from, batch.until)) touched = batch.lsn;
    if (isSame(batch.commitAt, batch.until)) durable = Math.max(durable, batch.durable);
  }
  if (end !== null && isSame(end.from, end.until)) durable = firstLsn + batches.length - 1;
  return { intact, durable, touched, isHead: from < headEnd, isUnsure: kind === "moved" };
}
