import { writeUvarint } from "@varve/bytes";
import { isStorageError } from "@varve/contracts";
import { writeFileDurably } from "@varve/disk/transfer";
import { expect, test } from "vitest";
import { verifyBlock } from "../src/index.ts";
import { newDisk } from "./support/blocks.ts";
import { idsOf, type IndexContent, makeIndex } from "./support/index-file.ts";
import { codec, matcher, open } from "./support/read.ts";

const ULID = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
const DIR = `/data/${ULID}`;

/** A block of this index, and of no chunks. */
function diskWith(index: Uint8Array) {
  const disk = newDisk();
  disk.makeDirectory(DIR);
  const meta = { ulid: ULID, minTime: 0, maxTime: 1, compaction: { level: 1 }, version: 1 };
  writeFileDurably(disk, `${DIR}/meta.json`, Buffer.from(JSON.stringify(meta)));
  writeFileDurably(disk, `${DIR}/index`, index);
  return disk;
}

/** A series' entry: its labels, and no chunk. */
function entry(labels: readonly (readonly [number, number])[]): Uint8Array {
  const bytes = new Uint8Array(10 + labels.length * 20);
  let at = writeUvarint(bytes, 0, labels.length);
  for (const [name, value] of labels)
    at = writeUvarint(bytes, writeUvarint(bytes, at, name), value);
  return bytes.slice(0, writeUvarint(bytes, at, 0));
}

test("refuses a key that takes far more than the index that makes it, and does not make it", async () => {
  const names = Array.from({ length: 700 }, (_, i) => `a${String(i).padStart(4, "0")}`);
  const symbols = [...names, "x".repeat(60_000)];
  const series = [entry(names.map((_, i) => [i, names.length]))];
  const content: IndexContent = { symbols, series, lists: [] };
  const disk = diskWith(makeIndex({ ...content, lists: [["", "", idsOf(content)]] }));
  const block = await open(disk, DIR);
  const error: unknown = await Promise.resolve()
    .then(() => block.allSeries().next())
    .catch((cause: unknown) => cause);
  expect(isStorageError(error, "BLOCK_CORRUPT"), String(error)).toBe(true);
  const problems = await verifyBlock({ disk, dir: DIR, codec });
  expect(problems.map(({ code }) => code)).toContain("SERIES");
});

test("refuses values whose lists name far more series than there are, and does not gather them", async () => {
  const values = Array.from({ length: 200 }, (_, i) => `v${String(i).padStart(4, "0")}`);
  const symbols = ["a", ...values];
  const series = Array.from({ length: 200 }, (_, i) => entry([[0, 1 + i]]));
  const content: IndexContent = { symbols, series, lists: [] };
  const ids = idsOf(content);
  const index = makeIndex({
    ...content,
    lists: [["", "", ids], ...values.map((value) => ["a", value, ids] as const)],
  });
  const block = await open(diskWith(index), DIR);
  const error: unknown = await Promise.resolve()
    .then(() => block.select([matcher("a", "=~", "v.*")]))
    .catch((cause: unknown) => cause);
  expect(isStorageError(error, "BLOCK_CORRUPT"), String(error)).toBe(true);
});
