import { makeRandom } from "@varve/bytes";
import type { Lsn, RecordBuffer, WalRecovery, WriteAheadLog } from "@varve/contracts";
import { Broken } from "../../row.ts";

/** Prometheus' samples, and a type of ours: records that no log reserves for itself. */
const BATCH_TYPE = 2;
const CHECKPOINT_TYPE = 131;

/** The store that all logs here belong to. */
export const STORE_ID = "0123456789abcdef0123456789abcdef";

/** What a replay told, batch by batch. */
export interface Told {
  /** The batch that a checkpoint stands for, or 0. */
  readonly checkpoint: Lsn;
  /** All batches from the one after the checkpoint up to this one were told, as they were appended. */
  readonly last: Lsn;
  readonly recovery: WalRecovery;
}

/** Fills the buffer with batch `lsn`: its content follows from its number alone, so that nobody can make it up. */
export function fillBatch(buffer: RecordBuffer, lsn: Lsn): void {
  const random = makeRandom(lsn);
  const records = 1 + random.below(3);
  for (let i = 0; i < records; i += 1) {
    const length = random.chance(0.05) ? 1 + random.below(3000) : 1 + random.below(90);
    putRecord(buffer, BATCH_TYPE, length, random.word());
  }
}

/** Fills the buffer with what stands for all batches up to `lsn`. */
function fillCheckpoint(buffer: RecordBuffer, lsn: Lsn): void {
  putRecord(buffer, CHECKPOINT_TYPE, 1 + (lsn % 50), lsn * 31 + 7);
}

function putRecord(buffer: RecordBuffer, type: number, length: number, salt: number): void {
  buffer.reserve(length);
  const { bytes } = buffer;
  const from = buffer.length;
  let word = salt | 1;
  for (let at = from + 1; at < from + length; at += 1) {
    word = Math.imul(word, 0x9e3779b1) ^ (word >>> 15);
    bytes[at] = word;
  }
  bytes[from] = type;
  buffer.length = from + length;
  buffer.endRecord();
}

/** Replays a log and checks every byte. `scratch` is an empty buffer to compare with. */
export function replayChecked(wal: WriteAheadLog, scratch: RecordBuffer): Told {
  let checkpoint = 0;
  let last = 0;
  let record = 0;
  let isFirst = true;
  const endBatch = (): void => {
    if (last > 0 && record !== scratch.count) {
      throw new Broken("wrong", `batch ${last} was told in part: ${record} of ${scratch.count}`);
    }
  };
  const recovery = wal.replay((bytes, from, until, lsn) => {
    if (lsn !== last) {
      endBatch();
      if (!isFirst && lsn !== last + 1) {
        throw new Broken("lost", `batch ${lsn} was told after batch ${last}`);
      }
      scratch.clear();
      if (isFirst && bytes[from] === CHECKPOINT_TYPE) {
        checkpoint = lsn;
        fillCheckpoint(scratch, lsn);
      } else {
        if (isFirst && lsn !== 1) throw new Broken("lost", `the log begins with batch ${lsn}`);
        fillBatch(scratch, lsn);
      }
      isFirst = false;
      last = lsn;
      record = 0;
    }
    if (!isRecord(scratch, record, bytes, from, until)) {
      throw new Broken("wrong", `record ${record} of batch ${lsn} is not what was appended`);
    }
    record += 1;
  });
  endBatch();
  return { checkpoint, last, recovery };
}

function isRecord(
  expected: RecordBuffer,
  index: number,
  bytes: Uint8Array,
  from: number,
  until: number,
): boolean {
  if (index >= expected.count) return false;
  const start = index === 0 ? 0 : expected.ends[index - 1]!;
  if (expected.ends[index]! - start !== until - from) return false;
  for (let i = 0; i < until - from; i += 1) {
    if (expected.bytes[start + i] !== bytes[from + i]) return false;
  }
  return true;
}

/** A checkpoint of everything, and the segments before it deleted. `onCut` is called before it is begun. */
export async function cutLog(wal: WriteAheadLog, onCut: (until: Lsn) => void): Promise<void> {
  const until = wal.accepted;
  if (until === 0) return;
  onCut(until);
  await wal.checkpoint((into) => {
    fillCheckpoint(into, until);
    return false;
  }, until);
  await wal.truncateBefore(until + 1);
}
