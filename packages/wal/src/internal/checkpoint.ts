import { makeRecordBuffer } from "@varve/bytes";
import type { Disk, Lsn, RecordBuffer } from "@varve/contracts";
import { removeTreeAsync, writeAll } from "@varve/disk/transfer";
import { reservedError, syncError } from "./errors.ts";
import { Framer } from "./framer.ts";
import {
  checkpointName,
  checkpointOf,
  framedBytesMax,
  isReserved,
  SEGMENT_HEAD_BYTES,
  segmentName,
} from "./layout.ts";
import { damagedCheckpoint } from "./read-checkpoint.ts";
import { BATCH, BELIEVE_ALL, FILE_END, LOG_END } from "./scan-events.ts";
import { Scan } from "./scan.ts";
import { stretches } from "./turn.ts";

/** Bytes framed before they are written. */
const WRITE_BYTES = 256 * 1024;

export interface CheckpointPlace {
  readonly disk: Disk;
  /** The log's directory. */
  readonly dir: string;
  readonly storeId: Uint8Array;
}

/**
 * Writes `checkpoint.N`: one segment file with the records of `fill` as batch `until`, then the later batches of
 * segment N, which it replaces. It appears whole, by a rename, or not at all; older ones go afterwards.
 * Throws WAL_SYNC when nobody knows whether its name will stay.
 *
 * Nothing of it holds the event loop for long: syncs run beside the caller, and the rest takes turns.
 */
export async function writeCheckpoint(
  place: CheckpointPlace,
  segment: number,
  until: Lsn,
  fill: (into: RecordBuffer) => boolean,
): Promise<number> {
  const { disk, dir } = place;
  const path = `${dir}/${checkpointName(segment)}`;
  const aside = `${path}.tmp`;
  await removeTreeAsync(disk, aside);
  disk.makeDirectory(aside);
  const bytes = await writeFile(place, `${aside}/${segmentName(0)}`, segment, until, fill);
  await disk.syncDirectoryAsync(aside);
  disk.rename(aside, path);
  try {
    await disk.syncDirectoryAsync(dir);
  } catch (error) {
    throw syncError(path, error); // It is seen from now on, and nobody knows whether it stays.
  }
  for (const name of disk.list(dir)) {
    const older = checkpointOf(name);
    if (older < 0 || older >= segment) continue;
    await removeTreeAsync(disk, `${dir}/${name}`);
  }
  await disk.syncDirectoryAsync(dir);
  return bytes;
}

async function writeFile(
  place: CheckpointPlace,
  path: string,
  segment: number,
  until: Lsn,
  fill: (into: RecordBuffer) => boolean,
): Promise<number> {
  const { disk, storeId } = place;
  const writer = new CheckpointFile(disk, path);
  try {
    writer.head(storeId, until);
    const buffer = makeRecordBuffer();
    let records = 0;
    const pause = stretches();
    for (let more = true; more;) {
      buffer.clear();
      more = fill(buffer);
      writer.records(buffer);
      records += buffer.count;
      await pause(writer.framer.position);
    }
    writer.commit(records, until);
    return await writer.finish(await copyBatches(place, segment, until, writer));
  } finally {
    disk.close(writer.fd);
  }
}

/** Copies what a segment holds beyond `until`. Answers its last batch. */
async function copyBatches(
  place: CheckpointPlace,
  segment: number,
  until: Lsn,
  writer: CheckpointFile,
): Promise<Lsn> {
  const { disk, dir, storeId } = place;
  const scan = new Scan({ disk, storeId });
  const path = `${dir}/${segmentName(segment)}`;
  const fd = disk.open(path, "read");
  try {
    scan.open(fd, path, BELIEVE_ALL);
    const pause = stretches();
    for (let event = scan.next(); event !== FILE_END; event = scan.next()) {
      await pause(scan.good);
      if (event === LOG_END) continue;
      if (event !== BATCH) throw damagedCheckpoint(path, scan);
      if (scan.lsn <= until) continue;
      writer.records(scan.batch);
      writer.commit(scan.batch.count, scan.lsn);
    }
    return Math.max(until, scan.lsn);
  } finally {
    disk.close(fd);
  }
}

/** A checkpoint's file while it is written: records and commits in the log's framing, 256 KiB a write. */
export class CheckpointFile {
  readonly framer = new Framer({ bytes: WRITE_BYTES * 2 });
  readonly fd: number;
  readonly #disk: Disk;

  constructor(disk: Disk, path: string) {
    this.#disk = disk;
    this.fd = disk.open(path, "create");
  }

  /** The first record: what follows begins with batch `firstLsn`. */
  head(storeId: Uint8Array, firstLsn: Lsn): void {
    this.framer.reserve(SEGMENT_HEAD_BYTES);
    this.framer.segment(storeId, firstLsn);
  }

  /** Records of the batch that the next commit closes. Throws INPUT for types that are the log's own. */
  records(buffer: RecordBuffer): void {
    let from = 0;
    for (let i = 0; i < buffer.count; i += 1) {
      const until = buffer.ends[i]!;
      if (until > from && isReserved(buffer.bytes[from]!)) throw reservedError(buffer.bytes[from]!);
      this.framer.reserve(framedBytesMax(1, until - from));
      this.framer.record(buffer.bytes, from, until);
      from = until;
      if (this.framer.length >= WRITE_BYTES) this.#write();
    }
  }

  /** Closes a batch of so many records. */
  commit(records: number, lsn: Lsn): void {
    this.framer.reserve(framedBytesMax(0, 0));
    this.framer.commit(records, lsn, lsn);
    if (this.framer.length >= WRITE_BYTES) this.#write();
  }

  /** Ends the file, durably. Answers its size in bytes. */
  async finish(lastLsn: Lsn): Promise<number> {
    this.framer.reserve(framedBytesMax(0, 0));
    this.framer.end(lastLsn);
    this.framer.padPage();
    this.#write();
    await this.#disk.datasyncAsync(this.fd);
    return this.framer.base;
  }

  #write(): void {
    const { framer } = this;
    writeAll(this.#disk, this.fd, framer.out, 0, framer.length, framer.base);
    framer.release();
  }
}
