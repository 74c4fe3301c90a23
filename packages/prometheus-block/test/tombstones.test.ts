import { isStorageError } from "@varve/contracts";
import { crc32c, writeU32, writeVarint } from "@varve/bytes";
import { readAll, writeFileDurably } from "@varve/disk/transfer";
import { expect, test } from "vitest";
import { makeTombstones, readTombstones, type Tombstones, writeTombstones } from "../src/index.ts";
import { makeBlock, newDisk, randomOf, readOf, seriesOf } from "./support/blocks.ts";
import { matcher, open, readSeries } from "./support/read.ts";

const rangesOf = (tombstones: Tombstones, id: number): number[] => [...(tombstones.of(id) ?? [])];

test("joins ranges that touch, and keeps others apart, as a set of milliseconds does", () => {
  for (let seed = 1; seed <= 200; seed += 1) {
    const random = randomOf(seed);
    const tombstones = makeTombstones();
    const deleted = new Set<number>();
    for (let i = 0; i < 12; i += 1) {
      const from = random(60) - 30;
      const until = from + random(6);
      tombstones.add(7, from, until);
      for (let time = from; time <= until; time += 1) deleted.add(time);
    }
    const expected: number[] = [];
    for (let time = -40; time <= 40; time += 1) {
      if (deleted.has(time) && !deleted.has(time - 1)) expected.push(time);
      if (deleted.has(time) && !deleted.has(time + 1)) expected.push(time);
    }
    expect(rangesOf(tombstones, 7), `seed ${seed}`).toEqual(expected);
    expect(tombstones.count, `seed ${seed}`).toBe(expected.length / 2);
  }
});

test("changes a copy apart", () => {
  const tombstones = makeTombstones();
  tombstones.add(1, 0, 5);
  const copy = tombstones.copy();
  copy.add(1, 6, 9);
  copy.add(2, 0, 0);
  expect(rangesOf(tombstones, 1)).toEqual([0, 5]);
  expect(tombstones.ids()).toEqual(Uint32Array.of(1));
  expect(rangesOf(copy, 1)).toEqual([0, 9]);
});

test("writes an empty file and a full one as Prometheus does, and reads them back", async () => {
  const disk = newDisk();
  await writeTombstones(disk, "/data", makeTombstones());
  expect(Buffer.from(readAll(disk, "/data/tombstones")).toString("hex")).toBe("0130ba300100000000");
  const tombstones = makeTombstones();
  tombstones.add(300, -5, 2 ** 41);
  tombstones.add(3, 1, 1);
  await writeTombstones(disk, "/data", tombstones);
  const hex = Buffer.from(readAll(disk, "/data/tombstones")).toString("hex");
  expect(hex).toMatch(/^0130ba3001030202ac020980808080808001[0-9a-f]{8}$/);
  const back = readTombstones(disk, "/data");
  expect(back.ids()).toEqual(Uint32Array.of(3, 300));
  expect(rangesOf(back, 300)).toEqual([-5, 2 ** 41]);
});

test.each([
  ["ascending", (i: number) => i],
  ["descending", (i: number) => 30_000 - i],
  ["mixed", (i: number) => (i * 7919) % 30_011],
])("reads very many ranges of one series in a moment, written %s", async (_, place) => {
  const disk = newDisk();
  const bytes: number[] = [1, 0x30, 0xba, 0x30, 1];
  for (let i = 0; i < 30_000; i += 1) {
    const time = new Uint8Array(8);
    const length = writeVarint(time, 0, place(i) * 2);
    bytes.push(7, ...time.subarray(0, length), ...time.subarray(0, length));
  }
  const file = Uint8Array.from([...bytes, 0, 0, 0, 0]);
  writeU32(file, file.length - 4, crc32c(file, 5, file.length - 4));
  writeFileDurably(disk, "/data/tombstones", file);
  let bestMs = Infinity;
  for (let i = 0; i < 3; i += 1) {
    const begin = performance.now();
    expect(readTombstones(disk, "/data").count).toBe(30_000);
    bestMs = Math.min(bestMs, performance.now() - begin);
  }
  expect(bestMs).toBeLessThan(200); // Each range made a copy of all before it: that took seconds.
});

test("takes a missing file for none, and refuses every damaged byte of one", async () => {
  const disk = newDisk();
  expect(readTombstones(disk, "/data").count).toBe(0);
  const tombstones = makeTombstones();
  tombstones.add(3, 1000, 2000);
  await writeTombstones(disk, "/data", tombstones);
  const size = readAll(disk, "/data/tombstones").length;
  for (let at = 0; at < size; at += 1) {
    const fd = disk.open("/data/tombstones", "update");
    const byte = new Uint8Array(1);
    disk.read(fd, byte, 0, 1, at);
    byte[0]! ^= 0x10;
    disk.write(fd, byte, 0, 1, at);
    expect(() => readTombstones(disk, "/data"), `byte ${at}`).toThrow(/nothing was changed/);
    byte[0]! ^= 0x10;
    disk.write(fd, byte, 0, 1, at);
    disk.close(fd);
  }
});

const A = seriesOf({ __name__: "a" }, [10, 20, 30, 40, 50, 60]);
const B = seriesOf({ __name__: "b" }, [100, 110]);

test("deletes durably before it shows, as far as samples reach, and counts it in meta.json", async () => {
  const disk = newDisk();
  const block = await makeBlock(disk, [A, B]);
  const before = block.select([]);
  expect(await block.delete([], Number.NEGATIVE_INFINITY, 30)).toBe(1);
  expect(readSeries(before)).toEqual([readOf(A), readOf(B)]);
  const left = { ...readOf(A), times: [30, 40, 50, 60], bits: readOf(A).bits.slice(2) };
  expect(readSeries(block.select([]))).toEqual([left, readOf(B)]);
  expect([...block.tombstones.of(block.tombstones.ids()[0]!)!]).toEqual([10, 29]);
  const again = await open(disk, block.dir);
  expect(readSeries(again.select([]))).toEqual([left, readOf(B)]);
  expect(again.meta.stats.numTombstones).toBe(1);
  expect(readSeries(again.select([]), 40, 60)[0]!.times).toEqual([40, 50]);
});

test("runs deletions one after the other, and returns 0 where there is nothing", async () => {
  const disk = newDisk();
  const block = await makeBlock(disk, [A, B]);
  const all = [
    block.delete([matcher("__name__", "=", "a")], 20, 21),
    block.delete([matcher("__name__", "=", "a")], 40, 51),
    block.delete([matcher("__name__", "=", "none")], 0, 1000),
    block.delete([], 61, 100),
  ];
  expect(await Promise.all(all)).toEqual([1, 1, 0, 0]);
  expect(readSeries(block.select([]))[0]!.times).toEqual([10, 30, 60]);
  block.close();
  await expect(block.delete([], 0, 1)).rejects.toSatisfy((error) =>
    isStorageError(error, "CLOSED"),
  );
});
