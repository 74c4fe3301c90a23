import { isStorageError, StorageError, type ChunkCodec, type Disk } from "@varve/contracts";
import { removeTree } from "@varve/disk/transfer";
import { isUlid, openBlock, type BlockReader, type PageCache } from "@varve/prometheus-block";
import { REMOVED } from "./block-set.ts";
import { freeName } from "../quarantine.ts";
import { type CutFacts, readFacts, unite } from "./facts.ts";

export interface BlockRecoveryOptions {
  readonly disk: Disk;
  readonly blocksDir: string;
  readonly quarantineDir: string;
  readonly storeId: string;
  readonly codec: ChunkCodec;
  readonly cache: PageCache;
}

/** What an opening found of blocks. */
export interface BlockRecovery {
  readonly readers: readonly BlockReader[];
  readonly facts: CutFacts;
  /** Blocks that could not be read, and where they are now. */
  readonly quarantined: readonly string[];
}

/** Ends the name of a block while it is named anew. It is whole, and what a crash leaves of it gets its name back. */
const RENAMED = ".renamed";
/** ULID, then what a crash in the middle of making or removing a block leaves. */
const LEFTOVER = /^([0-9A-HJKMNP-TV-Z]{26})\.tmp(-for-(creation|deletion))?$/;

/**
 * Opens the blocks of a directory. What a crash left half made or half removed goes, and so do blocks that a merge has
 * replaced; a damaged one is moved to quarantine. Other names are not looked at. Throws UNSUPPORTED_VERSION for a block of another format,
 * before anything is changed in it.
 */
export async function recoverBlocks(options: BlockRecoveryOptions): Promise<BlockRecovery> {
  const { disk, blocksDir, storeId } = options;
  const quarantined: string[] = [];
  const readers: BlockReader[] = [];
  try {
    const names = nameAnew(disk, blocksDir);
    for (const name of names) {
      if (!isUlid(name)) continue;
      const reader = await openOrMove(options, name, quarantined);
      if (reader !== null) readers.push(reader);
    }
    const facts = unite(readers.map(({ meta }) => readFacts(storeId, meta)));
    const gone = readers.filter((reader) => isReplaced(reader, readers, storeId));
    for (const reader of gone) reader.close();
    removeAll(
      options,
      gone.map(({ id }) => id),
      names.filter((name) => LEFTOVER.test(name)),
    );
    return { readers: readers.filter((reader) => !gone.includes(reader)), facts, quarantined };
  } catch (error) {
    for (const reader of readers) reader.close();
    throw error;
  }
}

/**
 * Makes the names of all blocks durable before what they stand for is removed. The sync of a name may have failed in the
 * process that published the block, and another would prove nothing: only a name that is made once more is written. On a disk that is gone
 * with its process there is nothing to do, but to give a block the name that another process is about to.
 *
 * Returns the names in the directory then, from one look at it: between two, a block's name may go away and come back.
 */
function nameAnew(disk: Disk, blocksDir: string): string[] {
  const isVolatile = disk.isVolatile === true;
  let count = 0;
  const names = disk.list(blocksDir).map((name) => {
    const isAway = name.endsWith(RENAMED);
    const id = isAway ? name.slice(0, -RENAMED.length) : name;
    if (!isUlid(id) || disk.kind(`${blocksDir}/${name}`) === "file") return name;
    const path = `${blocksDir}/${id}`;
    if (!isAway && isVolatile) return name;
    if (!isAway) disk.rename(path, path + RENAMED);
    disk.rename(path + RENAMED, path);
    count += 1;
    return id;
  });
  if (count > 0 && !isVolatile) disk.syncDirectory(blocksDir);
  return names;
}

/**
 * Whether another block holds all that this one does: it was merged from it, or this store made it from all that this one
 * was made from, by way of a merge that is gone itself.
 */
function isReplaced(
  { id, meta }: BlockReader,
  readers: readonly BlockReader[],
  storeId: string,
): boolean {
  const { level, sources } = meta.compaction;
  return readers.some(({ meta: other }) => {
    const { compaction } = other;
    if (compaction.parents?.some(({ ulid }) => ulid === id) === true) return true;
    if (compaction.level <= level || sources.length === 0) return false;
    const isOurs = readFacts(storeId, other) !== undefined;
    return isOurs && sources.every((source) => compaction.sources.includes(source));
  });
}

/**
 * Removes blocks, and what is left of others. A name is gone durably before anything below it goes: half a block would pass
 * for a damaged one. The names of blocks that stand for them are durable: see `nameAnew`.
 */
function removeAll(
  { disk, blocksDir }: BlockRecoveryOptions,
  blocks: readonly string[],
  leftovers: readonly string[],
): void {
  if (blocks.length > 0) {
    for (const name of blocks)
      disk.rename(`${blocksDir}/${name}`, `${blocksDir}/${name}${REMOVED}`);
    try {
      disk.syncDirectory(blocksDir);
    } catch (error) {
      for (const name of blocks)
        disk.rename(`${blocksDir}/${name}${REMOVED}`, `${blocksDir}/${name}`);
      throw error;
    }
  }
  for (const name of blocks) removeTree(disk, `${blocksDir}/${name}${REMOVED}`);
  for (const name of leftovers) removeTree(disk, `${blocksDir}/${name}`);
}

async function openOrMove(
  { disk, blocksDir, quarantineDir, codec, cache }: BlockRecoveryOptions,
  name: string,
  quarantined: string[],
): Promise<BlockReader | null> {
  const dir = `${blocksDir}/${name}`;
  const kind = disk.kind(dir);
  if (kind === "other") throw linked(dir);
  if (kind === "none") throw vanished(dir);
  if (kind !== "directory") return null;
  for (let isAgain = false; ; isAgain = true) {
    try {
      return await openBlock({ disk, dir, codec, cache });
    } catch (error) {
      if (!isStorageError(error, "BLOCK_CORRUPT")) throw error;
      if (disk.kind(dir) === "none") throw vanished(dir);
      if (disk.isVolatile === true && !isAgain) continue; // Its name may have been away for a moment.
    }
    disk.makeDirectory(quarantineDir);
    const moved = freeName(disk, `${quarantineDir}/block-${name}`);
    disk.rename(dir, moved);
    disk.syncDirectory(quarantineDir);
    disk.syncDirectory(blocksDir);
    quarantined.push(moved);
    return null;
  }
}

/** Passed over, its samples would be missing, or those of the block that stands for it now, which the listing is too old for. */
function vanished(path: string): StorageError {
  return new StorageError(
    "DISK",
    `cannot open block ${path}: ENOENT; it was there a moment ago: another process renames or removes it; try again`,
    { facts: { errno: "ENOENT", path, operation: "open" } },
  );
}

/** Passed over, the block's samples would be missing; followed, its files could be anybody's. */
function linked(path: string): StorageError {
  return new StorageError(
    "DISK",
    `cannot open block ${path}: ELOOP; it is a symbolic link, which is never followed; put the directory itself there`,
    { facts: { errno: "ELOOP", path, operation: "open" } },
  );
}
