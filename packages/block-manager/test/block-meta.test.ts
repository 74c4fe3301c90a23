import { xorChunk } from "@varve/chunk/xor";
import { makeColumns } from "@varve/bytes";
import { simDisk, type SimDisk } from "@varve/disk/sim";
import { readAll, writeFileDurably } from "@varve/disk/transfer";
import { expect, test } from "vitest";
import { backgroundBlocks } from "../src/background.ts";
import { type Bench, openBench, upTo } from "./support/bench.ts";

const META = "meta.json";
/** One bit in so many is flipped. */
const BITS_APART = 5;
const SAMPLES = 16;
/** Of 16 samples in windows of ten: those of the first window, and the rest. */
const STORED = upTo(9);
const REST = upTo(7, 10);

const variant = backgroundBlocks({ blockDurationMs: 10, samplesPerChunk: 3, mergeLevels: 0 });
const codec = await xorChunk().open({});

/** A disk with a store whose one block holds the first window. */
async function storeWithBlock(): Promise<{ disk: SimDisk; path: string }> {
  const disk = simDisk();
  const bench = await openBench(variant, { disk, codec });
  bench.fill(1, SAMPLES);
  await bench.blocks.maintain({ budgetMs: Infinity });
  await bench.close();
  const [block] = disk.list("/").filter((name) => name.length === 26);
  return { disk, path: `/${block}/${META}` };
}

/** Opens the store, and has the log tell all that it was ever given. */
async function openAgain(disk: SimDisk): Promise<Bench> {
  const bench = await openBench(variant, { disk, codec });
  for (const time of upTo(SAMPLES)) {
    bench.batch.clear();
    bench.batch.refs[bench.batch.add(time, time)] = 1;
    bench.blocks.replay(bench.batch, 0, 1, time, false);
  }
  return bench;
}

function timesInBlocks(bench: Bench): number[] {
  const columns = makeColumns();
  using pin = bench.blocks.pinBlocks(-Infinity, Infinity);
  for (const block of pin.blocks) {
    const series = block.select([]);
    while (series.next()) series.read(-Infinity, Infinity, columns);
  }
  return [...columns.times.subarray(0, columns.length)];
}

test("no flipped bit in what a block says hides a sample: the block or the log tells it", async () => {
  const { disk, path } = await storeWithBlock();
  const original = readAll(disk, path);
  const text = Buffer.from(original).toString();
  let quarantined = 0;
  for (const field of ["minTime", "maxTime", "cutTime", "lateLsn", "store", "crc", "varve"]) {
    const from = text.indexOf(`"${field}"`);
    const until = text.indexOf("\n", from);
    for (let bit = from * 8; bit < until * 8; bit += BITS_APART) {
      const image = disk.image("everything", 1);
      const bytes = original.slice();
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      writeFileDurably(image, path, bytes);
      const bench = await openAgain(image);
      const where = `${field}, bit ${bit}`;
      if (bench.stats.blocks === 0) {
        quarantined += 1;
        expect(bench.stats.quarantined, where).toHaveLength(1);
        expect(bench.times(1), where).toEqual([...STORED, ...REST]);
      } else {
        expect(timesInBlocks(bench), where).toEqual(STORED);
        expect(bench.times(1), where).toEqual(REST);
      }
      await bench.close();
    }
  }
  expect(quarantined).toBeGreaterThan(150);
});

test("a block of before the checksum is opened, and its facts are believed", async () => {
  const { disk, path } = await storeWithBlock();
  const json = JSON.parse(Buffer.from(readAll(disk, path)).toString()) as {
    varve: { crc?: number };
  };
  delete json.varve.crc;
  writeFileDurably(disk, path, Buffer.from(JSON.stringify(json)));
  const bench = await openAgain(disk);
  expect(timesInBlocks(bench)).toEqual(STORED);
  expect(bench.times(1)).toEqual(REST);
  await bench.close();
});
