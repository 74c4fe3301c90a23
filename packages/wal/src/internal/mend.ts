import type { Disk } from "@varve/contracts";
import { readFully, writeAll } from "@varve/disk/transfer";
import { pageEnd } from "./layout.ts";

const CHUNK_BYTES = 64 * 1024;

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
 * Makes a segment durable. What a failed sync left behind looks clean to the kernel, so what nobody vouches for,
 * from `from` on, is written once more before it is synced.
 */
export function settleSegment(disk: Disk, path: string, from: number): void {
  const fd = disk.open(path, "update");
  try {
    const size = disk.size(fd);
    const bytes = new Uint8Array(CHUNK_BYTES);
    for (let at = from; at < size;) {
      const count = readFully(disk, fd, bytes, 0, Math.min(CHUNK_BYTES, size - at), at);
      writeAll(disk, fd, bytes, 0, count, at);
      at += count;
    }
    disk.datasync(fd);
  } finally {
    disk.close(fd);
  }
}
