import { isStorageError } from "@varve/contracts";
import { readAll } from "@varve/disk/transfer";
import { simDisk } from "@varve/disk/sim";
import { expect, test } from "vitest";
import { type BlockMeta, readMeta, verifyBlock, writeMeta } from "../src/index.ts";
import { makeBlock, newDisk, seriesOf } from "./support/blocks.ts";
import { codec, matcher, open, putFiles } from "./support/read.ts";

type Files = Map<string, Uint8Array>;
type Json = Record<string, unknown>;

const STORE = "00112233445566778899aabbccddeeff";
/** What a store writes to its blocks. */
const FACTS = { store: STORE, cutTime: 1_767_254_400_000, lateLsn: 4711 };
const CORRUPT = expect.objectContaining({ code: "BLOCK_CORRUPT" }) as Error;

/** A block of a store: merged, with a deletion, and with what the store says of its log. */
async function storeBlock(extra: Json = { varve: FACTS }): Promise<{ dir: string; files: Files }> {
  const disk = newDisk();
  const series = ["a", "b"].map((host) => seriesOf({ host }, [1, 2, 3, 4, 5]));
  const parents = [{ ulid: "01ARYZ6S41TSV4RRFFQ69G5FAV", minTime: 1, maxTime: 4 }];
  const hints = ["from-out-of-order"];
  const block = await makeBlock(disk, series, { extra, parents, hints, level: 2 });
  await block.delete([matcher("host", "=", "a")], 2, 4);
  block.close();
  const names = ["index", "meta.json", "tombstones", "chunks/000001"];
  return {
    dir: block.dir,
    files: new Map(names.map((n) => [n, readAll(disk, `${block.dir}/${n}`)])),
  };
}

/** Opens the block with another `meta.json`, and returns what it says. */
async function metaOf(dir: string, files: Files, bytes: Uint8Array): Promise<BlockMeta> {
  const disk = simDisk();
  putFiles(disk, dir, new Map(files).set("meta.json", bytes));
  const block = await open(disk, dir);
  block.close();
  return block.meta;
}

/** The text of a block's `meta.json` with one thing changed in what it says. */
function changed(files: Files, change: (json: { varve: Json } & Json) => void): Uint8Array {
  const json = JSON.parse(Buffer.from(files.get("meta.json")!).toString()) as { varve: Json };
  change(json);
  return Buffer.from(JSON.stringify(json));
}

test("says the same or throws BLOCK_CORRUPT, whatever single bit of meta.json is flipped", async () => {
  const { dir, files } = await storeBlock();
  const original = files.get("meta.json")!;
  const right = await metaOf(dir, files, original);
  let refused = 0;
  for (let bit = 0; bit < original.length * 8; bit += 1) {
    const bytes = original.slice();
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    const found = await metaOf(dir, files, bytes).catch((error: unknown) => error);
    if (isStorageError(found, "BLOCK_CORRUPT")) refused += 1;
    else expect(found, `bit ${bit}`).toEqual(right);
  }
  expect(refused).toBeGreaterThan(original.length * 7);
});

test("throws BLOCK_CORRUPT for a meta.json that ends early, wherever that is", async () => {
  const { dir, files } = await storeBlock();
  const original = files.get("meta.json")!;
  for (let length = 0; length < original.length; length += 1) {
    await expect(metaOf(dir, files, original.slice(0, length)), `${length}`).rejects.toThrow(
      CORRUPT,
    );
  }
});

test.each<[string, (json: { varve: Json } & Json) => void]>([
  ["the time before which all rows are in blocks", ({ varve }) => (varve["cutTime"] = 1)],
  ["that time taken away", ({ varve }) => delete varve["cutTime"]],
  ["the store", ({ varve }) => (varve["store"] = STORE.replace("0", "1"))],
  ["the checksum's name", ({ varve }) => rename(varve, "crc", "crb")],
  ["the field's name", (json) => rename(json, "varve", "varvd")],
  ["the first time", (json) => (json["minTime"] = 3)],
  ["a field of somebody else's", (json) => (json["thanos"] = {})],
  ["the version, which no newer varve wrote", (json) => (json["version"] = 3)],
])("throws BLOCK_CORRUPT where what it says has another checksum: %s", async (_, change) => {
  const { dir, files } = await storeBlock();
  await expect(metaOf(dir, files, changed(files, change))).rejects.toThrow(CORRUPT);
  const disk = simDisk();
  putFiles(disk, dir, new Map(files).set("meta.json", changed(files, change)));
  const problems = await verifyBlock({ disk, dir, codec });
  expect(problems).toMatchObject([{ code: "META", file: `${dir}/meta.json` }]);
});

test("believes a meta.json that another tool wrote again: in other white space and order", async () => {
  const { dir, files } = await storeBlock();
  const right = await metaOf(dir, files, files.get("meta.json")!);
  const bytes = changed(files, (json) => {
    rename(json, "minTime", "minTime");
    rename(json.varve, "store", "store");
  });
  expect(await metaOf(dir, files, bytes)).toEqual(right);
});

test("believes a block of before the checksum, and gives it one when something of it is deleted", async () => {
  const { dir, files } = await storeBlock();
  const before = changed(files, ({ varve }) => delete varve["crc"]);
  expect((await metaOf(dir, files, before)).raw["varve"]).toEqual(FACTS);
  const disk = simDisk();
  putFiles(disk, dir, new Map(files).set("meta.json", before));
  const block = await open(disk, dir);
  await block.delete([matcher("host", "=", "b")], 1, 2);
  block.close();
  const again = readMeta(disk, dir);
  expect(again.raw["varve"]).toEqual({ ...FACTS, crc: expect.any(Number) as number });
  expect(again.stats.numTombstones).toBe(2);
});

test("adds nothing to a block without the field, whose meta.json is Prometheus' own", async () => {
  const { dir, files } = await storeBlock({});
  const meta = await metaOf(dir, files, files.get("meta.json")!);
  expect(Object.keys(meta.raw)).not.toContain("varve");
  const disk = simDisk();
  putFiles(disk, dir, files);
  writeMeta(disk, dir, meta);
  expect(readAll(disk, `${dir}/meta.json`)).toEqual(files.get("meta.json"));
});

test("throws BLOCK_CORRUPT for nesting too deep for a checksum", async () => {
  const { dir, files } = await storeBlock();
  const text = Buffer.from(files.get("meta.json")!).toString();
  const deep = `${text.slice(0, -1)}, "x": ${"[".repeat(200_000)}${"]".repeat(200_000)}}`;
  await expect(metaOf(dir, files, Buffer.from(deep))).rejects.toThrow(CORRUPT);
});

test("throws BLOCK_CORRUPT for a block in a directory of another name", async () => {
  const { files } = await storeBlock({});
  const elsewhere = "/data/01ARYZ6S41TSV4RRFFQ69G5FAV";
  await expect(metaOf(elsewhere, files, files.get("meta.json")!)).rejects.toThrow(CORRUPT);
});

/** Gives a field another name, and puts it last. */
function rename(json: Json, from: string, to: string): void {
  const value = json[from];
  delete json[from];
  json[to] = value;
}
