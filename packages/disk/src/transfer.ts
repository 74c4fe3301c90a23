import type { Descriptor, Disk } from "@varve/contracts";
import { diskFailure } from "./failure.ts";

const COPY_BUFFER_BYTES = 64 * 1024;

/** Writes all of bytes[from … from+length) at `position`, however few the disk takes at a time. */
export function writeAll(
  disk: Disk,
  fd: Descriptor,
  bytes: Uint8Array,
  from: number,
  length: number,
  position: number,
): void {
  let done = 0;
  while (done < length) done += disk.write(fd, bytes, from + done, length - done, position + done);
}

/** Reads until `length` bytes are there or the file ends, and returns how many were read. */
export function readFully(
  disk: Disk,
  fd: Descriptor,
  bytes: Uint8Array,
  from: number,
  length: number,
  position: number,
): number {
  let done = 0;
  while (done < length) {
    const count = disk.read(fd, bytes, from + done, length - done, position + done);
    if (count === 0) break;
    done += count;
  }
  return done;
}

/** Copies source[from … until) to the beginning of `target`, through a small buffer. Ends where the source does. */
export function copyRange(
  disk: Disk,
  source: Descriptor,
  target: Descriptor,
  from: number,
  until: number,
): void {
  const bytes = new Uint8Array(Math.min(COPY_BUFFER_BYTES, until - from));
  for (let at = from; at < until;) {
    const count = readFully(disk, source, bytes, 0, Math.min(bytes.length, until - at), at);
    if (count === 0) return;
    writeAll(disk, target, bytes, 0, count, at - from);
    at += count;
  }
}

/** Reads a whole file. Refuses one above `bytesMax` with DISK (EOVERFLOW), before any memory is set aside. */
export function readAll(
  disk: Disk,
  path: string,
  options: { readonly bytesMax?: number } = {},
): Uint8Array {
  const { bytesMax = 2 ** 31 } = options;
  const fd = disk.open(path, "read");
  try {
    const size = disk.size(fd);
    if (size > bytesMax) throw diskFailure("read", `${path} (${size} bytes)`, "EOVERFLOW");
    const bytes = new Uint8Array(size);
    const count = readFully(disk, fd, bytes, 0, size, 0);
    return count === size ? bytes : bytes.slice(0, count);
  } finally {
    disk.close(fd);
  }
}

/**
 * Replaces a small file so that a crash leaves either the old content or the new, never a mixture:
 * written to `path` + ".tmp", synced, renamed, and the directory synced.
 */
export function writeFileDurably(disk: Disk, path: string, bytes: Uint8Array): void {
  const aside = `${path}.tmp`;
  if (disk.kind(aside) !== "none") disk.unlink(aside); // Left by a crash.
  const fd = disk.open(aside, "create");
  try {
    writeAll(disk, fd, bytes, 0, bytes.length, 0);
    disk.datasync(fd);
  } finally {
    disk.close(fd);
  }
  disk.rename(aside, path);
  disk.syncDirectory(parentOf(path));
}

/** Removes a file, or a directory with all it holds. Nothing happens when there is none. Not durable by itself. */
export function removeTree(disk: Disk, path: string): void {
  const kind = disk.kind(path);
  if (kind === "none") return;
  if (kind !== "directory") {
    disk.unlink(path);
    return;
  }
  for (const name of disk.list(path)) removeTree(disk, `${path}/${name}`);
  disk.removeDirectory(path);
}

/** The same, file after file, without blocking the caller for the time that freeing large ones takes. */
export async function removeTreeAsync(disk: Disk, path: string): Promise<void> {
  const kind = disk.kind(path);
  if (kind === "none") return;
  if (kind !== "directory") {
    await disk.unlinkAsync(path);
    return;
  }
  for (const name of disk.list(path)) await removeTreeAsync(disk, `${path}/${name}`);
  disk.removeDirectory(path);
}

/** The directory that holds `path`. */
function parentOf(path: string): string {
  const end = Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\"));
  if (end < 0) return ".";
  return end === 0 ? path.slice(0, 1) : path.slice(0, end);
}
