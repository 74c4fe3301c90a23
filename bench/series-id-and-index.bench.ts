import type { RowBatch } from "@varve/bytes";
import { NO_SERIES, type SeriesIndex } from "@varve/contracts";
import { nodeDisk } from "@varve/disk/node";
import { CATALOG } from "@varve/lab";
import assert from "node:assert/strict";
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
  reopenRows,
  ROWS,
} from "./rows.ts";

const SEED = { low: 1, high: 2 };

/** Hashing keys, and finding and inserting them. */
export async function benchmark(options: BenchmarkOptions): Promise<Bench> {
  const bench = makeBench("series-id-and-index", options);
  const memory = makeMemory();
  const batches = await makeBatches(memory, makeLabels());
  for (const [name, entry] of Object.entries(CATALOG["series-id"])) {
    const hasher = await entry.make().open({ memory, seed: SEED });
    const hashAll = (): void => {
      for (const batch of batches) hasher.hash(batch, 0, BATCH_ROWS);
    };
    hashAll();
    const hashes = new Set(batches.flatMap(({ hashes: words }) => [...pairs(words)]));
    assert.ok(hashes.size > ROWS - 3, `${name} tells keys apart`);
    bench.add(`hash: ${name}`, hashAll);
  }
  const dir = makeDir();
  let count = 0;
  for (const [name, entry] of Object.entries(CATALOG["series-index"])) {
    const openIndex = async (): Promise<SeriesIndex> => {
      count += 1;
      const index = await entry.make().open({
        memory,
        disk: nodeDisk(),
        dir: join(dir, `${name}-${count}`),
        storeId: "00112233445566778899aabbccddeeff",
        seed: SEED,
        seriesMax: 0xffffffff,
        seriesExpected: 0,
      });
      index.settle(1);
      return index;
    };
    await verify(name, await openIndex(), batches);
    // Every iteration has an index of its own: opening and closing are not timed.
    let fresh: SeriesIndex | null = null;
    bench.add(`insert: ${name}`, () => insertAll(fresh!, batches), {
      beforeEach: async () => {
        reopenRows(batches, 0);
        fresh = await openIndex();
      },
      afterEach: async () => {
        await fresh?.[Symbol.asyncDispose]();
        fresh = null;
      },
    });
    let full: SeriesIndex | null = null;
    bench.add(`find: ${name}`, () => findAll(full!, batches), {
      beforeAll: async () => {
        reopenRows(batches, 0);
        full = await openIndex();
        insertAll(full, batches);
      },
      beforeEach: () => reopenRows(batches, 0),
      afterAll: async () => {
        await full?.[Symbol.asyncDispose]();
        full = null;
      },
    });
  }
  return bench;
}

/** Each key gets a ref of its own, and finds it again. */
async function verify(
  name: string,
  index: SeriesIndex,
  batches: readonly RowBatch[],
): Promise<void> {
  reopenRows(batches, 0);
  findAll(index, batches);
  assert.ok(
    batches.every(({ refs }) => refs.every((ref) => ref === NO_SERIES)),
    `${name} is empty`,
  );
  insertAll(index, batches);
  const given = batches.flatMap(({ refs }) => [...refs]);
  assert.equal(new Set(given).size, ROWS, `${name} gives every key a ref`);
  reopenRows(batches, 0);
  findAll(index, batches);
  assert.deepEqual(
    batches.flatMap(({ refs }) => [...refs]),
    given,
    `${name} finds every key`,
  );
  await index[Symbol.asyncDispose]();
}

function insertAll(index: SeriesIndex, batches: readonly RowBatch[]): void {
  for (const batch of batches) index.insert(batch, 0, BATCH_ROWS);
}

function findAll(index: SeriesIndex, batches: readonly RowBatch[]): void {
  for (const batch of batches) index.find(batch, 0, BATCH_ROWS);
}

function* pairs(words: Uint32Array): Generator<string> {
  for (let at = 0; at < words.length; at += 2) yield `${words[at]} ${words[at + 1]}`;
}
