import { compareKeys, keyOf } from "@varve/bytes";
import { isStorageError, type Labels, noPause } from "@varve/contracts";
import { simDisk } from "@varve/disk/sim";
import { expect, test } from "vitest";
import {
  type BlockReader,
  createBlock,
  mergeBlocks,
  readMeta,
  verifyBlock,
  writeMeta,
} from "../src/index.ts";
import { makeBlock, newDisk, randomOf, readOf, seriesOf } from "./support/blocks.ts";
import type { TestSeries } from "./support/head.ts";
import { bitsOf, codec, matcher, open, type ReadSeries, readSeries } from "./support/read.ts";

type MergeOptions = Parameters<typeof mergeBlocks>[0];

/** Merges, publishes, verifies and opens. */
async function merge(
  disk: MergeOptions["disk"],
  blocks: readonly BlockReader[],
  options: Partial<MergeOptions> = {},
): Promise<BlockReader> {
  const writer = await mergeBlocks({ disk, parent: "/data", blocks, codec, ...options });
  expect(writer).not.toBeNull();
  await writer!.publish();
  expect(await verifyBlock({ disk, dir: writer!.dir, codec })).toEqual([]);
  return open(disk, writer!.dir);
}

/** All bytes of the chunks of a series. */
function storedChunks(block: BlockReader): string[] {
  const series = block.allSeries();
  const found: string[] = [];
  while (series.next()) {
    for (let i = 0; i < series.chunkCount; i += 1) {
      series.load(i);
      const { encoding, bytes, from, until } = series;
      found.push(`${encoding}:${Buffer.from(bytes.subarray(from, until)).toString("hex")}`);
    }
  }
  return found;
}

interface Deletion {
  readonly label: string;
  readonly from: number;
  readonly until: number;
}

/** The dullest merge: a map of maps, in which the first block's samples stay. */
function modelOf(
  blocks: readonly (readonly TestSeries[])[],
  deletions: readonly (readonly Deletion[])[],
): ReadSeries[] {
  const all = new Map<string, { labels: Labels; samples: Map<number, number> }>();
  blocks.forEach((block, i) => {
    for (const { labels, times, values } of block) {
      const key = Buffer.from(keyOf(labels)).toString("hex");
      const { samples } = all.get(key) ?? all.set(key, { labels, samples: new Map() }).get(key)!;
      times.forEach((time, at) => {
        const isDeleted = deletions[i]!.some(
          ({ label, from, until }) => labels["a"] === label && time >= from && time < until,
        );
        if (!isDeleted && !samples.has(time)) samples.set(time, values[at]!);
      });
    }
  });
  return [...all.values()]
    .filter(({ samples }) => samples.size > 0)
    .sort((a, b) => {
      const [left, right] = [keyOf(a.labels), keyOf(b.labels)];
      return compareKeys(left, 0, left.length, right, 0, right.length);
    })
    .map(({ labels, samples }) => {
      const sorted = [...samples].sort(([a], [b]) => a - b);
      const values = Float64Array.from(sorted, ([, value]) => value);
      return { labels, times: sorted.map(([time]) => time), bits: bitsOf(values) };
    });
}

function randomBlock(random: (below: number) => number, value: number): TestSeries[] {
  const series: TestSeries[] = [];
  for (const a of ["1", "2", "3", "𝒳", "\ue000"]) {
    if (random(3) === 0) continue;
    const times: number[] = [];
    for (let time = random(200); times.length < 1 + random(40); time += 1 + random(7)) {
      times.push(time);
    }
    series.push(seriesOf(random(2) === 0 ? { a } : { a, b: "x" }, times, value));
  }
  return series;
}

test("merges what a map of maps merges, over random blocks with deletions", async () => {
  for (let seed = 1; seed <= 60; seed += 1) {
    const random = randomOf(seed);
    const disk = newDisk();
    const contents = Array.from({ length: 1 + random(4) }, (_, i) => randomBlock(random, i)).filter(
      (block) => block.length > 0,
    );
    if (contents.length === 0) continue;
    const deletions: Deletion[][] = [];
    const blocks: BlockReader[] = [];
    for (const content of contents) {
      const block = await makeBlock(disk, content, { chunkLength: 1 + random(9) });
      const made = Array.from({ length: random(3) }, () => {
        const from = random(250);
        return { label: `${1 + random(3)}`, from, until: from + random(60) };
      });
      for (const { label, from, until } of made) {
        await block.delete([matcher("a", "=", label)], from, until);
      }
      blocks.push(block);
      deletions.push(made);
    }
    const expected = modelOf(contents, deletions);
    if (expected.length === 0) continue;
    const merged = await merge(disk, blocks);
    expect(readSeries(merged.select([])), `seed ${seed}`).toEqual(expected);
    expect(merged.tombstones.count).toBe(0);
  }
});

test("copies chunks byte for byte that neither overlap nor lost anything", async () => {
  const disk = newDisk();
  const first = await makeBlock(disk, [seriesOf({ a: "1" }, [1, 2, 3, 4, 5])], { chunkLength: 2 });
  const second = await makeBlock(disk, [seriesOf({ a: "1" }, [6, 7, 8])], { chunkLength: 2 });
  const merged = await merge(disk, [second, first]);
  expect(storedChunks(merged)).toEqual([...storedChunks(first), ...storedChunks(second)]);
});

test("encodes at most 120 samples a chunk anew", async () => {
  const disk = newDisk();
  const even = seriesOf(
    { a: "1" },
    Array.from({ length: 200 }, (_, i) => 2 * i),
  );
  const odd = seriesOf(
    { a: "1" },
    Array.from({ length: 200 }, (_, i) => 2 * i + 1),
  );
  const blocks = [
    await makeBlock(disk, [even], { chunkLength: 200 }),
    await makeBlock(disk, [odd], { chunkLength: 200 }),
  ];
  const merged = await merge(disk, blocks);
  const series = merged.allSeries();
  series.next();
  const counts = Array.from({ length: series.chunkCount }, (_, i) => {
    series.load(i);
    return series.sampleCount;
  });
  expect(counts).toEqual([120, 120, 120, 40]);
});

test("names what it was made from, and carries fields of one's own", async () => {
  const disk = newDisk();
  const first = await makeBlock(disk, [seriesOf({ a: "1" }, [10])], { minTime: 0, maxTime: 50 });
  const second = await makeBlock(disk, [seriesOf({ a: "1" }, [60])], { minTime: 50, maxTime: 90 });
  const merged = await merge(disk, [first, second], { extra: { varve: { lateLsn: 7 } } });
  const { level, sources, parents } = merged.meta.compaction;
  expect([merged.minTime, merged.maxTime, level]).toEqual([0, 90, 2]);
  expect(sources).toEqual([first.id, second.id].sort());
  expect(parents).toEqual([
    { ulid: first.id, minTime: 0, maxTime: 50 },
    { ulid: second.id, minTime: 50, maxTime: 90 },
  ]);
  expect(merged.meta.raw["varve"]).toMatchObject({ lateLsn: 7 });
  const third = await makeBlock(disk, [seriesOf({ a: "2" }, [5])]);
  const again = await merge(disk, [merged, third]);
  expect(again.meta.compaction.level).toBe(3);
  expect(again.meta.compaction.sources).toEqual([first.id, second.id, third.id].sort());
});

test("carries the hints that all blocks have, because what one lacks is not true of the whole", async () => {
  const disk = newDisk();
  const late = { hints: ["from-out-of-order"] };
  const first = await makeBlock(disk, [seriesOf({ a: "1" }, [10])], late);
  const second = await makeBlock(disk, [seriesOf({ a: "1" }, [20])], late);
  const plain = await makeBlock(disk, [seriesOf({ a: "1" }, [30])]);
  const merged = await merge(disk, [first, second]);
  expect(merged.meta.compaction.hints).toEqual(["from-out-of-order"]);
  const all = await merge(disk, [merged, plain]);
  expect(all.meta.compaction.hints).toBeUndefined();
});

test("gives nothing when all is deleted, and leaves nothing behind", async () => {
  const disk = newDisk();
  const block = await makeBlock(disk, [seriesOf({ a: "1" }, [1, 2])]);
  await block.delete([], 0, 10);
  expect(await mergeBlocks({ disk, parent: "/data", blocks: [block], codec })).toBeNull();
  expect(disk.list("/data")).toEqual([block.id]);
});

interface Foreign {
  readonly minTime: number;
  readonly maxTime: number;
  readonly bytes: Uint8Array;
}

async function foreignBlock(
  disk: ReturnType<typeof simDisk>,
  foreign: readonly Foreign[],
): Promise<BlockReader> {
  const writer = createBlock({ disk, parent: "/data" });
  const key = keyOf({ a: "1" });
  writer.addKey(key, 0, key.length);
  await writer.sortSymbols(noPause);
  writer.beginSeries(key, 0, key.length);
  for (const { minTime, maxTime, bytes } of foreign) {
    writer.addChunk(2, minTime, maxTime, 3, bytes, 0, bytes.length);
  }
  writer.endSeries();
  await writer.finish({ minTime: 0, maxTime: 1000, level: 1 }, noPause);
  await writer.publish();
  return open(disk, writer.dir);
}

const FOREIGN = { minTime: 10, maxTime: 20, bytes: Uint8Array.of(0, 3, 0xab, 0xcd) };

test("copies foreign chunks byte for byte between samples, and the same one once", async () => {
  const disk = simDisk();
  disk.makeDirectory("/data");
  const blocks = [
    await makeBlock(disk, [seriesOf({ a: "1" }, [1, 9, 21, 30])], { chunkLength: 4 }),
    await foreignBlock(disk, [FOREIGN]),
    await foreignBlock(disk, [FOREIGN, { ...FOREIGN, minTime: 40, maxTime: 50 }]),
  ];
  const merged = await merge(disk, blocks);
  const series = merged.select([]);
  series.next();
  const { bytes } = FOREIGN;
  expect(series.opaque(0, 100)).toEqual([
    { encoding: 2, minTime: 10, maxTime: 20, bytes },
    { encoding: 2, minTime: 40, maxTime: 50, bytes },
  ]);
  expect(readSeries(merged.select([]))[0]!.times).toEqual([1, 9, 21, 30]);
});

test("keeps a foreign chunk whole that is deleted in part, and drops one that is deleted whole", async () => {
  const disk = simDisk();
  disk.makeDirectory("/data");
  const block = await foreignBlock(disk, [FOREIGN, { ...FOREIGN, minTime: 40, maxTime: 50 }]);
  await block.delete([], 15, 17);
  await block.delete([], 40, 51);
  const merged = await merge(disk, [block]);
  const series = merged.select([]);
  series.next();
  expect(series.opaque(0, 100)).toEqual([{ encoding: 2, ...FOREIGN }]);
});

test.each([
  ["samples inside it", [15], []],
  ["another foreign chunk", [], [{ ...FOREIGN, minTime: 5, maxTime: 10 }]],
  ["a foreign chunk of other bytes", [], [{ ...FOREIGN, bytes: Uint8Array.of(0, 3, 1, 1) }]],
])("refuses a foreign chunk with %s, and leaves nothing behind", async (_, times, others) => {
  const disk = simDisk();
  disk.makeDirectory("/data");
  const blocks = [await foreignBlock(disk, [FOREIGN])];
  if (times.length > 0) blocks.push(await makeBlock(disk, [seriesOf({ a: "1" }, times)]));
  if (others.length > 0) blocks.push(await foreignBlock(disk, others));
  const merging = mergeBlocks({ disk, parent: "/data", blocks, codec });
  await expect(merging).rejects.toSatisfy((error) => isStorageError(error, "CONFLICT"));
  expect(disk.list("/data")).toEqual(blocks.map(({ id }) => id).sort());
});

test("says the times of samples that lie outside those that their block says", async () => {
  const disk = newDisk();
  const all = [seriesOf({ a: "1" }, [1, 2, 9])];
  const block = await makeBlock(disk, all);
  writeMeta(disk, block.dir, { ...readMeta(disk, block.dir), minTime: 2, maxTime: 9 });
  const merged = await merge(disk, [await open(disk, block.dir)]);
  expect(merged).toMatchObject({ minTime: 1, maxTime: 10 });
  expect(readSeries(merged.select([]))).toEqual(all.map(readOf));
});

test("leaves nothing behind when a block is damaged, or a pause says no", async () => {
  const disk = newDisk();
  const block = await makeBlock(disk, [seriesOf({ a: "1" }, [1, 2])]);
  const no = () => Promise.reject(new Error("no"));
  const stopped = mergeBlocks({ disk, parent: "/data", blocks: [block], codec, pause: no });
  await expect(stopped).rejects.toThrow("no");
  expect(disk.list("/data")).toEqual([block.id]);
  const fd = disk.open(`${block.dir}/chunks/000001`, "update");
  disk.write(fd, Uint8Array.of(0xff), 0, 1, 15);
  disk.close(fd);
  const again = await open(disk, block.dir);
  await again.delete([], 1, 2);
  const merging = mergeBlocks({ disk, parent: "/data", blocks: [again], codec });
  await expect(merging).rejects.toSatisfy((error) => isStorageError(error, "BLOCK_CORRUPT"));
  expect(disk.list("/data")).toEqual([block.id]);
});

test("merges blocks while the cache holds one small page", async () => {
  const disk = newDisk();
  const all = ["1", "2", "3"].map((a) => seriesOf({ a }, [1, 2, 3, 4]));
  const later = ["2", "3", "4"].map((a) => seriesOf({ a }, [3, 4, 5], 2));
  const dirs = [(await makeBlock(disk, all)).dir, (await makeBlock(disk, later)).dir];
  const blocks: BlockReader[] = [];
  for (const dir of dirs) blocks.push(await open(disk, dir, { bytesMax: 1, pageBytes: 16 }));
  const merged = await merge(disk, blocks);
  expect(readSeries(merged.select([]))).toEqual(modelOf([all, later], [[], []]));
  expect(readSeries(blocks[0]!.select([]))).toEqual(all.map(readOf));
});
