import type { Engine } from "@varve/engine";
import { setImmediate as turn } from "node:timers/promises";
import type { MadeData } from "./data.ts";
import type { LoadReport } from "./result.ts";
import type { Place } from "./spec.ts";

/** Rows of one call: a scrape is written in batches of at most so many. */
const BATCH_ROWS = 4096;

/** Writes all samples as they would be collected, scrape by scrape, and brings them to where they should lie. */
export async function fillStore(
  engine: Engine,
  { data, middle }: MadeData,
  options: { readonly place: Place; readonly signal?: AbortSignal },
): Promise<LoadReport> {
  const { labelSets, grid } = data;
  const { series, scrapes, times, values } = grid;
  const labels = labelSets.map((each) => engine.labels(each));
  using batch = engine.batch(BATCH_ROWS);
  const start = performance.now();
  for (let scrape = 0; scrape < scrapes; scrape += 1) {
    for (let i = 0; i < series; i += 1) {
      batch.add(labels[i]!, times[scrape]!, values[i * scrapes + scrape]!);
      if (batch.length < BATCH_ROWS) continue;
      await writeRows();
    }
  }
  await writeRows();
  await engine.flush();
  const written = performance.now();
  if (options.place === "blocks") await engine.cutBlocks();
  if (options.place === "mixed") await engine.cutBlocks({ before: middle });
  const { blocks = 0, blockBytes = 0 } = engine.stats().blocks;
  const isCut = options.place !== "head";
  return {
    series,
    samples: series * scrapes,
    seconds: (written - start) / 1000,
    cutSeconds: isCut ? (performance.now() - written) / 1000 : 0,
    blocks,
    blockBytes,
  };

  async function writeRows(): Promise<void> {
    const { length } = batch;
    const { accepted } = engine.writeBatch(batch);
    if (accepted !== length) throw new Error(`${length - accepted} rows of ${length} were refused`);
    batch.clear();
    await turn();
    options.signal?.throwIfAborted();
  }
}
