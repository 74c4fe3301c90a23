import { certify, checked } from "@varve/conformance";
import { simDisk } from "@varve/disk/sim";
import { expect, test } from "vitest";
import { immediateBlocks } from "../src/immediate.ts";
import { openBench, SEALED, upTo } from "./support/bench.ts";

certify(immediateBlocks(), { test });
certify(checked(immediateBlocks()), { test });

test("creates and writes one file for each new series, inside append, and syncs none of them there", async () => {
  const disk = simDisk();
  const bench = await openBench(immediateBlocks(), { disk });
  for (let ref = 1; ref <= 100; ref += 1) bench.write([[ref, 1, ref]]);
  expect(bench.stats).toMatchObject({
    series: 100,
    chunksSealed: 100,
    chunksPersisted: 100,
    persistedInAppend: 100,
    filesCreated: 100,
    writes: 100,
    syncs: 0,
  });
  expect(disk.list(SEALED)).toHaveLength(100);
  await bench.close();
});

test("writes nothing for updates until their chunk is full, and then a file for it", async () => {
  const bench = await openBench(immediateBlocks({ samplesPerChunk: 10 }));
  bench.fill(1, 10);
  expect(bench.stats).toMatchObject({ filesCreated: 1, writes: 1 });
  bench.fill(1, 1, 11);
  expect(bench.stats).toMatchObject({ filesCreated: 2, writes: 2, persistedInAppend: 2 });
  await bench.close();
});

test("gives memory back before a sync above unsyncedBytesMax, and reads from the files then", async () => {
  const bench = await openBench(immediateBlocks({ unsyncedBytesMax: 1024, regionsPerRefill: 1 }));
  for (let ref = 1; ref <= 100; ref += 1) bench.write([[ref, 1, ref]]);
  expect(bench.allocator.stats.liveBytes).toBeLessThanOrEqual(1024);
  expect(bench.stats.syncs).toBe(0);
  expect(upTo(100).map((ref) => bench.read(ref)[0]!.value)).toEqual(upTo(100));
  expect((await bench.maintain(Infinity)).durableLsn).toBe(100);
  await bench.close();
});
