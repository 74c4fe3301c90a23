import type { Variant } from "@varve/contracts";
import { openBlocks } from "./internal/open-blocks.ts";
import { type BlockOptions, UNSYNCED_BYTES_MAX, type UnsyncedOptions } from "./internal/options.ts";

export type { BlockOptions, BlockStats, UnsyncedOptions } from "./internal/options.ts";

/** Options of `onFullBlocks`. */
export interface OnFullOptions extends BlockOptions, UnsyncedOptions {}

/**
 * Writes a chunk inside `append` when it is full, to a file that all series share: one write a chunk.
 *
 * New series cost nothing here, but where all series fill their chunks at the same time, all writes come at
 * once, and every caller waits for them.
 */
export function onFullBlocks(options: OnFullOptions = {}): Variant<"block-manager"> {
  const { unsyncedBytesMax = UNSYNCED_BYTES_MAX } = options;
  return {
    slot: "block-manager",
    name: "on-full",
    traits: { persistsInAppend: true },
    open: (needs) =>
      openBlocks(needs, options, {
        persistence: {
          sealsFirstSample: false,
          chunksPerWrite: 1,
          afterSeal: (pipeline) => pipeline.persistInAppend(0, 1),
        },
        chunksPerFile: Number.POSITIVE_INFINITY,
        writeBytesMax: 0,
        unsyncedBytesMax,
      }),
  };
}
