import { simDisk } from "@varve/disk/sim";
import { readAll } from "@varve/disk/transfer";
import { isStorageError, type Matcher } from "@varve/contracts";
import { expect, test } from "vitest";
import { type BlockReader, openBlock, pageCache } from "../src/index.ts";
import { makeBlock, newDisk, seriesOf } from "./support/blocks.ts";
import { checkedRanges, type CheckedRange } from "./support/index-file.ts";
import { codec, matcher, putFiles, readSeries } from "./support/read.ts";

type Files = Map<string, Uint8Array>;

/** Sound bytes, with their checksums, where others belong: what a write leaves that went astray. */
async function blockOf(
  ...series: Parameters<typeof makeBlock>[1]
): Promise<{ dir: string; files: Files; refs: number[] }> {
  const disk = newDisk();
  const block = await makeBlock(disk, series);
  const refs: number[] = [];
  const all = block.allSeries();
  while (all.next()) for (let i = 0; i < all.chunkCount; i += 1) refs.push(all.ref(i));
  block.close();
  const names = ["index", "meta.json", "tombstones", "chunks/000001"];
  const files = new Map(names.map((name) => [name, readAll(disk, `${block.dir}/${name}`)]));
  return { dir: block.dir, files, refs };
}

async function open(dir: string, files: Files): Promise<BlockReader> {
  const disk = simDisk();
  putFiles(disk, dir, files);
  return openBlock({ disk, dir, codec, cache: pageCache() });
}

/** What is wrong with the answers of a block, as text. `refused` where a typed error is the answer. */
async function askedOf(dir: string, files: Files, matchers: readonly Matcher[]): Promise<string> {
  try {
    const block = await open(dir, files);
    const found = readSeries(block.select(matchers)).map(({ labels }) => labels);
    for (const { name, value } of matchers) {
      const others = block.labelValues(name, matchers).filter((each) => each !== value);
      if (others.length > 0) return `${name}=${value} has the values ${others.join()}`;
      const lacking = found.find((labels) => labels[name] !== value);
      if (lacking !== undefined) return `${name}=${value} selects ${JSON.stringify(lacking)}`;
    }
    const isTwice = new Set(found.map((each) => JSON.stringify(each))).size < found.length;
    return isTwice ? "a series comes twice" : "";
  } catch (error) {
    if (!isStorageError(error, "BLOCK_CORRUPT")) throw error;
    return "refused";
  }
}

test("no series comes twice, and none that lacks a label asked for, when parts of an index are misplaced", async () => {
  const { dir, files } = await blockOf(
    ...["a", "b", "c", "dd"].flatMap((host, i) => [
      seriesOf({ __name__: "cpu", host }, [1, 2, 3, 4]),
      seriesOf({ __name__: "memory", host, rack: `${i % 2}` }, [1000, 2000]),
    ]),
  );
  const index = files.get("index")!;
  const places = checkedRanges(index);
  const questions = [
    [],
    [matcher("host", "=", "a")],
    [matcher("__name__", "=", "cpu")],
    [matcher("__name__", "=", "memory"), matcher("rack", "=", "1")],
  ];
  let refused = 0;
  for (const { from, until } of places) {
    for (const other of places) {
      if (other.from === from || other.until - other.from !== until - from) continue;
      const bytes = index.slice();
      bytes.set(index.subarray(from, until + 4), other.from);
      const changed = new Map(files).set("index", bytes);
      for (const matchers of questions) {
        const answer = await askedOf(dir, changed, matchers);
        if (answer === "refused") refused += 1;
        else expect(answer, `index@${from} at ${other.from}`).toBe("");
      }
    }
  }
  expect(refused).toBeGreaterThan(20);
});

test("refuses a chunk whose times are not those that the index gives it", async () => {
  const { dir, files, refs } = await blockOf(
    seriesOf({ __name__: "cpu", host: "a" }, [1, 2, 3]),
    seriesOf({ __name__: "cpu", host: "b" }, [5, 6, 7]),
  );
  const chunks = files.get("chunks/000001")!;
  const [a, b] = refs as [number, number];
  const [lengthA, lengthB] = [b - a, chunks.length - b];
  // The shorter one in the place of the longer.
  const [from, at, length] = lengthA <= lengthB ? [a, b, lengthA] : [b, a, lengthB];
  const bytes = chunks.slice();
  bytes.set(chunks.subarray(from, from + length), at);
  const block = await open(dir, new Map(files).set("chunks/000001", bytes));
  expect(() => readSeries(block.allSeries())).toThrow(/holds other times than the index says/);
  block.close();
});

test("refuses an index whose list of all series is another one", async () => {
  const { dir, files } = await blockOf(
    seriesOf({ host: "a" }, [1]),
    seriesOf({ host: "b" }, [1]),
    seriesOf({ host: "c" }, [1]),
  );
  const index = files.get("index")!.slice();
  // Lists come in the order of their names and values: that of all series first, then those of one.
  const [all, single] = checkedRanges(index).slice(-4) as [CheckedRange, CheckedRange];
  index.set(index.slice(single.from - 4, single.until + 4), all.from - 4);
  await expect(open(dir, new Map(files).set("index", index))).rejects.toMatchObject({
    code: "BLOCK_CORRUPT",
    message: expect.stringContaining(
      "the list of all series has 1, and meta.json says 3",
    ) as string,
  });
});

test("refuses a block whose deletions are gone: what was deleted would be back", async () => {
  const disk = newDisk();
  const block = await makeBlock(disk, [seriesOf({ host: "a" }, [1, 2, 3])]);
  await block.delete([], 2, 3);
  block.close();
  disk.unlink(`${block.dir}/tombstones`);
  await expect(
    openBlock({ disk, dir: block.dir, codec, cache: pageCache() }),
  ).rejects.toMatchObject({
    code: "BLOCK_CORRUPT",
    message: expect.stringContaining(
      "there is no such file, and meta.json counts 1 deletion",
    ) as string,
  });
});
