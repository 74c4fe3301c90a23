import { askStore } from "@varve/lab";
import type { SampleQuery } from "@varve/workload";
import assert from "node:assert/strict";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { type Engine, open, recommended } from "varve";
import type { LoadData, PeerStore, StoreAnswer } from "./store.ts";

/** Rows of one `writeBatch`. */
const BATCH_ROWS = 4096;

/** varve as `recommended()` has it, with all samples in blocks. */
export async function openVarve(dir: string): Promise<PeerStore> {
  // Nothing moves samples but `load`: queries meet blocks alone.
  const engine = await open({ dir: join(dir, "store"), plan: recommended(), maintainEveryMs: 0 });
  return new VarveStore(engine);
}

class VarveStore implements PeerStore {
  readonly about = "recommended plan, every sample in a block";
  readonly durability = "blocks synced, log cut";
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Scrape by scrape, as samples are collected. */
  async load({ labelSets, grid }: LoadData): Promise<void> {
    const { series, scrapes, times, values } = grid;
    const engine = this.#engine;
    const labels = labelSets.map((each) => engine.labels(each));
    using batch = engine.batch(BATCH_ROWS);
    const write = async (): Promise<void> => {
      const { length } = batch;
      assert.equal(engine.writeBatch(batch).accepted, length, "every row is accepted");
      batch.clear();
      await turn();
    };
    for (let scrape = 0; scrape < scrapes; scrape += 1) {
      for (let i = 0; i < series; i += 1) {
        batch.add(labels[i]!, times[scrape]!, values[i * scrapes + scrape]!);
        if (batch.length === BATCH_ROWS) await write();
      }
    }
    if (batch.length > 0) await write();
    await engine.flush();
    await engine.cutBlocks();
    // The log is cut, as those of the others are at their checkpoints.
    await engine.maintain(Number.POSITIVE_INFINITY);
  }

  ask(query: SampleQuery): Promise<StoreAnswer> {
    return askStore(this.#engine, query);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#engine.close();
  }
}
