import { makeRecordBuffer } from "@varve/bytes";
import {
  StorageError,
  type Disk,
  type Lsn,
  type RecordBuffer,
  type RecoveryMode,
  type WalVisitor,
} from "@varve/contracts";
import { removeTree, writeAll } from "@varve/disk/transfer";
import { reservedError } from "./errors.ts";
import { Framer } from "./framer.ts";
import {
  checkpointName,
  checkpointOf,
  framedBytesMax,
  isReserved,
  SEGMENT_HEAD_BYTES,
  segmentName,
} from "./layout.ts";
import { BATCH, BELIEVE_ALL, FILE_END, LOG_END, RECORD } from "./scan-events.ts";
import { Scan } from "./scan.ts";
import { SLICE_BYTES, turn } from "./turn.ts";

/** Bytes framed before they are written. */
const WRITE_BYTES = 256 * 1024;

export interface CheckpointPlace {
  readonly disk: Disk;
  /** The log's directory. */
  readonly dir: string;
  readonly storeId: Uint8Array;
}

/** A checkpoint that was found. */
export interface FoundCheckpoint {
  /** It stands for this segment and all before it; -1 for none. */
  readonly segment: number;
  /** The last batch it stands for. */
  readonly lsn: Lsn;
  /** What was wrong with a newer one; empty if nothing. */
  readonly refused: string;
}

/**
 * Writes `checkpoint.N`: one segment file with the records of `fill` as batch `until`, then the later batches of
 * segment N, which it replaces. It appears whole, by a rename, or not at all; older ones go afterwards.
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
  removeTree(disk, aside);
  disk.makeDirectory(aside);
  const bytes = await writeFile(place, `${aside}/${segmentName(0)}`, segment, until, fill);
  await disk.syncDirectoryAsync(aside);
  disk.rename(aside, path);
  await disk.syncDirectoryAsync(dir);
  for (const name of disk.list(dir)) {
    const older = checkpointOf(name);
    if (older < 0 || older >= segment) continue;
    removeTree(disk, `${dir}/${name}`);
    await turn(); // Freeing the blocks of a large file takes milliseconds.
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
    writer.framer.reserve(SEGMENT_HEAD_BYTES);
    writer.framer.segment(storeId, until);
    const buffer = makeRecordBuffer();
    let records = 0;
    let sliceEnd = SLICE_BYTES;
    for (let more = true; more;) {
      buffer.clear();
      more = fill(buffer);
      writer.records(buffer);
      records += buffer.count;
      if (writer.framer.position < sliceEnd) continue;
      sliceEnd = writer.framer.position + SLICE_BYTES;
      await turn();
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
    let sliceEnd = SLICE_BYTES;
    for (let event = scan.next(); event !== FILE_END; event = scan.next()) {
      if (scan.good >= sliceEnd) {
        sliceEnd = scan.good + SLICE_BYTES;
        await turn();
      }
      if (event === LOG_END) continue;
      if (event !== BATCH) throw damaged(path, scan);
      if (scan.lsn <= until) continue;
      writer.records(scan.batch);
      writer.commit(scan.batch.count, scan.lsn);
    }
    return Math.max(until, scan.lsn);
  } finally {
    disk.close(fd);
  }
}

class CheckpointFile {
  readonly framer = new Framer({ bytes: WRITE_BYTES * 2 });
  readonly fd: number;
  readonly #disk: Disk;

  constructor(disk: Disk, path: string) {
    this.#disk = disk;
    this.fd = disk.open(path, "create");
  }

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

  commit(records: number, lsn: Lsn): void {
    this.framer.reserve(framedBytesMax(0, 0));
    this.framer.commit(records, lsn, lsn);
  }

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

/** Finds the newest checkpoint that is whole. An older one stands in for a damaged one where the mode allows it. */
export function newestCheckpoint(
  options: CheckpointPlace & { readonly mode: RecoveryMode; readonly names: readonly string[] },
): FoundCheckpoint {
  const { disk, dir, mode, names } = options;
  const segments = names
    .map(checkpointOf)
    .filter((segment) => segment >= 0)
    .toSorted((a, b) => b - a);
  let refused = "";
  for (const segment of segments) {
    const scan = new Scan({ ...options, each: true });
    const path = `${dir}/${checkpointName(segment)}/${segmentName(0)}`;
    if (readCheckpoint(disk, path, scan, () => undefined)) {
      return { segment, lsn: scan.lsn, refused };
    }
    if (mode === "strict") throw damaged(path, scan);
    refused ||= `${path}@${scan.faultOffset}: ${scan.faultText}`;
  }
  // Without any checkpoint the log is whole only from its first segment on.
  if (refused !== "" && !names.includes(segmentName(0)) && mode === "tail") {
    throw corruptCheckpoint(refused, `${dir}/${checkpointName(segments[0]!)}`);
  }
  return { segment: -1, lsn: 0, refused };
}

/** Tells the records of a checkpoint that `newestCheckpoint` found whole, and answers how many there were. */
export function replayCheckpoint(
  place: CheckpointPlace,
  checkpoint: FoundCheckpoint,
  visit: WalVisitor,
): number {
  const scan = new Scan({ ...place, each: true });
  const path = `${place.dir}/${checkpointName(checkpoint.segment)}/${segmentName(0)}`;
  let records = 0;
  const isWhole = readCheckpoint(place.disk, path, scan, () => {
    visit(scan.batch.bytes, 0, scan.batch.length, scan.lsn + 1);
    records += 1;
  });
  if (!isWhole) throw damaged(path, scan); // It changed between the two readings.
  return records;
}

/** Reads a checkpoint's file from its first record to its end record. False if anything is wrong with it. */
function readCheckpoint(disk: Disk, path: string, scan: Scan, record: () => void): boolean {
  if (disk.kind(path) !== "file") {
    scan.faultKind = "missing";
    scan.faultText = "the checkpoint's file is missing";
    return false;
  }
  const fd = disk.open(path, "read");
  try {
    scan.open(fd, path, BELIEVE_ALL);
    for (;;) {
      const event = scan.next();
      if (event === RECORD) record();
      else if (event === FILE_END) {
        if (scan.ended && scan.isWhole) return true;
        scan.faultKind = "length";
        scan.faultText = "the checkpoint has no end";
        scan.faultOffset = scan.reader.size;
        return false;
      } else if (event !== BATCH && event !== LOG_END) return false;
    }
  } finally {
    disk.close(fd);
  }
}

function damaged(path: string, scan: Scan): StorageError {
  return corruptCheckpoint(`${path}@${scan.faultOffset}: ${scan.faultText}`, path, scan);
}

function corruptCheckpoint(what: string, path: string, scan?: Scan): StorageError {
  return new StorageError(
    "WAL_CORRUPT",
    `${what}; the checkpoint cannot stand for the segments it replaced; later segments may be intact; ` +
      'copy the directory, then open it with recovery: "salvage"',
    {
      facts: {
        path,
        segment: 0,
        offset: scan?.faultOffset ?? 0,
        kind: scan?.faultKind ?? "missing",
        lsnExpected: (scan?.lsn ?? 0) + 1,
      },
    },
  );
}
