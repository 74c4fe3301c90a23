import { type Disk, StorageError } from "@varve/contracts";
import { readFully, writeAll } from "@varve/disk/transfer";

/** Copies part of a file to a new one, and syncs that. False, and no copy, when the file has nothing there. */
export function copyRange(
  disk: Disk,
  path: string,
  from: number,
  until: number,
  copy: string,
): boolean {
  const source = disk.open(path, "read");
  let bytes: Uint8Array;
  let count = 0;
  try {
    bytes = new Uint8Array(Math.max(0, Math.min(until, disk.size(source)) - from));
    count = readFully(disk, source, bytes, 0, bytes.length, from);
  } finally {
    disk.close(source);
  }
  if (count === 0) return false;
  const target = disk.open(copy, "create");
  try {
    writeAll(disk, target, bytes, 0, count, 0);
    disk.datasync(target);
  } finally {
    disk.close(target);
  }
  return true;
}

/** The name, or the first of those after it that is not taken. */
export function freeName(disk: Disk, wanted: string): string {
  for (let i = 0; i < 10_000; i += 1) {
    const name = i === 0 ? wanted : `${wanted}-${i}`;
    if (disk.kind(name) === "none") return name;
  }
  throw new StorageError(
    "DISK",
    `${wanted} is taken, and so are its next names; empty quarantine/`,
    {
      facts: { path: wanted },
    },
  );
}
