import { crc32c, writeU32 } from "@varve/bytes";
import { isStorageError, type Lsn } from "@varve/contracts";
import { simDisk } from "@varve/disk/sim";
import { readAll, writeFileDurably } from "@varve/disk/transfer";
import { describe, expect, test } from "vitest";
import { inspectLog } from "../src/inspect.ts";
import { syncWal } from "../src/sync.ts";
import {
  change,
  filesOf,
  flip,
  inspect,
  logOf,
  RECORD_BYTES,
  told,
  variant,
} from "./damaged-log.ts";
import { openWal, put, readBack, recordsOf, replay, STORE_ID } from "./support.ts";

describe("a report of a sound log", () => {
  test("counts segments, batches and records by type, and finds nothing wrong", async () => {
    const disk = await logOf({ batches: 40 });
    const before = filesOf(disk, "/");
    const records: Uint8Array[] = [];
    const report = await inspectLog({
      disk,
      dir: "/wal",
      onRecord: (bytes, from, until) => records.push(bytes.slice(from, until)),
    });
    expect(report).toMatchObject({
      storeId: STORE_ID,
      damage: [],
      checkpoints: [],
      opens: true,
      isClosed: true,
      batches: 40,
      firstLsn: 1,
      lastLsn: 40,
      durableLsn: 40,
      records: records.length,
    });
    const wanted = Array.from({ length: 40 }, (_, i) => recordsOf(i + 1, RECORD_BYTES)).flat();
    expect(records).toEqual(wanted);
    const byType: Record<number, number> = {};
    for (const record of wanted) byType[record[0] ?? 0] = (byType[record[0] ?? 0] ?? 0) + 1;
    expect(report.recordsByType).toEqual(byType);
    expect(report.segments.length).toBeGreaterThan(3);
    expect(report.segments.map((each) => each.ends)).toEqual(
      report.segments.map((_, i) => (i + 1 < report.segments.length ? "whole" : "closed")),
    );
    for (const [i, segment] of report.segments.entries()) {
      expect(segment.firstLsn).toBe(i === 0 ? 1 : report.segments[i - 1]!.lastLsn + 1);
      expect(segment.batches).toBe(segment.lastLsn - segment.firstLsn + 1);
      expect(segment.bytes).toBe(readAll(disk, segment.file).length);
      expect(segment.endsAt).toBeGreaterThan(0);
    }
    expect(report.bytes).toBe(report.segments.reduce((sum, each) => sum + each.bytes, 0));
    expect(filesOf(disk, "/")).toEqual(before);
  });

  test("begins with the checkpoint, and does not read what it covers", async () => {
    const disk = await logOf({ batches: 40, checkpointAt: 30 });
    writeFileDurably(disk, "/wal/00000000", Uint8Array.of(1, 2, 3));
    const lsns: Lsn[] = [];
    const report = await inspectLog({
      disk,
      dir: "/wal",
      onRecord: (_bytes, _from, _until, lsn) => lsns.push(lsn),
    });
    expect(report.checkpoints).toMatchObject([{ state: "used", lastLsn: 30, records: 50 }]);
    expect(report.segments[0]).toMatchObject({ segment: 0, ends: "covered", batches: 0 });
    expect(report).toMatchObject({ opens: true, damage: [], firstLsn: 30, lastLsn: 40 });
    expect(lsns.filter((lsn) => lsn === 30)).toHaveLength(50);
    expect(new Set(lsns).size).toBe(11);
  });

  test("takes a directory that is empty or missing for an empty log", async () => {
    const disk = simDisk();
    const empty = { storeId: "", batches: 0, damage: [], opens: true, isClosed: false, bytes: 0 };
    expect(await inspect(disk)).toMatchObject(empty);
    disk.makeDirectory("/wal");
    expect(await inspect(disk)).toMatchObject(empty);
  });

  test("asks for a pause between pieces, and ends when that is refused", async () => {
    const disk = simDisk();
    const large = await openWal(syncWal(), disk);
    replay(large);
    for (let i = 0; i < 60; i += 1) {
      put(large.buffer, new Uint8Array(30_000).fill(1));
      large.append();
    }
    await large[Symbol.asyncDispose]();
    let asked = 0;
    const pause = (): Promise<void> => {
      asked += 1;
      return Promise.resolve();
    };
    await inspectLog({ disk, dir: "/wal", pause });
    expect(asked).toBeGreaterThan(6);
    const refuse = (): Promise<void> => Promise.reject(new Error("enough"));
    await expect(inspectLog({ disk, dir: "/wal", pause: refuse })).rejects.toThrow("enough");
  });

  test("of a newer version is refused rather than judged", async () => {
    const disk = await logOf({ batches: 3 });
    change(disk, "/wal/00000000", (bytes) => {
      bytes[8] = 9;
      writeU32(bytes, 3, crc32c(bytes, 7, 37));
      return bytes;
    });
    await expect(inspect(disk)).rejects.toMatchObject({ code: "UNSUPPORTED_VERSION" });
  });
});

describe("a report of damage", () => {
  test("calls the end of a log that was not closed torn where a write was interrupted, and knows no more", async () => {
    const disk = await logOf({ batches: 5, isClosed: false });
    change(disk, "/wal/00000000", (bytes) => bytes.slice(0, -5));
    const report = await inspect(disk);
    expect(report.segments).toMatchObject([{ ends: "torn", batches: 4, lastLsn: 4 }]);
    expect(report.damage).toMatchObject([
      {
        file: "/wal/00000000",
        lsnExpected: 5,
        lastLost: "unknown",
        isMendedAtOpen: true,
        ackedDataAffected: "unknown",
        segment: 0,
      },
    ]);
    expect(report).toMatchObject({ opens: true, isClosed: false, lastLsn: 4 });
    const { recovery } = await readBack(variant, disk);
    expect(recovery.lastLsn).toBe(4);
    expect(recovery.bytesCut).toBe(report.segments[0]!.bytes - report.segments[0]!.endsAt);
  });

  test("says where a batch that was durable is damaged, which are lost, and what lies before", async () => {
    const disk = await logOf({ batches: 40 });
    flip(disk, "/wal/00000001", 15_000);
    const report = await inspect(disk);
    const failure = await readBack(variant, disk).catch((error: unknown) => error);
    if (!isStorageError(failure, "WAL_CORRUPT")) throw failure;
    expect(report.damage).toHaveLength(1);
    const [damage] = report.damage;
    const { offset, lsnExpected, kind } = failure.facts;
    expect(damage).toMatchObject({ file: "/wal/00000001", segment: 1, offset, lsnExpected, kind });
    expect(damage).toMatchObject({ ackedDataAffected: true, isMendedAtOpen: false });
    expect(report).toMatchObject({ opens: false, lastLsn: 40, durableLsn: 40 });
    expect(report.beforeDamage.lastLsn).toBe(damage!.lsnExpected - 1);
    const salvaged = await told(disk, "salvage");
    expect(report.batches).toBe(salvaged.length);
    const lost = Array.from({ length: 40 }, (_, i) => i + 1).filter(
      (each) => !salvaged.includes(each),
    );
    expect([damage!.lsnExpected, damage!.lastLost]).toEqual([lost[0], lost.at(-1)]);
  });

  test("tells padding that is not zero from a batch that is lost", async () => {
    const disk = await logOf({ batches: 40 });
    const { endsAt, bytes } = (await inspect(disk)).segments[1]!;
    expect(bytes - endsAt).toBeGreaterThan(100);
    flip(disk, "/wal/00000001", bytes - 50);
    const report = await inspect(disk);
    expect(report.damage).toMatchObject([{ ackedDataAffected: false, isMendedAtOpen: false }]);
    expect(report.batches).toBe(40);
  });

  test("names missing segments, and those of another store", async () => {
    const disk = await logOf({ batches: 90 });
    disk.unlink("/wal/00000001");
    disk.unlink("/wal/00000002");
    const other = await logOf({ batches: 90, storeId: "ff".repeat(16) });
    change(disk, "/wal/00000004", () => readAll(other, "/wal/00000004"));
    const report = await inspect(disk);
    expect(report.damage.map((each) => each.message.replace(/^[^:]*: /, ""))).toEqual([
      expect.stringMatching(/^segments 00000001 to 00000002 are missing/),
      expect.stringMatching(/^the segment belongs to another store/),
    ]);
    expect(report.damage.map((each) => each.ackedDataAffected)).toEqual([true, true]);
    expect(report.segments.map((each) => each.ends)).toContain("foreign");
    expect(report.lastLsn).toBe(90);
  });

  test("lets an older checkpoint or whole segments stand in for a damaged one, and says when nothing does", async () => {
    const disk = await logOf({ batches: 40, checkpointAt: 30 });
    const name = disk.list("/wal").find((each) => each.startsWith("checkpoint"))!;
    flip(disk, `/wal/${name}/00000000`, 200);
    const report = await inspect(disk);
    expect(report).toMatchObject({ opens: false, beforeDamage: { batches: 0 } });
    expect(report.damage).toMatchObject([
      { kind: "crc", ackedDataAffected: true, isMendedAtOpen: false },
      { kind: "missing", ackedDataAffected: true, isMendedAtOpen: false },
    ]);
    const kept = await logOf({ batches: 10 });
    kept.makeDirectory("/wal/checkpoint.00000000");
    const stoodIn = await inspect(kept);
    expect(stoodIn).toMatchObject({ opens: true, batches: 10 });
    expect(stoodIn.damage).toMatchObject([
      { kind: "missing", ackedDataAffected: false, isMendedAtOpen: true },
    ]);
  });
});
