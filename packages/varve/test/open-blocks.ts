import { readdirSync } from "node:fs";
import { xorChunk } from "@varve/chunk/xor";
import { nodeDisk } from "@varve/disk/node";
import { type BlockReader, isUlid, openBlock, pageCache } from "@varve/prometheus-block";
import { onTestFinished } from "vitest";

/** Opens the blocks of a directory, in the order of their names. They are closed when the test ends. */
export async function openBlocks(dir: string): Promise<BlockReader[]> {
  const cache = pageCache();
  const codec = await xorChunk().open({});
  const blocks: BlockReader[] = [];
  for (const name of readdirSync(dir).filter(isUlid).toSorted()) {
    const block = await openBlock({ disk: nodeDisk(), dir: `${dir}/${name}`, cache, codec });
    onTestFinished(() => block.close());
    blocks.push(block);
  }
  return blocks;
}
