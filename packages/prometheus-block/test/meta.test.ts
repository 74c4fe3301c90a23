import { simDisk } from "@varve/disk/sim";
import { readAll, writeFileDurably } from "@varve/disk/transfer";
import { expect, test } from "vitest";
import { type BlockMeta, readMeta, writeMeta } from "../src/index.ts";

const ULID = "01ARYZ6S41TSV4RRFFQ69G5FAV";
const MINIMAL = { ulid: ULID, minTime: -5, maxTime: 0, compaction: { level: 1 }, version: 1 };

/** A disk whose block has this `meta.json`. */
function diskWith(text: string) {
  const disk = simDisk();
  disk.makeDirectory("/block");
  writeFileDurably(disk, "/block/meta.json", new TextEncoder().encode(text));
  return disk;
}

function written(meta: BlockMeta): string {
  const disk = diskWith("");
  writeMeta(disk, "/block", meta);
  return Buffer.from(readAll(disk, "/block/meta.json")).toString();
}

test("reads what is left out as nothing", () => {
  const meta = readMeta(diskWith(JSON.stringify(MINIMAL)), "/block");
  const stats = { numSamples: 0, numSeries: 0, numChunks: 0, numTombstones: 0 };
  expect(meta).toEqual({ ...MINIMAL, stats, compaction: { level: 1, sources: [] }, raw: MINIMAL });
});

test("writes what Prometheus writes: its order of fields, empty ones left out, tabs", () => {
  const compaction = {
    level: 2,
    sources: [ULID],
    deletable: true,
    parents: [{ ulid: ULID, minTime: 0, maxTime: 1 }],
    failed: true,
    hints: ["from-out-of-order"],
  };
  const stats = { numSamples: 3, numSeries: 2, numChunks: 1, numTombstones: 4 };
  const full = { ulid: ULID, minTime: 0, maxTime: 9, stats, compaction, version: 1 as const };
  const text = JSON.stringify(full, null, "\t");
  expect(written(readMeta(diskWith(text), "/block"))).toBe(text);
  const shuffled = { ...full, compaction: { ...compaction, level: 2 }, raw: {} };
  expect(
    written({
      ...shuffled,
      stats: { numTombstones: 4, numChunks: 1, numSeries: 2, numSamples: 3 },
    }),
  ).toBe(text);
  const empty = {
    ulid: ULID,
    minTime: 0,
    maxTime: 0,
    stats: {},
    compaction: { level: 0 },
    version: 1,
  };
  const read = readMeta(diskWith(JSON.stringify(empty)), "/block");
  expect(written(read)).toBe(JSON.stringify(empty, null, "\t"));
});

test("keeps fields that it does not know, at every depth, and drops a stale value of those that it does", () => {
  const raw = {
    ...MINIMAL,
    stats: { numSamples: 7, numFloatSamples: 7 },
    compaction: { level: 1, sources: [ULID], deletable: true, future: { a: [1] } },
    thanos: { version: 1 },
  };
  const meta = readMeta(diskWith(JSON.stringify(raw)), "/block");
  const { level, sources } = meta.compaction;
  const text = written({ ...meta, compaction: { level, sources } });
  expect(JSON.parse(text)).toEqual({
    ...raw,
    compaction: { level: 1, sources: [ULID], future: { a: [1] } },
  });
  expect(Object.keys(JSON.parse(text) as object).at(-1)).toBe("thanos");
});

test.each([
  ["nothing", ""],
  ["no JSON", "{"],
  ["no object", "[]"],
  ["null", "null"],
  ["no version", JSON.stringify({ ...MINIMAL, version: undefined })],
  ["a version that is text", JSON.stringify({ ...MINIMAL, version: "1" })],
  ["no ULID", JSON.stringify({ ...MINIMAL, ulid: 1 })],
  ["times that are not whole", JSON.stringify({ ...MINIMAL, minTime: 0.5 })],
  ["times beyond safe integers", JSON.stringify({ ...MINIMAL, maxTime: 2 ** 60 })],
  ["an end before the beginning", JSON.stringify({ ...MINIMAL, minTime: 1 })],
  ["counts below zero", JSON.stringify({ ...MINIMAL, stats: { numSamples: -1 } })],
  ["no compaction", JSON.stringify({ ...MINIMAL, compaction: undefined })],
  ["sources that are not names", JSON.stringify({ ...MINIMAL, compaction: { sources: [1] } })],
  [
    "parents without times",
    JSON.stringify({ ...MINIMAL, compaction: { parents: [{ ulid: ULID }] } }),
  ],
])("refuses %s with BLOCK_CORRUPT, naming the file", (_, text) => {
  const refusal = expect.objectContaining({
    code: "BLOCK_CORRUPT",
    message: expect.stringContaining("/block/meta.json") as string,
  }) as Error;
  expect(() => readMeta(diskWith(text), "/block")).toThrow(refusal);
});

test("refuses bytes that are not UTF-8, and a missing file, with BLOCK_CORRUPT", () => {
  const disk = diskWith("");
  writeFileDurably(disk, "/block/meta.json", Uint8Array.of(0x22, 0xff, 0x22));
  const corrupt = expect.objectContaining({ code: "BLOCK_CORRUPT" }) as Error;
  expect(() => readMeta(disk, "/block")).toThrow(corrupt);
  expect(() => readMeta(disk, "/none")).toThrow(corrupt);
});

test("refuses other versions with UNSUPPORTED_VERSION, whatever else they hold", () => {
  const refusal = expect.objectContaining({ code: "UNSUPPORTED_VERSION" }) as Error;
  expect(() => readMeta(diskWith(`{"version":2}`), "/block")).toThrow(refusal);
});

test.each([
  ["arrays", (depth: number) => "[".repeat(depth) + "]".repeat(depth)],
  ["objects", (depth: number) => '{"a":'.repeat(depth) + "0" + "}".repeat(depth)],
])("refuses %s that are nested deeper than any stack, and keeps those that are not", (_, nest) => {
  const text = (depth: number) => `{"deep":${nest(depth)},${JSON.stringify(MINIMAL).slice(1)}`;
  for (const depth of [100, 5000, 100_000]) {
    expect(() => readMeta(diskWith(text(depth)), "/block"), `${depth} deep`).toThrow(/nested/);
  }
  const again = written(readMeta(diskWith(text(99)), "/block"));
  expect(JSON.parse(again)["deep"]).toEqual(JSON.parse(nest(99)));
});
