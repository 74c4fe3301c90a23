import { isStorageError, type ChunkCodec, type Disk } from "@varve/contracts";
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
  let readers: BlockReader[] = [];
  let isChanged = false;
  try {
    for (const name of disk.list(blocksDir)) {
      if (LEFTOVER.test(name)) {
        removeTree(disk, `${blocksDir}/${name}`);
        isChanged = true;
      }
      if (!isUlid(name)) continue;
      const reader = await openOrMove(options, name, quarantined);
      if (reader !== null) readers.push(reader);
    }
    const replaced = new Set(
      readers.flatMap(({ meta }) => meta.compaction.parents?.map(({ ulid }) => ulid) ?? []),
    );
    const facts = unite(readers.map(({ meta }) => readFacts(storeId, meta)));
    for (const reader of readers.filter(({ id }) => replaced.has(id))) {
      reader.close();
      const path = `${blocksDir}/${reader.id}`;
      disk.rename(path, path + REMOVED); // In one step: half a block would pass for a damaged one.
      removeTree(disk, path + REMOVED);
      isChanged = true;
    }
    readers = readers.filter(({ id }) => !replaced.has(id));
    if (isChanged) disk.syncDirectory(blocksDir);
    return { readers, facts, quarantined };
  } catch (error) {
    for (const reader of readers) reader.close();
    throw error;
  }
}

async function openOrMove(
  { disk, blocksDir, quarantineDir, codec, cache }: BlockRecoveryOptions,
  name: string,
  quarantined: string[],
): Promise<BlockReader | null> {
  const dir = `${blocksDir}/${name}`;
  if (disk.kind(dir) !== "directory") return null;
  try {
    return await openBlock({ disk, dir, codec, cache });
  } catch (error) {
    if (!isStorageError(error, "BLOCK_CORRUPT")) throw error;
    disk.makeDirectory(quarantineDir);
    const moved = freeName(disk, `${quarantineDir}/block-${name}`);
    disk.rename(dir, moved);
    disk.syncDirectory(quarantineDir);
    disk.syncDirectory(blocksDir);
    quarantined.push(moved);
    return null;
  }
}
