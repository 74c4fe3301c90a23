import { xorChunk } from "@varve/chunk/xor";
import { nodeDisk } from "@varve/disk/node";
import { isUlid, openBlock, pageCache, type BlockReader } from "@varve/prometheus-block";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { pathError } from "./place.ts";

/** Opens one block to read. Throws BLOCK_CORRUPT or UNSUPPORTED_VERSION. The caller closes it. */
export async function openBlockAt(dir: string): Promise<BlockReader> {
  const codec = await xorChunk().open({});
  return openBlock({ disk: nodeDisk(), dir, codec, cache: pageCache() });
}

/** The directories of a store's blocks, oldest name first. */
export function blockDirsOf(dir: string): string[] {
  try {
    const names = readdirSync(dir, { withFileTypes: true });
    return names
      .filter((entry) => entry.isDirectory() && isUlid(entry.name))
      .map(({ name }) => join(dir, name))
      .sort();
  } catch (cause) {
    throw pathError(dir, cause);
  }
}
