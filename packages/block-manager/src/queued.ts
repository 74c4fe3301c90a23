import { assert, type Variant } from "@varve/contracts";
import { openBlocks } from "./internal/open-blocks.ts";
import { type BlockOptions, WRITE_BYTES_MAX } from "./internal/options.ts";
import type { Pipeline } from "./internal/pipeline.ts";

export type { BlockOptions, BlockStats } from "./internal/options.ts";

/** Options of `queuedBlocks`. */
export interface QueuedOptions extends BlockOptions {
  /** Full chunks that may wait. At this bound `append` itself writes the oldest, as many as fit one write. */
  readonly queueChunksMax?: number;
}

/**
 * Puts full chunks into a bounded queue, which the event loop's next turn empties with few writes.
 *
 * While a caller keeps the event loop busy the queue grows, and at its bound `append` writes: that is the
 * stall that made Prometheus turn its chunk queue off. `stats.persistedInAppend` counts it.
 */
export function queuedBlocks(options: QueuedOptions = {}): Variant<"block-manager"> {
  const { queueChunksMax = 4096 } = options;
  assert(queueChunksMax >= 1, `queueChunksMax is at least 1, got ${queueChunksMax}`);
  return {
    slot: "block-manager",
    name: "queued",
    traits: { persistsInAppend: true },
    open(needs) {
      const queue = new Queue(queueChunksMax);
      return openBlocks(needs, options, {
        persistence: {
          sealsFirstSample: false,
          chunksPerWrite: Number.POSITIVE_INFINITY,
          afterSeal: (pipeline) => queue.add(pipeline),
        },
        chunksPerFile: Number.POSITIVE_INFINITY,
        writeBytesMax: WRITE_BYTES_MAX,
        unsyncedBytesMax: Number.POSITIVE_INFINITY,
        stop: () => queue.stop(),
      });
    },
  };
}

/** Schedules turns of writing, and keeps the bound. */
class Queue {
  readonly #chunksMax: number;
  #turn: NodeJS.Immediate | undefined;

  constructor(chunksMax: number) {
    this.#chunksMax = chunksMax;
  }

  add(pipeline: Pipeline): void {
    if (pipeline.sealed.length >= this.#chunksMax) {
      pipeline.persistInAppend(this.#chunksMax - 1, Number.POSITIVE_INFINITY);
    }
    if (this.#turn !== undefined) return;
    this.#turn = setImmediate(() => {
      this.#turn = undefined;
      pipeline.persistInTurn();
    });
    this.#turn.unref(); // A waiting chunk keeps no process alive: the log has its samples.
  }

  stop(): void {
    if (this.#turn !== undefined) clearImmediate(this.#turn);
    this.#turn = undefined;
  }
}
