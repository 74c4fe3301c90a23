import { isStorageError, type RecoveryMode } from "@varve/contracts";
import { simDisk, type SimDisk } from "@varve/disk/sim";
import { readAll, writeFileDurably } from "@varve/disk/transfer";
import { describe, expect, test } from "vitest";
import { HEADER_BYTES, SEGMENT_HEAD_BYTES, STORE_ID_BYTES } from "../src/internal/layout.ts";
import { syncWal } from "../src/sync.ts";
import { appendNext, checkBatches, openWal, readBack, replay, STORE_ID } from "./support.ts";

const variant = syncWal({ segmentBytesMax: 32_768 });
const RECORD_BYTES = 40;
const SEGMENT = "/wal/00000000";

/** A log of a few small batches: closed, or left as a dying process leaves it. */
async function logOf(
  batches: number,
  closed: boolean,
  recordBytes = RECORD_BYTES,
): Promise<SimDisk> {
  const disk = simDisk();
  const wal = await openWal(variant, disk);
  replay(wal);
  for (let i = 0; i < batches; i += 1) appendNext(wal, recordBytes);
  if (closed) await wal[Symbol.asyncDispose]();
  return disk.image("everything", 1);
}

function rewrite(disk: SimDisk, path: string, change: (bytes: Uint8Array) => Uint8Array): void {
  const bytes = change(readAll(disk, path));
  disk.unlink(path);
  writeFileDurably(disk, path, bytes);
}

function flip(disk: SimDisk, path: string, bit: number): void {
  rewrite(disk, path, (bytes) => {
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    return bytes;
  });
}

/** Bytes of the log before the padding. */
function lengthOf(disk: SimDisk): number {
  return readAll(disk, SEGMENT).findLastIndex((byte) => byte !== 0) + 1;
}

test("a log cut at any byte yields a whole prefix, and says what was cut", async () => {
  const whole = await logOf(5, false);
  const size = readAll(whole, SEGMENT).length;
  for (let length = 0; length <= size; length += 1) {
    const disk = whole.image("everything", 1);
    rewrite(disk, SEGMENT, (bytes) => bytes.slice(0, length));
    const found = await readBack(variant, disk);
    checkBatches(found, 1, found.recovery.lastLsn, RECORD_BYTES);
    expect(found.recovery.unclean).toBe(true);
    expect(found.recovery.lastLsn < 5 || length === size).toBe(true);
    // Appending goes on behind the cut, and the cut is not found again.
    const again = await openWal(variant, disk);
    replay(again);
    const lsn = appendNext(again, RECORD_BYTES);
    await again[Symbol.asyncDispose]();
    const last = await readBack(variant, disk);
    checkBatches(last, 1, lsn, RECORD_BYTES);
    expect(last.recovery).toMatchObject({ bytesCut: 0, unclean: false });
  }
});

test("any flipped bit of a closed log is refused where it damages a batch, and never tells a wrong record", async () => {
  const whole = await logOf(4, true);
  const bits = (lengthOf(whole) + 3) * 8;
  // The end record is the last: 7 bytes of header, 13 of record.
  const endAt = lengthOf(whole) - 20;
  for (let bit = 0; bit < bits; bit += 1) {
    const disk = whole.image("everything", 1);
    flip(disk, SEGMENT, bit);
    const found = await readBack(variant, disk).catch((error: unknown) => error);
    if (bit >> 3 < endAt) {
      expect(isStorageError(found, "WAL_CORRUPT"), `bit ${bit}: ${String(found)}`).toBe(true);
    } else if (found instanceof Error) {
      expect(isStorageError(found, "WAL_CORRUPT"), `bit ${bit}: ${String(found)}`).toBe(true);
    } else {
      checkBatches(found as Awaited<ReturnType<typeof readBack>>, 1, 4, RECORD_BYTES);
    }
  }
});

test("any flipped bit of an unclean log loses the last batch at most, and says so", async () => {
  const whole = await logOf(4, false);
  const bits = lengthOf(whole) * 8;
  let cuts = 0;
  for (let bit = 0; bit < bits; bit += 1) {
    const disk = whole.image("everything", 1);
    flip(disk, SEGMENT, bit);
    const found = await readBack(variant, disk).catch((error: unknown) => error);
    if (found instanceof Error) {
      expect(isStorageError(found, "WAL_CORRUPT"), `bit ${bit}: ${String(found)}`).toBe(true);
      continue;
    }
    const { recovery, batches } = found as Awaited<ReturnType<typeof readBack>>;
    checkBatches({ recovery, batches }, 1, 3, RECORD_BYTES);
    expect(recovery.bytesCut).toBeGreaterThan(0);
    expect(recovery.cutReason).not.toBe("");
    expect(recovery.quarantined).toHaveLength(1);
    expect(readAll(disk, recovery.quarantined[0]!)).toHaveLength(recovery.bytesCut);
    cuts += 1;
  }
  expect(cuts).toBeGreaterThan(100);
});

describe("damage before the tail", () => {
  /** Several segments, with a flipped bit in the middle of the second. */
  async function damaged(): Promise<SimDisk> {
    const disk = await logOf(40, true, 2000);
    flip(disk, "/wal/00000001", 15_000 * 8);
    return disk;
  }

  test.each(["strict", "tail"] as const)("is refused by %s, with its place", async (mode) => {
    const disk = await damaged();
    const before = readAll(disk, "/wal/00000001");
    const error: unknown = await readBack(variant, disk, mode).catch((e: unknown) => e);
    if (!isStorageError(error, "WAL_CORRUPT")) throw error;
    expect(error.facts).toMatchObject({ segment: 1, kind: "crc", path: "/wal/00000001" });
    expect(error.facts["offset"]).toBeGreaterThan(10_000);
    expect(error.facts["lsnExpected"]).toBeGreaterThan(5);
    expect(error.message).toMatch(
      /00000001@\d+: checksum mismatch.*are intact.*look intact.*pointInTime/,
    );
    expect(readAll(disk, "/wal/00000001")).toEqual(before);
  });

  test("ends the log in pointInTime, and all behind it is kept aside", async () => {
    const disk = await damaged();
    const segments = disk.list("/wal").length;
    const { recovery, batches } = await readBack(variant, disk, "pointInTime");
    checkBatches({ recovery, batches }, 1, recovery.lastLsn, 2000);
    expect(recovery.lastLsn).toBeLessThan(40);
    expect(recovery.quarantined).toHaveLength(segments - 1);
    const again = await readBack(variant, disk, "strict");
    expect(again.recovery.lastLsn).toBe(recovery.lastLsn);
  });

  test("is skipped by salvage, which loses only the batches it touches", async () => {
    const disk = await damaged();
    const { recovery, batches } = await readBack(variant, disk, "salvage");
    expect(recovery.lastLsn).toBe(40);
    expect(batches.size).toBeGreaterThanOrEqual(38);
    expect(recovery.cutReason).toMatch(/checksum mismatch/);
    for (const lsn of batches.keys()) {
      checkBatches({ recovery, batches: new Map([[lsn, batches.get(lsn)!]]) }, lsn, lsn, 2000);
    }
  });
});

describe("a missing segment", () => {
  const remove = async (): Promise<SimDisk> => {
    const disk = await logOf(40, true, 2000);
    disk.unlink("/wal/00000001");
    return disk;
  };

  test.each(["strict", "tail"] as const)("is refused by %s", async (mode) => {
    const error: unknown = await readBack(variant, await remove(), mode).catch((e: unknown) => e);
    if (!isStorageError(error, "WAL_CORRUPT")) throw error;
    expect(error.facts).toMatchObject({ segment: 1, kind: "missing" });
  });

  test("ends the log in pointInTime, and is passed by salvage", async () => {
    const point = await readBack(variant, await remove(), "pointInTime");
    checkBatches(point, 1, point.recovery.lastLsn, 2000);
    const salvage = await readBack(variant, await remove(), "salvage");
    expect(salvage.recovery.lastLsn).toBe(40);
    expect(salvage.batches.size).toBeGreaterThan(point.batches.size);
  });
});

test("a damaged first record costs salvage its segment's first batch, and no other", async () => {
  const disk = await logOf(40, true, 2000);
  const firsts: number[] = [];
  for (const name of disk.list("/wal")) {
    const head = readAll(disk, `/wal/${name}`).subarray(0, SEGMENT_HEAD_BYTES);
    firsts.push(Number(Buffer.from(head).readBigUInt64BE(HEADER_BYTES + 2 + STORE_ID_BYTES)));
  }
  flip(disk, "/wal/00000001", 60);
  const { batches } = await readBack(variant, disk, "salvage");
  const all = Array.from({ length: 40 }, (_, i) => i + 1);
  expect([...batches.keys()]).toEqual(all.filter((lsn) => lsn !== firsts[1]));
});

describe("a segment that was cut exactly at a batch's end", () => {
  /** Segments 0 and 1, the first cut behind batch `kept`. The second holds what came after an opening, if anything. */
  async function cutAt(kept: number, after: number): Promise<SimDisk> {
    const disk = simDisk();
    const wal = await openWal(variant, disk);
    replay(wal);
    const ends = [0];
    for (let i = 0; i < 8; i += 1) {
      appendNext(wal, RECORD_BYTES);
      ends.push(readAll(disk, SEGMENT).length);
    }
    await wal[Symbol.asyncDispose]();
    const next = await openWal(variant, disk);
    replay(next);
    for (let i = 0; i < after; i += 1) appendNext(next, RECORD_BYTES);
    rewrite(disk, SEGMENT, (bytes) => bytes.slice(0, ends[kept]));
    return disk.image("everything", 1);
  }

  test.each([5, 0])("is refused by tail, with %i batches in the next", async (after) => {
    const error: unknown = await readBack(variant, await cutAt(6, after)).catch((e: unknown) => e);
    if (!isStorageError(error, "WAL_CORRUPT")) throw error;
    expect(error.facts).toMatchObject({ segment: 1, lsnExpected: 7, ackedDataAffected: true });
  });

  test("loses to salvage what was cut, and nothing of the next", async () => {
    const disk = await cutAt(6, 5);
    const { recovery, batches } = await readBack(variant, disk, "salvage");
    expect([...batches.keys()]).toEqual([1, 2, 3, 4, 5, 6, 9, 10, 11, 12, 13]);
    for (const [lsn, records] of batches) {
      checkBatches({ recovery, batches: new Map([[lsn, records]]) }, lsn, lsn, RECORD_BYTES);
    }
    expect(recovery.cutReason).toContain("00000001@0: a segment from batch 9 on where 7 belongs");
  });

  test("loses nothing to salvage where only the end record is gone, and nothing to later appends", async () => {
    const disk = await cutAt(8, 5);
    const wal = await openWal(variant, disk, { recovery: "salvage" });
    checkBatches(replay(wal), 1, 13, RECORD_BYTES);
    appendNext(wal, RECORD_BYTES);
    await wal[Symbol.asyncDispose]();
    checkBatches(await readBack(variant, disk, "salvage"), 1, 14, RECORD_BYTES);
  });

  test("is believed no more than it says: a segment of batches that are there already adds none", async () => {
    const disk = await cutAt(8, 5);
    const whole = readAll(disk, SEGMENT);
    rewrite(disk, "/wal/00000001", () => whole);
    checkBatches(await readBack(variant, disk, "salvage"), 1, 8, RECORD_BYTES);
  });
});

test.each(["strict", "tail", "pointInTime", "salvage"] as const)(
  "a segment of another store is refused by %s",
  async (recovery: RecoveryMode) => {
    const disk = await logOf(3, true);
    const storeId = STORE_ID.replace("0", "f");
    const wal = await openWal(variant, disk, { storeId, recovery });
    expect(() => replay(wal)).toThrow(/another store/);
  },
);

test("strict refuses a torn tail", async () => {
  const disk = await logOf(3, false);
  rewrite(disk, SEGMENT, (bytes) => bytes.slice(0, -5));
  await expect(readBack(variant, disk, "strict")).rejects.toMatchObject({ code: "WAL_CORRUPT" });
});

test("zeros behind the last batch are cut", async () => {
  const disk = await logOf(3, false);
  rewrite(disk, SEGMENT, (bytes) => {
    const grown = new Uint8Array(100_000);
    grown.set(bytes);
    return grown;
  });
  const { recovery } = await readBack(variant, disk);
  expect(recovery).toMatchObject({
    lastLsn: 3,
    cutReason: expect.stringContaining("zeros") as string,
  });
});

test("a segment that comes back after a checkpoint covered it is ignored", async () => {
  const disk = simDisk();
  const wal = await openWal(variant, disk);
  replay(wal);
  for (let i = 0; i < 30; i += 1) appendNext(wal, 2000);
  const first = readAll(disk, SEGMENT);
  await wal.checkpoint(() => false, 30);
  await wal.truncateBefore(31);
  expect(disk.kind(SEGMENT)).toBe("none");
  appendNext(wal, 2000);
  await wal[Symbol.asyncDispose]();
  writeFileDurably(disk, SEGMENT, first);
  checkBatches(await readBack(variant, disk, "strict"), 31, 31, 2000);
});

test("a damaged checkpoint is refused once its segments are gone, and an older one stands in before", async () => {
  const disk = simDisk();
  const wal = await openWal(variant, disk);
  replay(wal);
  for (let i = 0; i < 10; i += 1) appendNext(wal, 2000);
  await wal.checkpoint(() => false, 10);
  const kept = disk.image("everything", 1);
  await wal.truncateBefore(11);
  const gone = disk.image("everything", 1);
  const path = `/wal/${disk.list("/wal").find((name) => name.startsWith("checkpoint"))}/00000000`;
  flip(kept, path, 100);
  flip(gone, path, 100);
  checkBatches(await readBack(variant, kept), 1, 10, 2000);
  await expect(readBack(variant, gone)).rejects.toMatchObject({ code: "WAL_CORRUPT" });
});
