import type { Variant } from "@varve/contracts";
import { openBlocks } from "./internal/open-blocks.ts";
import { type BlockOptions, UNSYNCED_BYTES_MAX, type UnsyncedOptions } from "./internal/options.ts";

export type { BlockOptions, BlockStats, UnsyncedOptions } from "./internal/options.ts";

/** Options of `immediateBlocks`. */
export interface ImmediateOptions extends BlockOptions, UnsyncedOptions {}

/**
 * Writes a file of its own for every chunk, inside `append`, and seals a new series' first sample at once:
 * the fault that made new series 24 times slower than updates in the project that varve began with.
 *
 * Nothing else about it is slow. The file is written with one call and not synced: `maintain` syncs it.
 */
export function immediateBlocks(options: ImmediateOptions = {}): Variant<"block-manager"> {
  const { unsyncedBytesMax = UNSYNCED_BYTES_MAX } = options;
  return {
    slot: "block-manager",
    name: "immediate",
    traits: { persistsInAppend: true },
    open: (needs) =>
      openBlocks(needs, options, {
        persistence: {
          sealsFirstSample: true,
          chunksPerWrite: 1,
          afterSeal: (pipeline) => pipeline.persistInAppend(0, 1),
        },
        chunksPerFile: 1,
        writeBytesMax: 0,
        unsyncedBytesMax,
      }),
  };
}
