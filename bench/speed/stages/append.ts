import { makeColumns } from "@varve/bytes";
import { nodeDisk } from "@varve/disk/node";
import { CATALOG } from "@varve/lab";
import { join } from "node:path";
import { eachRange, makeRows, nextScrape, STORE_ID, sumOf } from "./rows.ts";
import type { Stage } from "./stage.ts";

/** Scrapes that fill a chunk: those that begin one and end one cost more, and all have their share. */
const CYCLE = 120;
/** Of so many series, fewer go through: a cycle is a cycle of all of them. */
const SERIES_PART = 10;
/** Scrapes that are read again: a chunk that is full, and the next one begun. */
const CHECKED_SCRAPES = 122;

/** Admitting rows and appending them to chunks: all in kernels, or all in TypeScript. */
export const append: Stage = {
  missing: () => null,
  open: async (variant, { sizes, dir }) => {
    const isKernel = variant === "kernel";
    const rows = await makeRows({
      ...sizes,
      stageSeries: Math.ceil(sizes.stageSeries / SERIES_PART),
    });
    const { memory, count } = rows;
    const allocator = CATALOG.allocator["slab"]!.make();
    const chunk = CATALOG.chunk[isKernel ? "xor-wasm" : "xor"]!.make();
    const bytesMax = memory.bytesMax / 2;
    const blocks = await CATALOG["block-manager"]["background"]!.make({ kernel: isKernel }).open({
      memory,
      disk: nodeDisk(),
      dir: join(dir, "sealed"),
      blocksDir: dir,
      storeId: STORE_ID,
      keys: { nextRef: 1, keyBytes: () => 0, copyKey: () => 0 },
      quarantineDir: join(dir, "quarantine"),
      allocator: await allocator.open({ memory, bytesMax }),
      chunk: await chunk.open({ memory }),
      seriesExpected: 0,
    });
    let [scrape, lsn] = [0, 0];
    const begin = async (): Promise<void> => {
      await blocks.maintain({ budgetMs: Number.POSITIVE_INFINITY });
      scrape += 1;
      nextScrape(rows, scrape);
    };
    const pass = (size: number): void => {
      eachRange(rows, size, (batch, from, until) => {
        blocks.admit(batch, from, until);
        blocks.append(batch, from, until, (lsn += 1));
      });
    };
    for (let i = 0; i < CHECKED_SCRAPES; i += 1) {
      await begin();
      pass(64);
    }
    let sum = 0;
    using pin = blocks.pin(Uint32Array.of(1, count), 2);
    for (const i of [0, 1]) {
      const samples = makeColumns();
      pin.read(i, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, samples);
      if (samples.length !== CHECKED_SCRAPES) throw new Error(`${variant} loses samples`);
      sum = sumOf(sumOf(sum, samples.times), samples.values);
    }
    const checks = { "check-samples": sum, "check-count": blocks.stats.samples };
    return {
      count,
      cycle: CYCLE,
      begin,
      pass,
      checks,
      close: () => Promise.resolve(blocks[Symbol.asyncDispose]()),
    };
  },
};
