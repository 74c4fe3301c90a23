import { keyOf, makeColumns } from "@varve/bytes";
import { isStorageError, noPause } from "@varve/contracts";
import { writeAll } from "@varve/disk/transfer";
import { expect, test } from "vitest";
import { createBlock, openBlock, pageCache } from "../src/index.ts";
import { chunksOf, makeBlock, newDisk, randomOf, readOf, seriesOf } from "./support/blocks.ts";
import { bitsOf, codec, matcher, open, putFiles, readSeries } from "./support/read.ts";
import { writeBlock } from "./support/write.ts";
import { idsOf, makeIndex } from "./support/index-file.ts";
import { VECTOR_ULID, vectorFiles } from "./support/vector.ts";

test("reads any range of a series of several chunks, as a filter does", async () => {
  const random = randomOf(99);
  const times: number[] = [];
  for (let time = -50; times.length < 57; time += 1 + random(9)) times.push(time);
  const block = await makeBlock(newDisk(), [seriesOf({ a: "b" }, times)], { chunkLength: 5 });
  for (let i = 0; i < 400; i += 1) {
    const from = random(500) - 100;
    const until = from + random(200);
    const expected = times.filter((time) => time >= from && time < until);
    const [found] = readSeries(block.select([]), from, until);
    expect(found!.times, `${from} … ${until}`).toEqual(expected);
    const values = Float64Array.from(expected, (time) => time * 1000 + 1);
    expect(found!.bits).toEqual(bitsOf(values));
  }
});

test("appends behind what the columns hold, and leaves that alone", async () => {
  const block = await makeBlock(newDisk(), [seriesOf({ a: "b" }, [1, 2, 3])]);
  const columns = makeColumns({ capacity: 1 });
  const series = block.select([]);
  series.next();
  series.read(2, 3, columns);
  series.read(1, 4, columns);
  expect([...columns.times.subarray(0, columns.length)]).toEqual([2, 1, 2, 3]);
});

test("keeps every bit of a NaN: the stale marker is one", async () => {
  const values = new Float64Array(2);
  new BigUint64Array(values.buffer).set([0x7ff0000000000002n, 0xfff8000000000001n]);
  const block = await makeBlock(newDisk(), [{ labels: { a: "b" }, times: [1, 2], values }]);
  const bits = ["7ff0000000000002", "fff8000000000001"];
  expect(readSeries(block.select([]))[0]!.bits).toEqual(bits);
  expect(readSeries(block.select([]), 2)[0]!.bits).toEqual(bits.slice(1));
});

test("passes chunks of foreign encodings by, and hands them out as they are stored", async () => {
  const disk = newDisk();
  const writer = createBlock({ disk, parent: "/data" });
  const key = keyOf({ a: "b" });
  const foreign = Uint8Array.of(0, 7, 1, 2, 3);
  const [first, last] = chunksOf(2)(seriesOf({ a: "b" }, [1, 2, 11, 12]));
  writer.addKey(key, 0, key.length);
  await writer.sortSymbols(noPause);
  writer.beginSeries(key, 0, key.length);
  writer.addChunk(1, 1, 2, 2, first!.bytes, 0, first!.bytes.length);
  writer.addChunk(2, 5, 9, 7, foreign, 0, foreign.length);
  writer.addChunk(1, 11, 12, 2, last!.bytes, 0, last!.bytes.length);
  writer.endSeries();
  await writer.finish({ minTime: 1, maxTime: 13, level: 1 }, noPause);
  await writer.publish();
  const block = await open(disk, writer.dir);
  expect(readSeries(block.select([]))[0]!.times).toEqual([1, 2, 11, 12]);
  const opaque = { encoding: 2, minTime: 5, maxTime: 9, bytes: foreign };
  const series = block.select([]);
  series.next();
  expect(series.opaque(9, 10)).toEqual([opaque]);
  expect(series.opaque(10, 100)).toEqual([]);
  await block.delete([], 6, 8);
  expect(block.allSeries().next()).toBe(true);
  const touched = block.select([]);
  touched.next();
  expect(touched.opaque(0, 100)).toEqual([opaque]);
  await block.delete([], 5, 10);
  const deleted = block.select([]);
  deleted.next();
  expect(deleted.opaque(0, 100)).toEqual([]);
});

/** A series `{a="b"}` of two chunks, the second of which begins as many ms behind the end of the first as told. */
async function overlapping(delta: readonly number[], second: readonly number[]) {
  const disk = newDisk();
  const [one] = chunksOf(9)(seriesOf({ a: "b" }, [1, 5, 10], 1));
  const [two] = chunksOf(9)(seriesOf({ a: "b" }, second, 2));
  const { writer } = await writeBlock(disk, [
    { key: keyOf({ a: "b" }), chunks: [one!, { ...two!, minTime: 11, maxTime: 99 }] },
  ]);
  const length = second.at(-1)! - second[0]!;
  const at = 8 + 1 + 1 + one!.bytes.length + 4; // Behind a header, a length, an encoding and a checksum.
  const entry = Uint8Array.of(1, 1, 2, 2, 2, 9, 8, ...delta, length, (at - 8) * 2);
  const content = { symbols: ["", "a", "b"], series: [entry], lists: [] };
  const ids = idsOf(content);
  const index = makeIndex({
    ...content,
    lists: [
      ["", "", ids],
      ["a", "b", ids],
    ],
  });
  disk.unlink(`${writer.dir}/index`);
  const fd = disk.open(`${writer.dir}/index`, "create");
  writeAll(disk, fd, index, 0, index.length, 0);
  disk.close(fd);
  return open(disk, writer.dir);
}

test("merges chunks of a series that meet in one sample: the first one's stays", async () => {
  const block = await overlapping([0], [10, 12]);
  const bits = bitsOf(Float64Array.of(1001, 5001, 10_001, 12_002));
  expect(readSeries(block.select([]))[0]).toMatchObject({ times: [1, 5, 10, 12], bits });
});

test("merges chunks of a series that overlap, as old versions of Prometheus wrote them", async () => {
  const minusSeven = [0xf9, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
  const block = await overlapping(minusSeven, [3, 5, 12]);
  const bits = bitsOf(Float64Array.of(1001, 3002, 5001, 10_001, 12_002));
  expect(readSeries(block.select([]))[0]).toMatchObject({ times: [1, 3, 5, 10, 12], bits });
  expect(readSeries(block.select([]), 4, 6)[0]!.times).toEqual([5]);
});

test("refuses everything after it was closed, cursors that are open included", async () => {
  const block = await makeBlock(newDisk(), [readable("a"), readable("b")]);
  const series = block.select([]);
  series.next();
  block.close();
  block.close();
  const isClosed = (error: unknown): boolean => isStorageError(error, "CLOSED");
  const uses = [
    () => block.select([]),
    () => block.labelNames([]),
    () => block.labelValues("a", [matcher("a", "=", "a")]),
    () => block.allSymbols(),
    () => [...block.pairCounts()],
    () => series.next(),
  ];
  for (const use of uses) expect(use).toThrow(expect.toSatisfy(isClosed));
});

function readable(value: string) {
  return seriesOf({ a: value }, [1, 2]);
}

test("asks for a pause between pieces of an opening, and passes on what it rejects with", async () => {
  const disk = newDisk();
  const all = Array.from({ length: 3000 }, (_, i) => seriesOf({ a: `${i}`.padEnd(250) }, [1]));
  const { dir } = await makeBlock(disk, all);
  let pauses = 0;
  const cache = pageCache();
  const pause = () => {
    pauses += 1;
    return undefined;
  };
  const block = await openBlock({ disk, dir, codec, cache, pause });
  expect(pauses).toBeGreaterThan(10);
  block.close();
  const opening = openBlock({
    disk,
    dir,
    codec,
    cache,
    pause: () => Promise.reject(new Error("no")),
  });
  await expect(opening).rejects.toThrow("no");
});

test.each(["index", "meta.json", "chunks/000001"])("refuses a block without %s", async (name) => {
  const disk = newDisk();
  const dir = `/data/${VECTOR_ULID}`;
  const files = vectorFiles();
  files.delete(name);
  putFiles(disk, dir, files);
  const reading = async () => readSeries((await open(disk, dir)).select([]));
  await expect(reading()).rejects.toSatisfy((error) => isStorageError(error, "BLOCK_CORRUPT"));
});

test("refuses an index of another version, and says which", async () => {
  const disk = newDisk();
  const dir = `/data/${VECTOR_ULID}`;
  const files = vectorFiles();
  files.get("index")![4] = 1;
  putFiles(disk, dir, files);
  await expect(open(disk, dir)).rejects.toSatisfy((error) =>
    isStorageError(error, "UNSUPPORTED_VERSION"),
  );
  await expect(open(disk, dir)).rejects.toThrow(/index@4: version 1/);
});

test("reads series through pages that are smaller than what they hold", async () => {
  const disk = newDisk();
  const all = Array.from({ length: 40 }, (_, i) =>
    seriesOf({ name: "x".repeat(200), value: `v${String(i).padStart(3, "0")}` }, [1, 2, 3, 4, 5]),
  );
  const { dir } = await makeBlock(disk, all);
  const block = await open(disk, dir, { bytesMax: 1, pageBytes: 32 });
  expect(readSeries(block.select([]))).toEqual(all.map(readOf));
});
