import type { Labels } from "@varve/contracts";
import assert from "node:assert/strict";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { type Engine, open, type PreparedLabels, recommended, type UserBatch } from "varve";
import type { Found, IngestStore } from "./store.ts";
import { STRETCH_ROWS, type Stretch } from "./stretches.ts";

/** varve as `recommended()` has it, every option at its default. */
export async function openVarve(dir: string): Promise<IngestStore> {
  return new VarveStore(await open({ dir: join(dir, "store"), plan: recommended() }));
}

class VarveStore implements IngestStore {
  readonly about =
    "varve: recommended plan; its log is written in groups, each when it has 256 KiB or after 5 ms, and synced beside";
  readonly durability = "grouped";
  readonly #engine: Engine;
  readonly #batch: UserBatch;
  #prepared: readonly PreparedLabels[] = [];

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#batch = engine.batch(STRETCH_ROWS);
  }

  writeLabels(labels: readonly Labels[], { from, until, time, value }: Stretch): void {
    const engine = this.#engine;
    for (let i = from; i < until; i += 1) engine.write(labels[i]!, time, value);
  }

  prepare(labels: readonly Labels[]): void {
    const engine = this.#engine;
    this.#prepared = labels.map((each) => engine.labels(each));
  }

  writeHandles({ from, until, time, value }: Stretch): void {
    const engine = this.#engine;
    const prepared = this.#prepared;
    for (let i = from; i < until; i += 1) engine.write(prepared[i]!, time, value);
  }

  writeBatch({ from, until, time, value }: Stretch): void {
    const batch = this.#batch;
    const prepared = this.#prepared;
    for (let i = from; i < until; i += 1) batch.add(prepared[i]!, time, value);
    const { accepted } = this.#engine.writeBatch(batch);
    assert.equal(accepted, until - from, "every row is accepted");
    batch.clear();
  }

  /** Waits as any program does that lets its event loop turn: no sync is asked for. */
  async settle(): Promise<void> {
    const engine = this.#engine;
    while (engine.stats().rowsOpen > 0) await turn();
    for (let { marks } = engine; marks.written < marks.accepted; { marks } = engine) await turn();
  }

  found(origin: number): Promise<Found> {
    return foundIn(this.#engine, origin);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#batch[Symbol.dispose]();
    await this.#engine.close();
  }
}

/** Reads everything that a store of ours holds. Times are summed up from `origin` on. */
export async function foundIn(engine: Engine, origin: number): Promise<Found> {
  const sums = { sampled: 0, samples: 0, times: 0, values: 0 };
  for await (const { times, values } of engine.select({})) {
    sums.sampled += 1;
    sums.samples += times.length;
    for (let i = 0; i < times.length; i += 1) {
      sums.times += times[i]! - origin;
      sums.values += values[i]!;
    }
  }
  return { series: engine.stats().series, ...sums };
}
