import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32c, readU32, readU64, writeU32, writeU64 } from "@varve/bytes";
import { nodeDisk } from "@varve/disk/node";
import { simDisk, type SimDisk } from "@varve/disk/sim";
import { readAll } from "@varve/disk/transfer";
import fc from "fast-check";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { asyncWal } from "../src/async.ts";
import { batchedWal } from "../src/batched.ts";
import { syncWal } from "../src/sync.ts";
import { openWal, put, replay, STORE_ID } from "./support.ts";

const PROMTOOL = "/usr/bin/promtool";
const PAGE = 32_768;
/** FORMATS §8.2: series 1 `up{job="x"}`, then samples (1000, 1) and (2000, 2). */
const VECTOR =
  "01001c8aff6ba001000000000000000102085f5f6e616d655f5f027570036a6f620178" +
  "010026896fa19602000000000000000100000000000003e800003ff000000000000000d00f4000000000000000";
const SERIES = Buffer.from(VECTOR.slice(14, 14 + 2 * 0x1c), "hex");
const SAMPLES = Buffer.from(VECTOR.slice(-2 * 0x26), "hex");

const VARIANTS = [
  syncWal({ segmentBytesMax: 8 * PAGE }),
  batchedWal({ segmentBytesMax: 8 * PAGE, groupBytesMax: 50_000 }),
  asyncWal({ segmentBytesMax: 8 * PAGE, groupBytesMax: 50_000, writer: "inline" }),
];

/** A log of the batches given, closed: its disk. */
async function logOf(
  variant: (typeof VARIANTS)[number],
  batches: Uint8Array[][],
): Promise<SimDisk> {
  const disk = simDisk();
  await using wal = await openWal(variant, disk);
  replay(wal);
  for (const records of batches) {
    for (const record of records) put(wal.buffer, record);
    wal.append();
  }
  await wal.commit();
  return disk;
}

/** Reads a segment as Prometheus does: the slowest reader that is right. */
function readSegment(bytes: Uint8Array): { record: Uint8Array; headers: number[] }[] {
  const records: { record: Uint8Array; headers: number[] }[] = [];
  let parts: Uint8Array[] = [];
  let headers: number[] = [];
  for (let at = 0; at < bytes.length;) {
    const left = PAGE - (at % PAGE);
    const type = bytes[at]!;
    if (type === 0) {
      expect(bytes.subarray(at, at + left).every((byte) => byte === 0)).toBe(true);
      at += left;
      continue;
    }
    expect(left).toBeGreaterThanOrEqual(7);
    const length = bytes[at + 1]! * 256 + bytes[at + 2]!;
    expect(7 + length).toBeLessThanOrEqual(left);
    expect(type === 1 || type === 2).toBe(parts.length === 0);
    expect(crc32c(bytes, at + 7, at + 7 + length)).toBe(readU32(bytes, at + 3));
    parts.push(bytes.slice(at + 7, at + 7 + length));
    headers.push(...bytes.slice(at, at + 7));
    at += 7 + length;
    if (type === 1 || type === 4) {
      records.push({ record: new Uint8Array(Buffer.concat(parts)), headers });
      parts = [];
      headers = [];
    }
  }
  expect(parts).toHaveLength(0);
  return records;
}

function isSame(a: readonly Uint8Array[][], b: readonly Uint8Array[][]): boolean {
  const hex = (batch: Uint8Array[]): string =>
    batch.map((r) => Buffer.from(r).toString("hex")).join();
  return a.length === b.length && a.every((batch, i) => hex(batch) === hex(b[i]!));
}

function word(value: number): number[] {
  const bytes = new Uint8Array(4);
  writeU32(bytes, 0, value);
  return [...bytes];
}

/** Checks commit, segment and end records by the words of the definition; answers the user's records by batch. */
function readLog(disk: SimDisk): Uint8Array[][] {
  const batches: Uint8Array[][] = [];
  let chain = 0;
  for (const [i, name] of disk.list("/wal").entries()) {
    expect(name).toBe(String(i).padStart(8, "0"));
    const bytes = readAll(disk, `/wal/${name}`);
    expect(bytes.length % PAGE).toBe(0);
    let input = word(chain);
    let batch: Uint8Array[] = [];
    for (const [at, { record, headers }] of readSegment(bytes).entries()) {
      const type = record[0] ?? 0;
      if (type < 128) {
        batch.push(record);
        input.push(...headers);
        continue;
      }
      const told = readU32(record, record.length - 4);
      const covered = Uint8Array.from([...input, ...record.slice(0, -4)]);
      expect(told).toBe(crc32c(covered, 0, covered.length));
      chain = told;
      input = word(chain);
      expect(type === 129).toBe(at === 0);
      if (type === 129) {
        expect(Buffer.from(record.slice(2, 18)).toString("hex")).toBe(STORE_ID);
        expect(readU64(record, 18)).toBe(batches.length + 1);
      } else if (type === 128) {
        expect(record).toHaveLength(26);
        expect(record[1]).toBe(1);
        expect(readU32(record, 2)).toBe(batch.length);
        expect(readU64(record, 6)).toBe(batches.length + 1);
        expect(readU64(record, 14)).toBeLessThanOrEqual(batches.length);
        batches.push(batch);
        batch = [];
      } else {
        expect(type).toBe(130);
        expect(readU64(record, 1)).toBe(batches.length);
      }
    }
    expect(batch).toHaveLength(0);
  }
  return batches;
}

describe.each(VARIANTS)("$name", (variant) => {
  test("frames records exactly as the vectors of Prometheus' format have them", async () => {
    const disk = await logOf(variant, [[SERIES, SAMPLES]]);
    const hex = Buffer.from(readAll(disk, "/wal/00000000")).toString("hex");
    expect(hex.slice(0, 6)).toBe("01001e"); // The segment record, full, of 30 bytes.
    expect(hex.slice(74, 74 + VECTOR.length)).toBe(VECTOR);
    expect(hex.slice(74 + VECTOR.length, 80 + VECTOR.length)).toBe("01001a"); // The commit record.
  });

  test("writes pages, private records and the chain by their definition, for records of any size", async () => {
    const sizes = fc.oneof(
      fc.constantFrom(0, 1, 7, PAGE - 7, PAGE - 8, PAGE - 6, 100_000),
      fc.integer({ min: 0, max: 400 }),
      fc.integer({ min: PAGE - 250, max: PAGE + 10 }),
    );
    const log = fc.array(fc.array(sizes, { minLength: 1, maxLength: 2 }), {
      minLength: 1,
      maxLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(log, async (shape) => {
        const batches = shape.map((lengths, i) =>
          lengths.map((length) => new Uint8Array(length).fill(1 + (i % 9))),
        );
        const disk = await logOf(variant, batches);
        expect(isSame(readLog(disk), batches)).toBe(true);
        await using again = await openWal(variant, disk);
        const told = replay(again);
        expect(isSame([...told.batches.values()], batches)).toBe(true);
      }),
      { numRuns: 12 },
    );
  });

  test("replays a commit record that lies on two pages, wherever the page ends in it", async () => {
    for (let left = 0; left <= 40; left += 1) {
      // Segment record 37, header 7; the commit record starts `left` bytes before the page ends.
      const record = new Uint8Array(PAGE - 37 - 7 - left).fill(5);
      const disk = await logOf(variant, [[record], [new Uint8Array([6])]]);
      expect(readLog(disk)).toHaveLength(2);
      await using again = await openWal(variant, disk);
      const { recovery } = replay(again);
      expect(recovery).toMatchObject({ lastLsn: 2, unclean: false, records: 2 });
    }
  });
});

test("all logs write the same bytes for batches that were durable one by one", async () => {
  const images: string[] = [];
  for (const variant of VARIANTS) {
    const disk = simDisk();
    await using wal = await openWal(variant, disk);
    replay(wal);
    for (let i = 1; i < 40; i += 1) {
      put(wal.buffer, new Uint8Array(i * 31).fill(i));
      wal.append();
      await wal.commit();
    }
    images.push(Buffer.from(readAll(disk, "/wal/00000000")).toString("hex"));
  }
  expect(new Set(images).size).toBe(1);
});

/** A samples record of one series: times one second apart, values their number. */
function samplesRecord(from: number, count: number): Uint8Array {
  const record = new Uint8Array(1 + 16 + count * 20);
  record[0] = 2;
  writeU64(record, 1, 1);
  writeU64(record, 9, from * 1000);
  let at = 17;
  for (let i = 0; i < count; i += 1) {
    record[at++] = 0;
    let zigzag = i * 2000;
    for (; zigzag >= 128; zigzag = Math.floor(zigzag / 128)) record[at++] = (zigzag % 128) | 128;
    record[at++] = zigzag;
    new DataView(record.buffer).setFloat64(at, from + i);
    at += 8;
  }
  return record.slice(0, at);
}

describe("promtool", () => {
  beforeEach((context) => {
    if (!existsSync(PROMTOOL)) context.skip("promtool is not installed: nobody else reads the log");
  });

  test.each([syncWal(), batchedWal(), asyncWal()])(
    "reads the samples of a $name log",
    async (variant) => {
      const store = mkdtempSync(join(tmpdir(), "varve-wal-"));
      onTestFinished(() => rmSync(store, { recursive: true }));
      const place = { dir: join(store, "wal"), quarantineDir: join(store, "quarantine") };
      for (let life = 0; life < 2; life += 1) {
        await using wal = await openWal(variant, nodeDisk(), place);
        replay(wal);
        if (life === 0) put(wal.buffer, SERIES);
        for (let batch = 0; batch < 20; batch += 1) {
          put(wal.buffer, samplesRecord(1 + (life * 20 + batch) * 100, 100));
          wal.append();
        }
        if (life === 0) {
          await wal.checkpoint((into) => {
            put(into, SERIES);
            return false;
          }, 0);
          await wal.commit();
        }
      }
      const dump = execFileSync(PROMTOOL, ["tsdb", "dump", store], { encoding: "utf8" });
      const lines = dump.trim().split("\n");
      const wanted = Array.from(
        { length: 4000 },
        (_, i) => `{__name__="up", job="x"} ${i + 1} ${(i + 1) * 1000}`,
      );
      expect(lines).toEqual(wanted);
    },
  );
});
