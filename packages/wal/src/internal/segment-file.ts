import type { Descriptor, Disk, Lsn } from "@varve/contracts";
import { writeAll } from "@varve/disk/transfer";
import { isFull, syncError } from "./errors.ts";
import type { Framer } from "./framer.ts";

/** What a writer needs to know about its log. */
export interface LogPlace {
  readonly disk: Disk;
  readonly dir: string;
  readonly storeId: Uint8Array;
  readonly segmentBytesMax: number;
}

/**
 * Creates a segment with its first record, durable by name and content, and answers its descriptor.
 *
 * Throws STORAGE_FULL when the disk is full, and then nothing of the segment is left that could come back as the
 * log's last. After any other failure nobody knows what is on the device.
 */
export function createSegment(
  place: LogPlace,
  path: string,
  framer: Framer,
  firstLsn: Lsn,
): Descriptor {
  const { disk, dir, storeId } = place;
  const fd = disk.open(path, "create");
  framer.startFile();
  framer.segment(storeId, firstLsn);
  try {
    writeAll(disk, fd, framer.out, 0, framer.length, 0);
  } catch (error) {
    disk.close(fd);
    if (isFull(error)) removeDurably(disk, dir, path);
    throw error;
  }
  try {
    disk.datasync(fd);
    disk.syncDirectory(dir);
  } catch (error) {
    disk.close(fd);
    throw syncError(path, error);
  }
  framer.release();
  return fd;
}

function removeDurably(disk: Disk, dir: string, path: string): void {
  try {
    disk.unlink(path);
    disk.syncDirectory(dir);
  } catch (error) {
    throw syncError(path, error); // Whatever the disk says: this failure is not one to go on after.
  }
}
