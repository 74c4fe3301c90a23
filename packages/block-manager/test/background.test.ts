import { certify, checked } from "@varve/conformance";
import { ACCEPTED, LIMIT } from "@varve/contracts";
import { expect, test } from "vitest";
import { backgroundBlocks } from "../src/background.ts";
import { openBench, upTo } from "./support/bench.ts";

certify(backgroundBlocks(), { test });
certify(checked(backgroundBlocks()), { test });

test("writes nothing inside append, and many chunks with one write in maintain", async () => {
  const bench = await openBench(backgroundBlocks({ samplesPerChunk: 10 }));
  for (let time = 1; time <= 20; time += 1) bench.write(upTo(30).map((ref) => [ref, time, time]));
  await new Promise((resolve) => setImmediate(resolve));
  expect(bench.stats).toMatchObject({ chunksSealed: 60, chunksPersisted: 0, writes: 0 });
  const report = await bench.maintain(Number.POSITIVE_INFINITY);
  expect(report).toMatchObject({ sealed: 0, persisted: 60, pending: 0, durableLsn: 20 });
  // The other writes and syncs are those of the two marks that let the log be cut.
  expect(bench.stats).toMatchObject({ writes: 3, filesCreated: 2, syncs: 3, persistedInAppend: 0 });
  await bench.close();
});

test("makes one write a slice when it has no time, and goes on where it stopped", async () => {
  const bench = await openBench(
    backgroundBlocks({ samplesPerChunk: 10, writeBytesMax: 0, chunkBytesMax: 256 }),
  );
  for (let time = 1; time <= 20; time += 1) bench.write(upTo(30).map((ref) => [ref, time, time]));
  const first = await bench.blocks.maintain({ budgetMs: 0 });
  expect(first.persisted).toBeGreaterThan(0);
  expect(first.pending).toBe(60 - first.persisted);
  const second = await bench.blocks.maintain({ budgetMs: 0 });
  expect(second.pending).toBeLessThan(first.pending);
  await bench.close();
});

test("writes so many chunks at once that others need not wait, and gives them their turn between writes", async () => {
  const SERIES = 500;
  const { simDisk } = await import("@varve/disk/sim");
  const disk = simDisk();
  const bench = await openBench(backgroundBlocks({ samplesPerChunk: 2 }), { disk });
  for (let time = 1; time <= 8; time += 1) {
    bench.write(upTo(SERIES).map((ref) => [ref, time, time]));
  }
  expect(bench.stats).toMatchObject({ chunksSealed: 4 * SERIES, chunksPersisted: 0 });
  const first = await bench.blocks.maintain({ budgetMs: 0 });
  expect(first.persisted).toBe(512);
  disk.fault = (_, operation) => {
    if (operation === "write") spin(5); // Longer than a stretch.
    return undefined;
  };
  let turns = 0;
  let isDone = false;
  const count = (): void => {
    turns += 1;
    if (!isDone) setImmediate(count);
  };
  setImmediate(count);
  await bench.blocks.maintain({ budgetMs: Number.POSITIVE_INFINITY });
  isDone = true;
  expect(bench.stats.chunksPersisted).toBe(4 * SERIES);
  expect(turns).toBeGreaterThanOrEqual(3); // One behind each write.
  await bench.close();
});

test("writes and syncs full chunks in admit when the allocator is at its bound, and refuses no row", async () => {
  const bench = await openBench(backgroundBlocks({ samplesPerChunk: 5, regionsPerRefill: 1 }), {
    bytesMax: 128 * 12,
  });
  for (let time = 1; time <= 200; time += 1) {
    for (const ref of [1, 2, 3]) expect(bench.write([[ref, time, time]])).toEqual([ACCEPTED]);
  }
  expect(bench.stats.persistedInAppend).toBeGreaterThan(100);
  expect(bench.stats.chunksSealedEarly).toBe(0);
  for (const ref of [1, 2, 3]) expect(bench.times(ref)).toEqual(upTo(200));
  await bench.close();
});

test("answers LIMIT at the bound when nothing can be written either, and loses nothing of what it has", async () => {
  const { simDisk } = await import("@varve/disk/sim");
  const disk = simDisk();
  const bench = await openBench(backgroundBlocks({ samplesPerChunk: 5, regionsPerRefill: 1 }), {
    disk,
    bytesMax: 128 * 12,
  });
  disk.fault = (_, operation) => (operation === "write" ? "ENOSPC" : undefined);
  let time = 1;
  while (bench.write([[1, time, time]])[0] === ACCEPTED) time += 1;
  expect(bench.batch.status[0]).toBe(LIMIT);
  expect(bench.times(1)).toEqual(upTo(time - 1));
  disk.fault = undefined;
  await expect(bench.maintain()).rejects.toMatchObject({ code: "STORAGE_FULL" });
  expect(bench.write([[1, time, time]])).toEqual([ACCEPTED]);
  expect(bench.times(1)).toEqual(upTo(time));
  await bench.close();
});

test("prepares state for the series that are expected", async () => {
  const bench = await openBench(backgroundBlocks(), { seriesExpected: 3000 });
  expect(bench.stats).toMatchObject({ seriesPages: 3, seriesPagesAhead: 3 });
  bench.write([[3000, 1, 1]]);
  expect(bench.stats.seriesPages).toBe(3);
  bench.write([[3073, 1, 1]]);
  expect(bench.stats.seriesPages).toBe(4);
  await bench.close();
});

test("takes regions many at a time, one at a time, or ahead of need in maintain", async () => {
  const refills = async (options: Parameters<typeof backgroundBlocks>[0]) => {
    const bench = await openBench(backgroundBlocks(options));
    await bench.maintain();
    for (let ref = 1; ref <= 128; ref += 1) bench.write([[ref, 1, 1]]);
    await bench.close();
    return [bench.stats.refills, bench.stats.refillsAhead, bench.allocator.stats.batches];
  };
  expect(await refills({})).toEqual([2, 0, 2]);
  expect(await refills({ regionsPerRefill: 1 })).toEqual([128, 0, 0]);
  expect(await refills({ regionsAhead: 200 })).toEqual([0, 1, 1]);
});

test("takes the next region with the next sample, or at once when lazyChunks is false", async () => {
  const live = async (lazyChunks: boolean) => {
    const bench = await openBench(
      backgroundBlocks({ samplesPerChunk: 2, regionsPerRefill: 1, lazyChunks }),
    );
    for (let ref = 1; ref <= 10; ref += 1)
      bench.write([
        [ref, 1, 1],
        [ref, 2, 2],
      ]);
    await bench.maintain();
    const { live: count } = bench.allocator.stats;
    for (let ref = 1; ref <= 10; ref += 1) bench.write([[ref, 3, 3]]);
    expect(bench.times(5)).toEqual([1, 2, 3]);
    await bench.close();
    return count;
  };
  const lazy = await live(true);
  expect(await live(false)).toBe(lazy + 10);
});

test("starts a chunk in a small region, and doubles it up to chunkBytesMax, where it is sealed early", async () => {
  const bench = await openBench(
    backgroundBlocks({ chunkBytesFirst: 64, chunkBytesMax: 256, regionsPerRefill: 1 }),
  );
  const sizes: number[] = [];
  for (let time = 1; time <= 16; time += 1) {
    bench.write([[1, time, time]]);
    const size = bench.allocator.stats.liveBytes;
    if (size !== sizes.at(-1)) sizes.push(size);
  }
  // From the second row on, one region more is held back, for the chunk that a row could start.
  expect(sizes).toEqual([64, 64 + 64, 128 + 64, 256 + 64]);
  expect(bench.stats.chunksSealedEarly).toBe(1);
  expect(bench.times(1)).toEqual(upTo(16));
  await bench.close();
});

test("keeps the allocator's live bytes bounded while 200,000 chunks of 500 series pass through", async () => {
  const bench = await openBench(backgroundBlocks({ samplesPerChunk: 1 }), {
    memoryBytesMax: 2 ** 25,
  });
  const refs = upTo(500);
  let live = 0;
  for (let time = 1; time <= 400; time += 1) {
    bench.write(refs.map((ref) => [ref, time, time]));
    if (time % 4 === 0) await bench.maintain();
    live = Math.max(live, bench.allocator.stats.liveBytes);
  }
  expect(bench.stats).toMatchObject({ chunksPersisted: 200_000, persistedInAppend: 0 });
  expect(live).toBeLessThan(500 * 128 * 6);
  expect(bench.times(250)).toEqual(upTo(400));
  await bench.close();
});

function spin(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}
