import type { Disk } from "@varve/contracts";
import { copyRange, readFully, writeAll } from "@varve/disk/transfer";
import { pageEnd } from "./layout.ts";

/** Ends the name of a segment's copy until it takes the segment's place. */
export const SETTLED = ".tmp";

/** Cuts a segment at `size`, durably, and fills its last page with zeros. */
export function cutSegment(disk: Disk, path: string, size: number): void {
  const fd = disk.open(path, "update");
  try {
    disk.truncate(fd, size);
    disk.truncate(fd, pageEnd(size)); // Growing a file fills it with zeros.
    disk.datasync(fd);
  } finally {
    disk.close(fd);
  }
}

/**
 * Makes a segment durable by content and name, before anyone is told what it holds. After a failed sync, what the kernel
 * shows may be in its cache alone, and looks clean: only what is written once more reaches the disk. It goes to a new
 * file that takes the segment's place, because a power cut would tear what is written over good bytes. On a disk that
 * is gone with its process there is nothing to do, and the copy would only take its memory.
 *
 * The caller syncs the directory. What a crash leaves of the new file goes at the next opening.
 */
export function settleSegment(disk: Disk, path: string): void {
  if (disk.isVolatile === true) return;
  const aside = path + SETTLED;
  if (disk.kind(aside) !== "none") disk.unlink(aside);
  const from = disk.open(path, "read");
  try {
    const to = disk.open(aside, "create");
    try {
      copyRange(disk, from, to, 0, disk.size(from));
      disk.datasync(to);
    } finally {
      disk.close(to);
    }
  } finally {
    disk.close(from);
  }
  disk.rename(aside, path);
}

/**
 * Makes the end of a closed log durable: all before its end record is so already, but the sync of that record may have
 * failed, and another would prove nothing. So it is cut off and written once more.
 */
export function renewEnd(disk: Disk, path: string, from: number): void {
  if (disk.isVolatile === true) return;
  const fd = disk.open(path, "update");
  try {
    const end = new Uint8Array(disk.size(fd) - from);
    const length = readFully(disk, fd, end, 0, end.length, from);
    disk.truncate(fd, from);
    writeAll(disk, fd, end, 0, length, from);
    disk.datasync(fd);
  } finally {
    disk.close(fd);
  }
}
