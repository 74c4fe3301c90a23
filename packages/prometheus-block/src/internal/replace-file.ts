import type { Disk } from "@varve/contracts";
import { writeAll } from "@varve/disk/transfer";

/**
 * Replaces a file of a block, or makes it: after a crash it is the old one or the new one, whole. Written aside,
 * synced, renamed, and the directory synced, all beside the caller.
 */
export async function replaceFile(
  disk: Disk,
  dir: string,
  name: string,
  bytes: Uint8Array,
): Promise<void> {
  const path = `${dir}/${name}`;
  const aside = `${path}.tmp`;
  if (disk.kind(aside) !== "none") disk.unlink(aside); // Left by a crash.
  const fd = disk.open(aside, "create");
  try {
    writeAll(disk, fd, bytes, 0, bytes.length, 0);
    await disk.datasyncAsync(fd);
  } finally {
    disk.close(fd);
  }
  disk.rename(aside, path);
  await disk.syncDirectoryAsync(dir);
}
