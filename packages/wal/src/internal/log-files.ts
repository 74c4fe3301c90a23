import { readU64 } from "@varve/bytes";
import {
  isStorageError,
  StorageError,
  type Disk,
  type Lsn,
  type Memory,
  type RecordBuffer,
  type WalNeeds,
  type WalRecovery,
  type WalVisitor,
} from "@varve/contracts";
import { readFully } from "@varve/disk/transfer";
import { poisonedError } from "./errors.ts";
import { writeCheckpoint } from "./checkpoint.ts";
import {
  checkpointOf,
  HEADER_BYTES,
  PAGE_BYTES,
  SEGMENT_HEAD_BYTES,
  segmentName,
  segmentOf,
  STORE_ID_BYTES,
} from "./layout.ts";
import type { LogStart } from "./log-writer.ts";
import type { LogPlace } from "./segment-file.ts";
import { parentOf } from "./quarantine.ts";
import { recover } from "./recover.ts";
import { bytesOfStoreId } from "./store-id.ts";

/** Prometheus' segment size, in bytes. */
export const SEGMENT_BYTES_MAX = 128 * 1024 * 1024;
/** Offsets in a segment stay small integers. */
const SEGMENT_BYTES_LIMIT = 2 ** 30;

/** The files of one log, apart from the segment that is being written. */
export class LogFiles implements LogPlace {
  readonly disk: Disk;
  readonly dir: string;
  readonly storeId: Uint8Array;
  readonly segmentBytesMax: number;
  readonly memory: Memory;
  readonly #needs: WalNeeds;
  /** A checkpoint is seen that may not stay: nothing is deleted for its sake, and none follows it. */
  #unsure: StorageError | null = null;

  constructor(needs: WalNeeds, options: { readonly segmentBytesMax: number }) {
    const { segmentBytesMax } = options;
    if (
      segmentBytesMax % PAGE_BYTES !== 0 ||
      segmentBytesMax < PAGE_BYTES ||
      segmentBytesMax > SEGMENT_BYTES_LIMIT
    ) {
      throw new StorageError(
        "LIMIT",
        `segmentBytesMax is ${segmentBytesMax}; it is a multiple of ${PAGE_BYTES}, at most ${SEGMENT_BYTES_LIMIT}`,
        { facts: { limit: "segmentBytesMax", value: segmentBytesMax, max: SEGMENT_BYTES_LIMIT } },
      );
    }
    this.#needs = needs;
    this.disk = needs.disk;
    this.memory = needs.memory;
    this.dir = needs.dir;
    this.storeId = bytesOfStoreId(needs.storeId);
    this.segmentBytesMax = segmentBytesMax;
    this.#makeDirectory();
    // A log that cannot sync must say so before it takes anything.
    this.disk.syncDirectory(this.dir);
  }

  /** Makes the directory, durably. An empty one is made anew: where an earlier sync of its name failed, another proves nothing. */
  #makeDirectory(): void {
    const { disk, dir } = this;
    const isEmpty = disk.kind(dir) === "directory" && disk.list(dir).length === 0;
    if (isEmpty) disk.removeDirectory(dir);
    disk.makeDirectory(dir);
    disk.syncDirectory(parentOf(dir));
  }

  /** Reads and mends the log: what was found, and where to go on. */
  recover(visit: WalVisitor): { readonly recovery: WalRecovery; readonly start: LogStart } {
    const { quarantineDir, recovery: mode } = this.#needs;
    const { disk, dir, storeId } = this;
    const { recovery, start } = recover({ disk, dir, quarantineDir, storeId, mode }, visit);
    let bytesOnDisk = this.#checkpointBytes();
    for (const segment of this.#segments()) bytesOnDisk += this.#sizeOf(this.#path(segment));
    return { recovery, start: { ...start, bytesOnDisk } };
  }

  /**
   * The segment that a checkpoint at `until` replaces together with all before it: the one that ends with that batch,
   * or else the one that holds the batch after it, whose later batches the checkpoint then repeats.
   */
  checkpointSegment(until: Lsn): number {
    const segments = this.#segments();
    const covered = this.#newestCheckpoint();
    let i = segments.length - 1;
    while (i > 0 && this.#firstLsn(segments[i]!) > until + 1) i -= 1;
    const segment = segments[i]!;
    const endsBefore = i > 0 && this.#firstLsn(segment) === until + 1;
    return endsBefore && segments[i - 1]! > covered ? segments[i - 1]! : segment;
  }

  /**
   * Writes the checkpoint for a segment that is whole. Answers by how many bytes the log's files grew. Does nothing
   * where the newest checkpoint covers that segment: what it holds stands for the same batches.
   */
  async checkpoint(
    segment: number,
    until: Lsn,
    fill: (into: RecordBuffer) => boolean,
  ): Promise<number> {
    if (this.#unsure !== null) throw this.#unsure;
    if (segment <= this.#newestCheckpoint()) return 0;
    const before = this.#checkpointBytes();
    try {
      const bytes = await writeCheckpoint(this, segment, until, fill);
      return bytes - before;
    } catch (error) {
      if (isStorageError(error, "WAL_SYNC")) this.#unsure = poisonedError(error);
      throw error;
    }
  }

  /**
   * Deletes the segments that a checkpoint covers and whose batches are all below `lsn`, oldest first. Answers the
   * bytes freed.
   */
  async truncateBefore(lsn: Lsn): Promise<number> {
    if (this.#unsure !== null) throw this.#unsure;
    const covered = this.#newestCheckpoint();
    const segments = this.#segments();
    let freed = 0;
    for (let i = 0; i + 1 < segments.length; i += 1) {
      const segment = segments[i]!;
      if (segment > covered || this.#firstLsn(segments[i + 1]!) > lsn) break;
      freed += this.#sizeOf(this.#path(segment));
      await this.disk.unlinkAsync(this.#path(segment));
    }
    if (freed > 0) await this.disk.syncDirectoryAsync(this.dir);
    return freed;
  }

  #segments(): number[] {
    return this.disk
      .list(this.dir)
      .map(segmentOf)
      .filter((segment) => segment >= 0)
      .toSorted((a, b) => a - b);
  }

  #newestCheckpoint(): number {
    return Math.max(-1, ...this.disk.list(this.dir).map(checkpointOf));
  }

  #checkpointBytes(): number {
    const { disk, dir } = this;
    let bytes = 0;
    for (const name of disk.list(dir)) {
      if (checkpointOf(name) < 0) continue;
      const path = `${dir}/${name}/${segmentName(0)}`;
      if (disk.kind(path) === "file") bytes += this.#sizeOf(path);
    }
    return bytes;
  }

  #sizeOf(path: string): number {
    const fd = this.disk.open(path, "read");
    try {
      return this.disk.size(fd);
    } finally {
      this.disk.close(fd);
    }
  }

  /** The first batch of a segment, as its first record says. Recovery or the writer has checked the record. */
  #firstLsn(segment: number): Lsn {
    const head = new Uint8Array(SEGMENT_HEAD_BYTES);
    const fd = this.disk.open(this.#path(segment), "read");
    try {
      readFully(this.disk, fd, head, 0, head.length, 0);
    } finally {
      this.disk.close(fd);
    }
    return readU64(head, HEADER_BYTES + 2 + STORE_ID_BYTES);
  }

  #path(segment: number): string {
    return `${this.dir}/${segmentName(segment)}`;
  }
}
