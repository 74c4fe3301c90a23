import { keyOf } from "@varve/bytes";
import { type Labels, noPause } from "@varve/contracts";
import { readAll } from "@varve/disk/transfer";
import { describe, expect, test } from "vitest";
import { type BlockWriter, createBlock, verifyBlock } from "../src/index.ts";
import { dataDisk, filesBelow } from "./support/files.ts";
import { encodeChunk } from "./support/head.ts";
import { codec } from "./support/read.ts";
import { randomSeries } from "./support/samples.ts";
import { fill, writeBlock } from "./support/write.ts";

const SEED = Number(process.env["VARVE_SEED"] ?? 4711);
const ULID = "01ARYZ6S41TSV4RRFFQ69G5FAV";
const DATA = bytesOf("0001 00 0000000000000000");
const FIELDS = { minTime: 0, maxTime: 10, level: 1 };

function bytesOf(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex.replaceAll(/\s/g, ""), "hex"));
}

function withCode(code: string): Error {
  return expect.objectContaining({ code }) as Error;
}

/** A writer that has declared the keys of these labels. */
async function writerOf(...all: Labels[]): Promise<BlockWriter> {
  const writer = createBlock({ disk: dataDisk(), parent: "/data" });
  for (const key of all.map(keyOf)) writer.addKey(key, 0, key.length);
  await writer.sortSymbols(noPause);
  return writer;
}

function begin(writer: BlockWriter, labels: Labels): void {
  const key = keyOf(labels);
  writer.beginSeries(key, 0, key.length);
}

function addChunk(writer: BlockWriter, minTime: number, maxTime: number, count = 1): void {
  writer.addChunk(1, minTime, maxTime, count, DATA, 0, DATA.length);
}

describe("files", () => {
  test("holds the documented bytes of a block of two series", async () => {
    const disk = dataDisk();
    const x = bytesOf("0004d00f3ff0000000000000e807c25fff207d360580");
    const y = bytesOf("0001b817401c000000000000");
    const keys = ["x", "y"].map((l) => keyOf({ __name__: "a", l }));
    const { writer } = await writeBlock(disk, [
      { key: keys[0]!, chunks: [{ minTime: 1000, maxTime: 4500, count: 4, bytes: x }] },
      { key: keys[1]!, chunks: [{ minTime: 1500, maxTime: 1500, count: 1, bytes: y }] },
    ]);
    const files = filesBelow(disk, writer.dir);
    expect([...files.keys()]).toEqual(["chunks/000001", "index", "meta.json", "tombstones"]);
    expect(files.get("chunks/000001")!.toString("hex")).toBe(
      "85bd40dd01000000" +
        "16010004d00f3ff0000000000000e807c25fff207d3605802bc363a1" +
        "0c010001b817401c0000000000006bf2b26c",
    );
    const index = files.get("index")!.toString("hex");
    expect(index.slice(0, 2 * 79)).toBe(
      "baaad70002" +
        "00000016000000060008" +
        "5f5f6e616d655f5f0161016c017801796174784f" +
        "00".repeat(13) +
        "0b020102030401d00fac1b08df1b7604" +
        "0a020102030501b8170024b2da1401",
    );
    expect(index).toContain("0000000c000000020000000300000004495848d7");
    expect(index.slice(-104)).toMatch(/^00000000000000050000000000000023000000000000004f/);
    expect(files.get("tombstones")!.toString("hex")).toBe("0130ba300100000000");
  });

  test("are the same whatever one pass over the series may hold", async () => {
    const series = randomSeries(SEED, 300);
    const whole = await filesOf({});
    for (const postingsMax of [1, 7, 64, 299, 300, 301, 1000]) {
      expect(await filesOf({ postingsMax }), `seed ${SEED}`).toEqual(whole);
    }
    async function filesOf(options: { postingsMax?: number }): Promise<Map<string, Buffer>> {
      const disk = dataDisk();
      await writeBlock(disk, series, { ulid: ULID, ...options });
      return filesBelow(disk, `/data/${ULID}`);
    }
  });

  test("tell values apart that one cheap hash takes for the same", async () => {
    const disk = dataDisk();
    const words = ["altarage", "costarring", "declinate", "liquid", "macallums", "zinke"]; // FNV-1a.
    const series = words.map((word) => {
      return { key: keyOf({ word }), chunks: [encodeChunk([1], Float64Array.of(1), 0, 1)] };
    });
    const { writer } = await writeBlock(disk, series);
    const index = filesBelow(disk, writer.dir).get("index")!.toString("latin1");
    for (const word of words) expect(index).toContain(word);
    expect(await verifyBlock({ disk, dir: writer.dir, codec })).toEqual([]);
  });

  test("are the same on a disk that takes a few bytes at a time", async () => {
    const series = randomSeries(SEED, 40);
    const whole = dataDisk();
    await writeBlock(whole, series, { ulid: ULID });
    const slow = dataDisk({ fault: (_, operation) => (operation === "write" ? 37 : undefined) });
    await writeBlock(slow, series, { ulid: ULID });
    expect(filesBelow(slow, "/data")).toEqual(filesBelow(whole, "/data"));
  });

  test("know nothing of a series without chunks but its symbols", async () => {
    const [one, two, three] = [{ a: "1" }, { a: "1", b: "2" }, { a: "2" }];
    const files = await Promise.all(
      [true, false].map(async (hasEmpty) => {
        const disk = dataDisk();
        const writer = createBlock({ disk, parent: "/data", ulid: ULID });
        for (const key of [one, two, three].map(keyOf)) writer.addKey(key, 0, key.length);
        await writer.sortSymbols(noPause);
        for (const labels of hasEmpty ? [one, two, three] : [one, three]) {
          begin(writer, labels);
          if (labels !== two) addChunk(writer, 1, 1);
          writer.endSeries();
        }
        await writer.finish(FIELDS, noPause);
        expect(writer.series).toBe(2);
        return filesBelow(disk, writer.buildDir);
      }),
    );
    expect(files[0]).toEqual(files[1]);
  });

  test("hold foreign encodings, long values, many labels and many chunks as they were given", async () => {
    const disk = dataDisk();
    const writer = createBlock({ disk, parent: "/data" });
    const labels: Record<string, string> = { long: "é".repeat(70_000) };
    for (let i = 0; i < 100; i += 1) labels[`label_${i}`] = `value_${i}`;
    const key = keyOf(labels);
    const shifted = new Uint8Array(key.length + 5);
    shifted.set(key, 3);
    writer.addKey(shifted, 3, key.length + 3);
    await writer.sortSymbols(noPause);
    writer.beginSeries(shifted, 3, key.length + 3);
    const histogram = new Uint8Array(300_000).fill(7); // More than a write carries.
    for (let i = 0; i < 1000; i += 1) {
      if (i === 500) writer.addChunk(2, i, i, 1, histogram, 10, histogram.length - 10);
      else addChunk(writer, i, i);
    }
    writer.endSeries();
    await writer.finish({ minTime: 0, maxTime: 1000, level: 1 }, noPause);
    const segment = Buffer.from(readAll(disk, `${writer.buildDir}/chunks/000001`));
    const at = 8 + 500 * (1 + 1 + DATA.length + 4);
    expect(segment.readUInt8(at + 3)).toBe(2);
    expect(segment.subarray(at + 4, at + 4 + 299_980)).toEqual(Buffer.alloc(299_980, 7));
    expect(readAll(disk, `${writer.buildDir}/index`).length + segment.length).toBe(writer.bytes);
    expect(writer).toMatchObject({ series: 1, chunks: 1000, samples: 1000 });
  });

  test("are named and described by what was asked for", async () => {
    const disk = dataDisk();
    const parents = [{ ulid: ULID, minTime: 1, maxTime: 2 }];
    const fields = {
      minTime: -2000,
      maxTime: 10_000,
      level: 3,
      sources: ["B", "A"],
      parents,
      hints: ["h"],
    };
    const { meta, writer } = await writeBlock(disk, randomSeries(SEED, 3), {
      ...fields,
      extra: { varve: { storeId: "s" } },
    });
    expect(writer.dir).toBe(`/data/${writer.ulid}`);
    const text = Buffer.from(readAll(disk, `${writer.dir}/meta.json`)).toString();
    expect(JSON.parse(text)).toMatchObject({
      ulid: writer.ulid,
      compaction: { level: 3, sources: ["B", "A"], parents, hints: ["h"] },
      varve: { storeId: "s" },
    });
    expect(meta.stats.numSamples).toBe(writer.samples);
    expect(text.indexOf("varve")).toBeGreaterThan(text.indexOf(`"version"`));
  });
});

describe("segments", () => {
  test("roll where Prometheus' would, and none is empty", async () => {
    const series = randomSeries(SEED, 60);
    const whole = dataDisk();
    const { writer: wholeWriter } = await writeBlock(whole, series);
    const allChunks = filesBelow(whole, wholeWriter.dir).get("chunks/000001")!.subarray(8);
    for (const segmentBytesMax of [9, 40, 64, 100, 333, 2000]) {
      const disk = dataDisk();
      const { writer } = await writeBlock(disk, series, { segmentBytesMax });
      const files = filesBelow(disk, `${writer.dir}/chunks`);
      const sizes = series.map(({ chunks }) => chunks.map((chunk) => chunk.bytes.length));
      expect([...files.values()].map((file) => file.length)).toEqual(
        segmentSizes(sizes, segmentBytesMax),
      );
      expect([...files.keys()].at(0)).toBe("000001");
      const chunks = [...files.values()].map((file) => file.subarray(8));
      expect(Buffer.concat(chunks), `seed ${SEED}`).toEqual(allChunks);
      expect(await verifyBlock({ disk, dir: writer.dir, codec })).toEqual([]);
    }
  });

  /** Sizes of the segments, by the words of Prometheus' `WriteChunks`: a batch is what goes to one segment. */
  function segmentSizes(series: readonly number[][], bytesMax: number): number[] {
    const segments: number[] = [8];
    for (const lengths of series) {
      const begun = segments.at(-1)!;
      let batch = 0;
      let isFirst = true;
      for (const [i, length] of lengths.entries()) {
        batch += 5 + 1 + length + 4;
        let cuts = i !== 0 && batch + 8 > bytesMax;
        if (isFirst && begun > 8) {
          cuts = batch + begun > bytesMax;
          if (cuts) isFirst = false;
        }
        if (cuts) {
          segments.push(8);
          batch = 5 + 1 + length + 4;
        }
        segments[segments.length - 1]! += 1 + 1 + length + 4;
      }
    }
    return segments;
  }
});

describe("input", () => {
  test.each([
    ["the same series twice", { a: "1" }, { a: "1" }],
    ["a smaller value", { a: "2" }, { a: "1" }],
    ["a smaller name", { b: "1" }, { a: "2" }],
    ["a prefix behind what it begins", { a: "1", b: "1" }, { a: "1" }],
    ["a longer value before a shorter one", { a: "11" }, { a: "1", b: "1" }],
    ["UTF-16's order", { a: "\u{1f600}" }, { a: "\ue000" }],
  ])("refuses %s, naming both series", async (_, first, second) => {
    const writer = await writerOf(first, second);
    begin(writer, first);
    addChunk(writer, 1, 1);
    writer.endSeries();
    expect(() => begin(writer, second)).toThrow(withCode("INPUT"));
    expect(() => begin(writer, second)).toThrow(withCode("POISONED"));
    const again = await writerOf(first, second);
    begin(again, first);
    again.endSeries();
    let message = "";
    try {
      begin(again, second);
    } catch (error) {
      ({ message } = error as Error);
    }
    expect(message).toContain(JSON.stringify(first));
    expect(message).toContain(JSON.stringify(second));
  });

  test("takes series in label order, which is not the order of their keys' bytes", async () => {
    const writer = await writerOf({ a: "1", b: "1" }, { a: "1\u0000" });
    begin(writer, { a: "1", b: "1" });
    writer.endSeries();
    begin(writer, { a: "1\u0000" });
  });

  test("refuses what was not declared, and keys that are none", async () => {
    for (const key of [keyOf({ a: "3" }), keyOf({ c: "1" })]) {
      const writer = await writerOf({ a: "1" });
      expect(() => writer.beginSeries(key, 0, key.length)).toThrow(withCode("INPUT"));
    }
    const broken = [
      "61",
      "61ff",
      "61ff31",
      "",
      "61ffff",
      "ff31ff",
      "62ff31ff61ff31ff",
      "61ff31ff61ff31ff",
    ];
    for (const key of broken.map(bytesOf)) {
      const writer = await writerOf({ a: "1", b: "1" });
      expect(() => writer.beginSeries(key, 0, key.length), String(key)).toThrow(withCode("INPUT"));
    }
    const declaring = createBlock({ disk: dataDisk(), parent: "/data" });
    expect(() => declaring.addKey(bytesOf("61ff31"), 0, 3)).toThrow(withCode("INPUT"));
  });

  test.each([
    ["a chunk that begins where the one before it ends", 5, 6, 1],
    ["a chunk that ends before it begins", 8, 7, 1],
    ["a chunk without samples", 8, 9, 0],
    ["times that are not whole", 8.5, 9, 1],
    ["times too far apart", 8, 2 ** 53, 1],
    ["no time", Number.NaN, 9, 1],
  ])("refuses %s", async (_, minTime, maxTime, count) => {
    const writer = await writerOf({ a: "1" });
    begin(writer, { a: "1" });
    addChunk(writer, 1, 5);
    expect(() => addChunk(writer, minTime, maxTime, count)).toThrow(withCode("INPUT"));
    expect(() => writer.endSeries()).toThrow(withCode("POISONED"));
  });

  test("takes times at the ends of what can be exact", async () => {
    const writer = await writerOf({ a: "1" }, { a: "2" });
    begin(writer, { a: "1" });
    addChunk(writer, -(2 ** 53 - 1), -(2 ** 53 - 1));
    addChunk(writer, -(2 ** 53 - 2), 0);
    addChunk(writer, 1, 2 ** 53 - 2);
    writer.endSeries();
    const fields = { minTime: -(2 ** 53 - 1), maxTime: 2 ** 53 - 1, level: 1 };
    const meta = await writer.finish(fields, noPause);
    expect(meta).toMatchObject({ minTime: fields.minTime, maxTime: fields.maxTime });
  });

  test.each([
    ["begin after its first sample", { minTime: -1, maxTime: 10 }],
    ["end with its last sample", { minTime: -2, maxTime: 9 }],
    ["cannot be exact", { minTime: -2, maxTime: 2 ** 53 }],
    ["are not whole", { minTime: -2.5, maxTime: 10 }],
    ["are none", { minTime: -2, maxTime: Number.NaN }],
  ])("refuses a block whose times %s", async (_, times) => {
    for (const isRight of [true, false]) {
      const writer = await writerOf({ a: "1" }, { a: "2" }, { a: "3" });
      expect(writer).toMatchObject({ minTime: Infinity, maxTime: -Infinity });
      begin(writer, { a: "1" });
      addChunk(writer, -2, 7);
      addChunk(writer, 8, 9);
      writer.endSeries();
      begin(writer, { a: "2" });
      addChunk(writer, 1, 3);
      writer.endSeries();
      begin(writer, { a: "3" });
      writer.endSeries();
      expect(writer).toMatchObject({ minTime: -2, maxTime: 9 });
      const fields = isRight ? { minTime: -2, maxTime: 10, level: 1 } : { ...times, level: 1 };
      const finishing = writer.finish(fields, noPause);
      if (isRight) await finishing;
      else await expect(finishing).rejects.toThrow(withCode("INPUT"));
      await writer.abort();
    }
  });

  test("refuses a block without samples", async () => {
    const writer = await writerOf({ a: "1" });
    begin(writer, { a: "1" });
    writer.endSeries();
    await expect(writer.finish(FIELDS, noPause)).rejects.toThrow(withCode("INPUT"));
    await writer.abort();
  });

  test("refuses a name that is taken, by a block or by what is left of one", async () => {
    const disk = dataDisk();
    for (const left of [ULID, `${ULID}.tmp-for-creation`]) {
      disk.makeDirectory(`/data/${left}`);
      expect(() => createBlock({ disk, parent: "/data", ulid: ULID })).toThrow(withCode("INPUT"));
      expect(disk.list("/data")).toEqual([left]);
      disk.removeDirectory(`/data/${left}`);
    }
  });

  test("is asked for in the order of its stages", async () => {
    const writer = createBlock({ disk: dataDisk(), parent: "/data" });
    expect(() => begin(writer, { a: "1" })).toThrow(/stage/);
    await expect(writer.publish()).rejects.toThrow(/stage/);
    await fill(writer, randomSeries(SEED, 2));
    expect(() => writer.addSymbol(DATA, 0, 1)).toThrow(/stage/);
    expect(() => writer.endSeries()).toThrow(/stage/);
  });
});
