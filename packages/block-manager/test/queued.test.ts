import { certify, checked } from "@varve/conformance";
import { expect, test } from "vitest";
import { queuedBlocks } from "../src/queued.ts";
import { openBench, upTo } from "./support/bench.ts";

certify(queuedBlocks(), { test });
certify(checked(queuedBlocks()), { test });

/** Lets the event loop turn. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

test("writes no chunk inside append below its bound, and many with one write in the event loop's next turn", async () => {
  const bench = await openBench(queuedBlocks({ samplesPerChunk: 10 }));
  for (let time = 1; time <= 20; time += 1) bench.write(upTo(30).map((ref) => [ref, time, time]));
  expect(bench.stats).toMatchObject({ chunksSealed: 60, chunksPersisted: 0, writes: 0 });
  expect(bench.times(7)).toEqual(upTo(20));
  await turn();
  expect(bench.stats).toMatchObject({
    chunksPersisted: 60,
    writes: 1,
    filesCreated: 1,
    persistedInAppend: 0,
    syncs: 0,
  });
  expect((await bench.maintain(Infinity)).durableLsn).toBe(20);
  await bench.close();
});

test("writes the oldest chunks inside append at queueChunksMax, and never lets more wait", async () => {
  const bench = await openBench(queuedBlocks({ samplesPerChunk: 1, queueChunksMax: 8 }));
  for (let time = 1; time <= 100; time += 1) {
    bench.write([[1, time, time]]);
    expect(bench.stats.chunksSealed - bench.stats.chunksPersisted).toBeLessThan(8);
  }
  expect(bench.stats.persistedInAppend).toBe(96);
  expect(bench.stats.writes).toBe(12);
  expect(bench.times(1)).toEqual(upTo(100));
  await bench.close();
});

test("leaves what waits at close to the log, and schedules nothing beyond it", async () => {
  const bench = await openBench(queuedBlocks({ samplesPerChunk: 5 }));
  bench.fill(1, 23);
  await bench.close();
  await turn();
  expect(bench.stats).toMatchObject({ chunksPersisted: 0, writes: 0, syncs: 0 });
});
