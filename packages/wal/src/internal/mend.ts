import type { Descriptor, Disk } from "@varve/contracts";
import { readFully, writeAll } from "@varve/disk/transfer";
import { pageEnd } from "./layout.ts";

const CHUNK_BYTES = 64 * 1024;
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
 * file that takes the segment's place, because a power cut would tear what is written over good bytes.
 *
 * The caller syncs the directory. What a crash leaves of the new file goes at the next opening.
 */
export function settleSegment(disk: Disk, path: string): void {
  const aside = path + SETTLED;
  if (disk.kind(aside) !== "none") disk.unlink(aside);
  const from = disk.open(path, "read");
  try {
    const to = disk.open(aside, "create");
    try {
      copyAll(disk, from, to);
      disk.datasync(to);
    } finally {
      disk.close(to);
    }
  } finally {
    disk.close(from);
  }
  disk.rename(aside, path);
}

function copyAll(disk: Disk, from: Descriptor, to: Descriptor): void {
  const size = disk.size(from);
  const bytes = new Uint8Array(CHUNK_BYTES);
  for (let at = 0; at < size;) {
    const count = readFully(disk, from, bytes, 0, Math.min(CHUNK_BYTES, size - at), at);
    writeAll(disk, to, bytes, 0, count, at);
    at += count;
  }
}
