import { certify, checked } from "@varve/conformance";
import { simDisk } from "@varve/disk/sim";
import { expect, test } from "vitest";
import { onFullBlocks } from "../src/on-full.ts";
import { openBench, upTo } from "./support/bench.ts";

certify(onFullBlocks(), { test });
certify(checked(onFullBlocks()), { test });

test("writes nothing for new series", async () => {
  const bench = await openBench(onFullBlocks());
  for (let ref = 1; ref <= 100; ref += 1) bench.write([[ref, 1, ref]]);
  expect(bench.stats).toMatchObject({ series: 100, chunksSealed: 0, filesCreated: 0, writes: 0 });
  await bench.close();
});

test("makes one write a full chunk, inside append, to a file that all series share", async () => {
  const disk = simDisk();
  const bench = await openBench(onFullBlocks({ samplesPerChunk: 10 }), { disk });
  for (let time = 1; time <= 20; time += 1) bench.write(upTo(30).map((ref) => [ref, time, time]));
  expect(bench.stats).toMatchObject({
    chunksSealed: 60,
    chunksPersisted: 60,
    persistedInAppend: 60,
    filesCreated: 1,
    writes: 60,
    syncs: 0,
  });
  const { syncs } = (await bench.maintain(), bench.stats);
  expect(syncs).toBe(1);
  await bench.close();
});
