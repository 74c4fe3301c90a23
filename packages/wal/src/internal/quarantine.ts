import type { Descriptor, Disk } from "@varve/contracts";
import { copyRange } from "@varve/disk/transfer";

/** The most that an open copies of what it cuts off, in bytes: evidence, not a backup. */
export const COPY_BYTES_MAX = 16 * 1024 * 1024;

/**
 * Copies fd's bytes [from … until), or the first `bytesMax` of them, to a file of its own. Answers its path; "" for no
 * bytes.
 */
export function keepCopy(
  disk: Disk,
  dir: string,
  name: string,
  source: {
    readonly fd: Descriptor;
    readonly from: number;
    readonly until: number;
    readonly bytesMax: number;
  },
): string {
  const { fd, from } = source;
  const until = Math.min(source.until, from + source.bytesMax);
  if (until <= from) return "";
  makeDirectory(disk, dir);
  const path = freePath(disk, dir, `${name}.${from}`);
  const copy = disk.open(path, "create");
  try {
    copyRange(disk, fd, copy, from, until);
    disk.datasync(copy);
  } finally {
    disk.close(copy);
  }
  disk.syncDirectory(dir);
  return path;
}

/** Moves a whole file or directory away. Answers its new path. The caller syncs the directory it came from. */
export function keepFile(disk: Disk, dir: string, from: string, name: string): string {
  makeDirectory(disk, dir);
  const path = freePath(disk, dir, name);
  disk.rename(from, path);
  disk.syncDirectory(dir);
  return path;
}

function makeDirectory(disk: Disk, dir: string): void {
  disk.makeDirectory(dir);
  disk.syncDirectory(parentOf(dir));
}

/** The directory that holds `path`. */
export function parentOf(path: string): string {
  const end = path.lastIndexOf("/");
  if (end < 0) return ".";
  return end === 0 ? "/" : path.slice(0, end);
}

/** A name that no file has: the time first, so that a listing is a history. */
function freePath(disk: Disk, dir: string, name: string): string {
  const time = new Date().toISOString().replaceAll(/[-:.]/g, "");
  for (let i = 0; ; i += 1) {
    const path = `${dir}/${time}-${name}${i === 0 ? "" : `-${i}`}`;
    if (disk.kind(path) === "none") return path;
  }
}
