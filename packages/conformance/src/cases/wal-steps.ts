import { makeRandom } from "@varve/bytes";
import type { Disk, Lsn, Variant, WalNeeds, WalRecovery, WriteAheadLog } from "@varve/contracts";
import { holds, same } from "../expect.ts";
import type { Trial } from "../trial.ts";

export type WalTrial = Trial<"wal">;

/** Prometheus' samples: a type that no log reserves for itself. */
const RECORD_TYPE = 2;

export const persistent = ({ traits }: Variant<"wal">): boolean => traits.persistent;

/** A record as it was told. */
export interface Told {
  readonly lsn: Lsn;
  readonly bytes: Uint8Array;
}

export interface OpenLog {
  readonly wal: WriteAheadLog;
  readonly recovery: WalRecovery;
  readonly told: readonly Told[];
}

/** Opens a log and replays it, as an engine does. */
export async function openLog(
  trial: WalTrial,
  overrides: Partial<WalNeeds> = {},
): Promise<OpenLog> {
  const wal = await trial.open(overrides);
  const told: Told[] = [];
  try {
    const recovery = wal.replay((bytes, from, until, lsn) => {
      told.push({ lsn, bytes: bytes.slice(from, until) });
    });
    return { wal, recovery, told };
  } catch (error) {
    await trial.kill(wal);
    throw error;
  }
}

/** The lengths of a batch's records: what it holds follows from its number alone, so nobody can make it up. */
export function lengthsOf(lsn: Lsn): number[] {
  const random = makeRandom(lsn * 7919);
  return Array.from({ length: 1 + random.below(4) }, () =>
    random.chance(0.05) ? random.below(3000) : random.below(120),
  );
}

/** The i-th record of a batch. */
export function recordOf(lsn: Lsn, i: number, length: number): Uint8Array {
  const random = makeRandom(lsn * 1000 + i);
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 1) bytes[at] = random.word();
  if (length > 0) bytes[0] = RECORD_TYPE;
  return bytes;
}

/** Fills the buffer with a batch's records. */
export function fill(
  wal: WriteAheadLog,
  lsn: Lsn,
  lengths: readonly number[] = lengthsOf(lsn),
): void {
  for (const [i, length] of lengths.entries()) {
    wal.buffer.reserve(length);
    wal.buffer.bytes.set(recordOf(lsn, i, length), wal.buffer.length);
    wal.buffer.length += length;
    wal.buffer.endRecord();
  }
}

/** Appends the next batch. */
export function append(wal: WriteAheadLog, lengths?: readonly number[]): Lsn {
  const lsn = wal.accepted + 1;
  fill(wal, lsn, lengths);
  same(wal.append(), lsn, "number of the batch");
  return lsn;
}

export function appendMany(wal: WriteAheadLog, count: number): void {
  for (let i = 0; i < count; i += 1) append(wal);
}

/** Fails unless exactly the batches from … until were told, byte for byte. */
export function checkTold(
  told: readonly Told[],
  from: Lsn,
  until: Lsn,
  lengths: (lsn: Lsn) => readonly number[] = lengthsOf,
): void {
  let at = 0;
  for (let lsn = from; lsn <= until; lsn += 1) {
    for (const [i, length] of lengths(lsn).entries()) {
      const record = told[at++];
      holds(record !== undefined, `record ${i} of batch ${lsn} is told, ${at - 1} were`);
      same(record.lsn, lsn, `batch of record ${at - 1}`);
      const isSame = Buffer.from(record.bytes).equals(recordOf(lsn, i, length));
      holds(isSame, `record ${i} of batch ${lsn} is told as it was appended`);
    }
  }
  same(told.length, at, "records told");
}

/** The last batch told, after checking that all from the first are, whole and in order. */
export function checkPrefix(told: readonly Told[]): Lsn {
  const last = told.at(-1)?.lsn ?? 0;
  checkTold(told, 1, last);
  return last;
}

/** Every file below a directory. */
export function filesBelow(disk: Disk, dir: string): string[] {
  return disk.list(dir).flatMap((name) => {
    const path = `${dir}/${name}`;
    return disk.kind(path) === "directory" ? filesBelow(disk, path) : [path];
  });
}

/** The largest file below a directory: where the batches are. */
export function largestFile(
  disk: Disk,
  dir: string,
): { readonly path: string; readonly size: number } {
  let largest = { path: "", size: -1 };
  for (const path of filesBelow(disk, dir)) {
    const fd = disk.open(path, "read");
    const size = disk.size(fd);
    disk.close(fd);
    if (size > largest.size) largest = { path, size };
  }
  holds(largest.size >= 0, `the log has a file in ${dir}`);
  return largest;
}

/** Flips bits of one byte of a file. */
export function damage(disk: Disk, path: string, at: number, mask: number): void {
  const fd = disk.open(path, "update");
  const byte = new Uint8Array(1);
  disk.read(fd, byte, 0, 1, at);
  byte[0] = byte[0]! ^ mask;
  disk.write(fd, byte, 0, 1, at);
  disk.close(fd);
}
