import type { Variant } from "@varve/contracts";
import { openBlocks } from "./internal/open-blocks.ts";
import { type BlockOptions, WRITE_BYTES_MAX } from "./internal/options.ts";

export type { BlockOptions, BlockStats } from "./internal/options.ts";

/** Options of `backgroundBlocks`. */
export interface BackgroundOptions extends BlockOptions {
  /** Most bytes that one write carries: a slice of `maintain` ends after the write that used its time up. */
  readonly writeBytesMax?: number;
}

/**
 * Links a full chunk and goes on: only `maintain` writes, many chunks a write, in slices of its budget.
 *
 * This is how Prometheus does it since 2023. Memory is the queue: when the allocator is at its bound, `admit` writes
 * and syncs what is full while its caller waits, and refuses nothing it can make room for.
 */
export function backgroundBlocks(options: BackgroundOptions = {}): Variant<"block-manager"> {
  const { writeBytesMax = WRITE_BYTES_MAX } = options;
  return {
    slot: "block-manager",
    name: "background",
    traits: { persistsInAppend: false },
    open: (needs) =>
      openBlocks(needs, options, {
        persistence: {
          sealsFirstSample: false,
          chunksPerWrite: Number.POSITIVE_INFINITY,
          afterSeal: () => undefined,
        },
        chunksPerFile: Number.POSITIVE_INFINITY,
        writeBytesMax,
        unsyncedBytesMax: Number.POSITIVE_INFINITY,
      }),
  };
}
