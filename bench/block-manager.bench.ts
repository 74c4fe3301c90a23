import { makeColumns, type RowBatch } from "@varve/bytes";
import type { BlockManager, Memory } from "@varve/contracts";
import { nodeDisk } from "@varve/disk/node";
import { CATALOG } from "@varve/lab";
import assert from "node:assert/strict";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Bench } from "tinybench";
import type { BenchmarkOptions } from "./run.ts";
import {
  BATCH_ROWS,
  makeBatches,
  makeBench,
  makeDir,
  makeLabels,
  makeMemory,
  numberRows,
  reopenRows,
  ROWS,
} from "./rows.ts";

/** Samples that fill a chunk, in Prometheus' encoding. */
const CHUNK_SAMPLES = 120;

/** Admitting and applying: a first sample a series, then a sample more, on and on past block size. */
export async function benchmark(options: BenchmarkOptions): Promise<Bench> {
  const bench = makeBench("block-manager", options);
  const dir = makeDir();
  const memory = makeMemory();
  const batches = await makeBatches(memory, makeLabels());
  let count = 0;
  for (const name of Object.keys(CATALOG["block-manager"])) {
    const start = async (): Promise<Store> => {
      count += 1;
      return openStore(name, memory, join(dir, `${name}-${count}`));
    };
    await verify(name, await start(), batches);
    let fresh: Store | null = null;
    bench.add(`${name}, new series`, () => applyAll(fresh!, batches), {
      beforeEach: async () => {
        fresh = await start();
        nextScrape(fresh, batches);
      },
      afterEach: async () => {
        await fresh?.close();
        fresh = null;
      },
    });
    let old: Store | null = null;
    bench.add(
      `${name}, updates and maintenance`,
      async () => {
        applyAll(old!, batches);
        await old!.blocks.maintain({ budgetMs: Number.POSITIVE_INFINITY });
      },
      {
        beforeAll: async () => {
          old = await start();
        },
        beforeEach: () => nextScrape(old!, batches),
        afterAll: async () => {
          await old?.close();
          old = null;
        },
      },
    );
  }
  return bench;
}

interface Store {
  readonly blocks: BlockManager;
  scrape: number;
  close(): Promise<void>;
}

async function openStore(name: string, memory: Memory, dir: string): Promise<Store> {
  mkdirSync(dir, { recursive: true });
  const bytesMax = memory.bytesMax / 2;
  const blocks = await CATALOG["block-manager"][name]!.make().open({
    memory,
    disk: nodeDisk(),
    dir: join(dir, "sealed"),
    blocksDir: dir,
    storeId: "00112233445566778899aabbccddeeff",
    keys: { nextRef: 1, keyBytes: () => 0, copyKey: () => 0 },
    quarantineDir: join(dir, "quarantine"),
    allocator: await CATALOG.allocator["slab"]!.make().open({ memory, bytesMax }),
    chunk: await CATALOG.chunk["xor"]!.make().open({}),
    seriesExpected: 0,
  });
  return {
    blocks,
    scrape: 0,
    close: async () => {
      await blocks[Symbol.asyncDispose]();
      rmSync(dir, { recursive: true });
    },
  };
}

function nextScrape(store: Store, batches: readonly RowBatch[]): void {
  store.scrape += 1;
  reopenRows(batches, store.scrape);
  numberRows(batches);
}

function applyAll({ blocks, scrape }: Store, batches: readonly RowBatch[]): void {
  let lsn = scrape * batches.length;
  for (const batch of batches) {
    blocks.admit(batch, 0, BATCH_ROWS);
    blocks.append(batch, 0, BATCH_ROWS, (lsn += 1));
  }
}

/** What was applied is read again, a full chunk included. */
async function verify(name: string, store: Store, batches: readonly RowBatch[]): Promise<void> {
  for (let i = 0; i <= CHUNK_SAMPLES; i += 1) {
    nextScrape(store, batches.slice(0, 1));
    applyAll(store, batches.slice(0, 1));
  }
  await store.blocks.maintain({ budgetMs: Number.POSITIVE_INFINITY });
  using pin = store.blocks.pin(Uint32Array.of(1, BATCH_ROWS), 2);
  for (const i of [0, 1]) {
    const samples = makeColumns();
    pin.read(i, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, samples);
    assert.equal(samples.length, CHUNK_SAMPLES + 1, `${name} keeps every sample`);
  }
  assert.ok(store.blocks.stats.samples < ROWS * CHUNK_SAMPLES);
  await store.close();
}
