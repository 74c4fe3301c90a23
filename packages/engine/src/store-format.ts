import { isStorageError, StorageError, type Disk, type HashSeed } from "@varve/contracts";
import { readAll, writeFileDurably } from "@varve/disk/transfer";
import { randomBytes } from "node:crypto";
import { dirname, join } from "node:path";

/** Version of the directory layout and of every file in it that has no version of its own. */
export const FORMAT_VERSION = 1;

/** What the file FORMAT says about a data directory. */
export interface StoreFormat {
  readonly version: number;
  /** 32 hex digits. */
  readonly storeId: string;
  /** Kept with the directory, because an index on disk finds its entries by these hashes. */
  readonly hashSeed: HashSeed;
}

const FORMAT = "FORMAT";
/** Names that may exist beside a FORMAT that was never finished. */
const BEFORE_FORMAT = new Set([
  "FORMAT.tmp",
  "LOCK",
  "LOCK.info",
  "LOCK.info.tmp",
  "LOCK-journal",
  "lost+found",
]);
/** Why a directory that is not ours cannot be renamed. */
const FOREIGN = new Set<unknown>(["EBUSY", "EXDEV", "EACCES", "EPERM"]);
const LINE = /^varve (\d+)\nstore ([0-9a-f]{32})\nseed ([0-9a-f]{8})([0-9a-f]{8})\n$/;

/** Reads FORMAT. Returns null for a directory that is new; throws when it is somebody else's or from the future. */
export function readFormat(disk: Disk, dir: string): StoreFormat | null {
  const path = join(dir, FORMAT);
  if (disk.kind(path) === "none") {
    const strangers = strangersIn(disk, dir);
    if (strangers.length === 0) return null;
    // Whoever makes the directory now has made FORMAT before anything else: it came meanwhile.
    if (disk.kind(path) !== "none") return readFormat(disk, dir);
    throw new StorageError(
      "INPUT",
      `${dir}: not a varve directory: it has no FORMAT, but holds ${JSON.stringify(strangers[0])}; ` +
        "nothing was touched; name an empty directory or a varve one",
      { facts: { path: dir, found: strangers[0] } },
    );
  }
  const text = new TextDecoder().decode(readAll(disk, path));
  const version = /^varve (\d{1,9})\n/.exec(text);
  if (version !== null && Number(version[1]) !== FORMAT_VERSION) {
    throw new StorageError(
      "UNSUPPORTED_VERSION",
      `${path}: version ${version[1]}; this release reads version ${FORMAT_VERSION}; ` +
        "nothing was touched; open it with the release that wrote it",
      { facts: { path, version: Number(version[1]), supported: FORMAT_VERSION } },
    );
  }
  const found = LINE.exec(text);
  if (found === null) {
    throw new StorageError(
      "INPUT",
      `${path}: damaged: it does not name a version, a store and a seed; the data beside it was not touched; ` +
        "put FORMAT back from a copy of this directory",
      { facts: { path } },
    );
  }
  return {
    version: FORMAT_VERSION,
    storeId: found[2]!,
    hashSeed: { high: Number.parseInt(found[3]!, 16), low: Number.parseInt(found[4]!, 16) },
  };
}

/**
 * What FORMAT says of a directory whose lock is held, or is made to say of a new one. It is durable then, and so is the
 * directory's own name, whatever became of earlier openings. `isMade` when this opening has made the directory.
 */
export function settleFormat(
  disk: Disk,
  dir: string,
  isMade: boolean,
  hashSeed: HashSeed | undefined,
): StoreFormat {
  const found = readFormat(disk, dir);
  if (found === null) {
    if (!isMade) nameAnew(disk, dir);
    disk.syncDirectory(dirname(dir)); // The directory itself is as durable as what it holds.
    return writeFormat(disk, dir, newFormat(hashSeed));
  }
  // Other names are made once FORMAT's is durable. Where there are none, its sync may have failed, and another would prove nothing.
  if (strangersIn(disk, dir).every((name) => name === FORMAT)) writeFormat(disk, dir, found);
  return found;
}

/** The names in a directory that are none of an opening that has not come to its FORMAT. */
function strangersIn(disk: Disk, dir: string): string[] {
  return disk.list(dir).filter((name) => !BEFORE_FORMAT.has(name));
}

/**
 * Gives a directory its name once more. An opening that made it may have failed to sync the name: that is never written
 * by another sync, which would succeed all the same.
 */
function nameAnew(disk: Disk, dir: string): void {
  const aside = `${dir}.${randomBytes(4).toString("hex")}.tmp`;
  try {
    disk.rename(dir, aside);
  } catch (error) {
    const errno = isStorageError(error) ? error.facts["errno"] : undefined;
    if (FOREIGN.has(errno)) return; // A mount point, or in a directory of somebody else's: no opening made it.
    throw error;
  }
  disk.rename(aside, dir);
}

function newFormat(hashSeed: HashSeed | undefined): StoreFormat {
  const random = randomBytes(24);
  return {
    version: FORMAT_VERSION,
    storeId: random.toString("hex", 0, 16),
    hashSeed: hashSeed ?? { low: random.readUInt32LE(16), high: random.readUInt32LE(20) },
  };
}

function writeFormat(disk: Disk, dir: string, format: StoreFormat): StoreFormat {
  const { version, storeId, hashSeed } = format;
  const text = `varve ${version}\nstore ${storeId}\nseed ${hex(hashSeed.high)}${hex(hashSeed.low)}\n`;
  writeFileDurably(disk, join(dir, FORMAT), new TextEncoder().encode(text));
  return format;
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, "0");
}
