import { compareKeys, keyOf } from "@varve/bytes";
import { noPause } from "@varve/contracts";
import { expect, test } from "vitest";
import { type BlockWriter, createBlock, verifyBlock } from "../src/index.ts";
import { dataDisk } from "./support/files.ts";
import { encodeChunk } from "./support/head.ts";
import { codec } from "./support/read.ts";

/** Buffers hold 256 KiB, and one read of the series 128 KiB. */
const BUFFER_BYTES = 256 * 1024;
/** So many values of a name, and series of a list, take more in each section. */
const SERIES = 70_000;
/** So many chunks take more in an entry. */
const CHUNKS = 50_000;
const FIELDS = { minTime: 0, maxTime: CHUNKS, level: 1 };
/** A chunk of one sample, at time 1. */
const { bytes: CHUNK } = encodeChunk([1], Float64Array.of(1), 0, 1);

function addChunk(writer: BlockWriter, time: number): void {
  const bytes = time === 1 ? CHUNK : encodeChunk([time], Float64Array.of(1), 0, 1).bytes;
  writer.addChunk(1, time, time, 1, bytes, 0, bytes.length);
}

async function begun(disk: ReturnType<typeof dataDisk>, keys: Uint8Array[]): Promise<BlockWriter> {
  const writer = createBlock({ disk, parent: "/data" });
  for (const key of keys) writer.addKey(key, 0, key.length);
  await writer.sortSymbols(noPause);
  return writer;
}

/** Finishes, publishes and checks every byte by the reader's own means. */
async function expectSound(disk: ReturnType<typeof dataDisk>, writer: BlockWriter): Promise<void> {
  await writer.finish(FIELDS, noPause);
  await writer.publish();
  expect(await verifyBlock({ disk, dir: writer.dir, codec })).toEqual([]);
}

test("is sound where symbols, label indices, lists and tables are longer than a buffer", async () => {
  const disk = dataDisk();
  const keys = Array.from({ length: SERIES }, (_, i) => keyOf({ all: "same", host: `host_${i}` }));
  keys.sort((a, b) => compareKeys(a, 0, a.length, b, 0, b.length));
  const writer = await begun(disk, keys);
  expect(writer.bytes).toBeGreaterThan(2 * BUFFER_BYTES);
  for (const key of keys) {
    writer.beginSeries(key, 0, key.length);
    addChunk(writer, 1);
    writer.endSeries();
  }
  await expectSound(disk, writer);
});

test("is sound where the entry of a series is longer than a read", async () => {
  const disk = dataDisk();
  const keys = ["1", "2", "3"].map((a) => keyOf({ a }));
  const writer = await begun(disk, keys);
  for (const key of keys) {
    const before = writer.bytes;
    writer.beginSeries(key, 0, key.length);
    // The one in the middle is long, so that reading grows and goes on.
    for (let i = 0; i < (key === keys[1] ? CHUNKS : 1); i += 1) addChunk(writer, i);
    writer.endSeries();
    if (key === keys[1]) expect(writer.bytes - before).toBeGreaterThan(4 * BUFFER_BYTES);
  }
  await expectSound(disk, writer);
});
