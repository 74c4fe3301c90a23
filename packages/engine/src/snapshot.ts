import { isStorageError, StorageError, type Disk } from "@varve/contracts";
import { readAll, removeTree, writeAll } from "@varve/disk/transfer";
import { basename, dirname, join } from "node:path";

/** What a directory of ours holds that a copy needs: the rest is made anew, or is this process' own. */
const COPIED = /^(FORMAT|wal|sealed|[0-9A-HJKMNP-TV-Z]{26})$/;
/** Directories whose last numbered file is still written to. */
const GROWING = new Set(["wal", "sealed"]);
const NUMBERED = /^\d{6,8}$/;

/**
 * Copies a data directory whose files nobody removes meanwhile: hard links where a file never changes any more, bytes
 * where one may still grow. `sealed/` goes before the log, so that the log tells all that `sealed/` is too old for.
 *
 * The copy appears whole, by a rename. Throws INPUT when `target` exists and is not an empty directory.
 */
export async function copyStore(disk: Disk, dir: string, target: string): Promise<void> {
  if (disk.kind(target) !== "none" && disk.list(target).length > 0) {
    throw new StorageError(
      "INPUT",
      `${target}: is there already, and not empty; name a new directory`,
      {
        facts: { path: target },
      },
    );
  }
  const aside = join(dirname(target), `${basename(target)}.tmp`);
  removeTree(disk, aside);
  disk.makeDirectory(aside);
  try {
    const names = disk.list(dir).filter((name) => COPIED.test(name));
    for (const name of names.toSorted(sealedFirst)) {
      await copyTree(disk, join(dir, name), join(aside, name));
    }
    await disk.syncDirectoryAsync(aside);
    if (disk.kind(target) === "directory") disk.removeDirectory(target);
    disk.rename(aside, target);
    await disk.syncDirectoryAsync(dirname(target));
  } catch (error) {
    if (isStorageError(error)) removeTree(disk, aside);
    throw error;
  }
}

function sealedFirst(a: string, b: string): number {
  return Number(a === "wal") - Number(b === "wal");
}

async function copyTree(disk: Disk, from: string, to: string): Promise<void> {
  if (disk.kind(from) !== "directory") return copyFile(disk, from, to);
  disk.makeDirectory(to);
  const names = disk.list(from);
  const grows = GROWING.has(basename(from));
  const growing = grows ? names.filter((name) => NUMBERED.test(name)).at(-1) : undefined;
  for (const name of names) {
    const [source, copy] = [join(from, name), join(to, name)];
    if (disk.kind(source) === "directory") await copyTree(disk, source, copy);
    else if (name === growing || !link(disk, source, copy)) await copyFile(disk, source, copy);
  }
  await disk.syncDirectoryAsync(to);
}

/** Links a file. False where the file system cannot: across devices, or at all. */
function link(disk: Disk, from: string, to: string): boolean {
  try {
    disk.link(from, to);
    return true;
  } catch (error) {
    if (!isStorageError(error, "DISK")) throw error;
    return !["EXDEV", "EPERM", "ENOTSUP", "EMLINK"].includes(String(error.facts["errno"]))
      ? rethrow(error)
      : false;
  }
}

function rethrow(error: unknown): never {
  throw error;
}

async function copyFile(disk: Disk, from: string, to: string): Promise<void> {
  const bytes = readAll(disk, from);
  const fd = disk.open(to, "create");
  try {
    writeAll(disk, fd, bytes, 0, bytes.length, 0);
    await disk.datasyncAsync(fd);
  } finally {
    disk.close(fd);
  }
}
