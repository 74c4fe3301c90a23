import { readU64 } from "@varve/bytes";
import { isStorageError } from "@varve/contracts";
import { simDisk } from "@varve/disk/sim";
import { readAll } from "@varve/disk/transfer";
import { expect, test } from "vitest";
import { TOC_BYTES, TOC_LABEL_OFFSET_TABLE } from "../src/internal/layout.ts";
import { pageCache, openBlock, verifyBlock } from "../src/index.ts";
import { makeBlock, newDisk, randomOf, seriesOf } from "./support/blocks.ts";
import { checkedRanges, mend } from "./support/index-file.ts";
import { codec, matcher, putFiles, readSeries } from "./support/read.ts";

type Files = Map<string, Uint8Array>;

const SELECTIONS = [
  [],
  [matcher("__name__", "=", "cpu"), matcher("host", "=", "b")],
  [matcher("host", "=~", "a|c", { values: ["a", "c"] })],
  [matcher("host", "!~", "a.*"), matcher("rack", "=", "")],
];

/** A small block with all there is: several lists, chunks, deletions. */
async function smallBlock(): Promise<{ dir: string; files: Files }> {
  const disk = newDisk();
  const series = ["a", "b", "c", "dd"].flatMap((host, i) => [
    seriesOf({ __name__: "cpu", host }, [1, 2, 3, 4, 5, 6, 7].slice(i)),
    seriesOf({ __name__: "memory", host, rack: `${i % 2}` }, [1000, 2000, 3500]),
  ]);
  const block = await makeBlock(disk, series);
  await block.delete([matcher("host", "=", "a")], 3, 1500);
  block.close();
  const names = ["index", "meta.json", "tombstones", "chunks/000001"];
  return {
    dir: block.dir,
    files: new Map(names.map((n) => [n, readAll(disk, `${block.dir}/${n}`)])),
  };
}

/** Everything that can be asked, as text. */
async function askAll(dir: string, files: Files): Promise<string> {
  const disk = simDisk();
  putFiles(disk, dir, files);
  const cache = pageCache({ bytesMax: 4096, pageBytes: 64 });
  const block = await openBlock({ disk, dir, codec, cache });
  try {
    const answers: unknown[] = [
      block.seriesCount,
      [...block.nameCounts()],
      [...block.pairCounts()],
    ];
    for (const matchers of SELECTIONS) {
      answers.push(readSeries(block.select(matchers)), readSeries(block.select(matchers), 2, 5));
      answers.push(block.labelNames(matchers), block.labelValues("host", matchers));
    }
    const symbols = block.allSymbols();
    while (symbols.next()) answers.push(symbols.until - symbols.from);
    return JSON.stringify(answers);
  } finally {
    block.close();
  }
}

/** Bytes that no checksum covers, and that nothing depends on: padding. */
function isPadding(name: string, at: number): boolean {
  return name === "chunks/000001" && at >= 5 && at < 8;
}

test("answers rightly or with BLOCK_CORRUPT, whatever single byte is changed", async () => {
  const { dir, files } = await smallBlock();
  const right = await askAll(dir, files);
  for (const name of ["index", "tombstones", "chunks/000001"]) {
    const original = files.get(name)!;
    for (let at = 0; at < original.length; at += 1) {
      const bytes = original.slice();
      bytes[at]! ^= 1 + ((at * 37) % 255);
      const where = `${name}@${at} = ${bytes[at]}`;
      const answer = await askAll(dir, new Map(files).set(name, bytes)).catch(
        (error: unknown) => error,
      );
      if (typeof answer === "string") expect(answer, where).toBe(right);
      else expect(isKnown(answer), `${where}: ${String(answer)}`).toBe(true);
    }
  }
});

test("answers rightly or with BLOCK_CORRUPT for files that are cut off, lengthened or mangled", async () => {
  const { dir, files } = await smallBlock();
  const right = await askAll(dir, files);
  for (let seed = 1; seed <= 1500; seed += 1) {
    const random = randomOf(seed);
    const name = ["index", "tombstones", "chunks/000001"][random(3)]!;
    const bytes = mangle(files.get(name)!, random);
    const answer = await askAll(dir, new Map(files).set(name, bytes)).catch(
      (error: unknown) => error,
    );
    const where = `seed ${seed}, ${name}`;
    if (typeof answer === "string") expect(answer, where).toBe(right);
    else expect(isKnown(answer), `${where}: ${String(answer)}`).toBe(true);
  }
});

test("ends with an answer or BLOCK_CORRUPT when checksums are right and what they cover is not", async () => {
  const { dir, files } = await smallBlock();
  const index = files.get("index")!;
  const ranges = checkedRanges(index);
  // Of the table that only old readers need, the checksum alone is looked at.
  const legacyAt = readU64(index, index.length - TOC_BYTES + 8 * TOC_LABEL_OFFSET_TABLE) + 4;
  let refused = 0;
  for (let seed = 1; seed <= 3000; seed += 1) {
    const random = randomOf(seed);
    const bytes = index.slice();
    const range = ranges[random(ranges.length)]!;
    for (let i = random(3); i >= 0; i -= 1) {
      const at = range.from + random(range.until - range.from);
      bytes[at] = [0, 0x7f, 0x80, 0xff, random(256), bytes[at]! ^ 1, bytes[at]! + 1][random(7)]!;
    }
    mend(bytes, range);
    const changed = new Map(files).set("index", bytes);
    const answer = await askAll(dir, changed).catch((error: unknown) => error);
    if (typeof answer !== "string") {
      expect(isKnown(answer), `seed ${seed}: ${String(answer)}`).toBe(true);
      refused += 1;
    }
    const problems = await verifyFiles(dir, changed);
    const isSame = Buffer.compare(bytes, index) === 0;
    if (range.from === legacyAt) continue;
    if (isSame) expect(problems, `seed ${seed}`).toEqual([]);
    else expect(problems, `seed ${seed}, ${JSON.stringify(range)}`).not.toEqual([]);
  }
  expect(refused).toBeGreaterThan(1000);
});

test("verify finds every single byte that is changed", async () => {
  const { dir, files } = await smallBlock();
  expect(await verifyFiles(dir, files)).toEqual([]);
  for (const name of ["index", "tombstones", "chunks/000001"]) {
    const original = files.get(name)!;
    const covered = name === "index" ? coveredOf(original) : undefined;
    for (let at = 0; at < original.length; at += 1) {
      if (isPadding(name, at) || covered?.[at] === 0) continue;
      const bytes = original.slice();
      bytes[at]! ^= 0x21;
      const problems = await verifyFiles(dir, new Map(files).set(name, bytes));
      expect(problems, `${name}@${at}`).not.toEqual([]);
    }
  }
});

async function verifyFiles(dir: string, files: Files) {
  const disk = simDisk();
  putFiles(disk, dir, files);
  return verifyBlock({ disk, dir, codec });
}

/** One for each byte of an index that is not padding. */
function coveredOf(index: Uint8Array): Uint8Array {
  const covered = new Uint8Array(index.length);
  covered.fill(1, 0, 5);
  for (const { from, until } of checkedRanges(index)) covered.fill(1, from - 1, until + 4);
  return covered;
}

function isKnown(error: unknown): boolean {
  return isStorageError(error, "BLOCK_CORRUPT") || isStorageError(error, "UNSUPPORTED_VERSION");
}

function mangle(original: Uint8Array, random: (below: number) => number): Uint8Array {
  const at = random(original.length);
  const kind = random(4);
  if (kind === 0) return original.slice(0, at);
  if (kind === 1) {
    const longer = new Uint8Array(original.length + 1 + random(80));
    longer.set(original.subarray(0, at));
    longer.set(original.subarray(at), longer.length - (original.length - at));
    return longer;
  }
  const bytes = original.slice();
  const length = 1 + random(kind === 2 ? 4 : 60);
  for (let i = at; i < Math.min(bytes.length, at + length); i += 1) bytes[i] = random(256);
  return bytes;
}
