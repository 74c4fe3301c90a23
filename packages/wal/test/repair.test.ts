import { makeRandom } from "@varve/bytes";
import { type StorageError } from "@varve/contracts";
import { type SimDisk } from "@varve/disk/sim";
import { readAll } from "@varve/disk/transfer";
import { describe, expect, test } from "vitest";
import { inspectLog, planLogRepair } from "../src/inspect.ts";
import {
  change,
  destroy,
  filesOf,
  flip,
  inspect,
  logOf,
  MODES,
  RECORD_BYTES,
  repair,
  SEED,
  segmentsOf,
  spoilAny,
  told,
  variant,
  type LogShape,
} from "./damaged-log.ts";
import { appendNext, checkBatches, openWal, readBack, replay, STORE_ID } from "./support.ts";

describe("a repair", () => {
  test("leaves a sound log alone", async () => {
    const disk = await logOf({ batches: 5 });
    const before = filesOf(disk, "/");
    const { steps, quarantined, after } = await repair(disk);
    expect([steps, quarantined, after.opens]).toEqual([[], [], true]);
    expect(filesOf(disk, "/")).toEqual(before);
  });

  test.each(MODES)("cuts a torn tail in the mode %s, and closes the log", async (mode) => {
    const disk = await logOf({ batches: 5, isClosed: false });
    change(disk, "/wal/00000000", (bytes) => bytes.slice(0, -5));
    const plan = planLogRepair(await inspect(disk));
    expect(plan).toMatchObject({ isNeeded: false, [mode]: { lastLsn: 4, batches: 4 } });
    const { after, quarantined, steps } = await repair(disk, { mode });
    expect(after).toMatchObject({ damage: [], isClosed: true, lastLsn: 4 });
    expect(quarantined).toHaveLength(1);
    expect(steps).toEqual(["The torn tail is cut off, after a copy."]);
    expect(await told(disk, "strict")).toEqual([1, 2, 3, 4]);
  });

  test("by salvage keeps every whole batch under its number, in a log that opens in every mode", async () => {
    const disk = await logOf({ batches: 40 });
    flip(disk, "/wal/00000001", 15_000);
    flip(disk, "/wal/00000002", 9000);
    const wanted = await told(disk.image("everything", 1), "salvage");
    const damaged = [1, 2].map((i) => readAll(disk, `/wal/0000000${i}`));
    const { before, after, quarantined } = await repair(disk);
    expect(after).toMatchObject({ damage: [], opens: true, isClosed: true, lastLsn: 40 });
    // The batches that were lost are empty ones now.
    expect(after.batches).toBe(40);
    expect(after.records).toBe(before.records);
    expect(disk.list("/wal")).toContain("checkpoint.00000002");
    expect(await told(disk, "strict")).toEqual(wanted);
    const kept = quarantined.map((path) => readAll(disk, path));
    for (const bytes of damaged) expect(kept).toContainEqual(bytes);
    // It is a log like any other.
    const wal = await openWal(variant, disk);
    replay(wal);
    expect(appendNext(wal, RECORD_BYTES)).toBe(41);
    await wal.checkpoint(() => false, 41);
    await wal.truncateBefore(42);
    await wal[Symbol.asyncDispose]();
    expect((await readBack(variant, disk, "strict")).recovery.lastLsn).toBe(41);
  });

  test("by pointInTime keeps what lies before the damage, and copies all that it cuts", async () => {
    const disk = await logOf({ batches: 40 });
    flip(disk, "/wal/00000001", 15_000);
    const segments = disk.list("/wal").length;
    const damaged = readAll(disk, "/wal/00000001");
    const report = await inspect(disk);
    const plan = planLogRepair(report);
    const { after, quarantined, steps } = await repair(disk, { mode: "pointInTime" });
    expect(after).toMatchObject({ damage: [], lastLsn: plan.pointInTime.lastLsn });
    expect(after.batches).toBe(plan.pointInTime.batches);
    expect(plan.pointInTime.batchesDropped).toBe(report.batches - after.batches);
    expect(quarantined).toHaveLength(segments - 1);
    expect(steps).toHaveLength(2);
    const cut = damaged.subarray(
      readAll(disk, "/wal/00000001").findLastIndex((each) => each > 0) + 1,
    );
    expect(quarantined.map((path) => readAll(disk, path))).toContainEqual(cut.slice());
    const lsns = await told(disk, "strict");
    expect(lsns).toEqual(Array.from({ length: after.lastLsn }, (_, i) => i + 1));
  });

  test("keeps the records of a damaged checkpoint that precede the damage, when nothing stands in", async () => {
    const disk = await logOf({ batches: 40, checkpointAt: 30 });
    const name = disk.list("/wal").find((each) => each.startsWith("checkpoint"))!;
    flip(disk, `/wal/${name}/00000000`, 37 + 107 * 20 + 50); // In the record after twenty.
    await expect(readBack(variant, disk)).rejects.toMatchObject({ code: "WAL_CORRUPT" });
    const { after, quarantined } = await repair(disk);
    expect(after).toMatchObject({ damage: [], firstLsn: 30, lastLsn: 40, batches: 11 });
    expect(quarantined.some((path) => path.endsWith(name))).toBe(true);
    const found = await readBack(variant, disk, "strict");
    expect(found.batches.get(30)).toHaveLength(20);
    found.batches.delete(30);
    checkBatches(found, 31, 40, RECORD_BYTES);
  });

  test.each(MODES)(
    "mends a missing end, segments that are missing or foreign, by %s",
    async (mode) => {
      const spoil: ((disk: SimDisk) => Promise<void> | void)[] = [
        (disk) => disk.unlink("/wal/00000000"),
        (disk) => disk.unlink("/wal/00000002"),
        async (disk) => {
          const other = await logOf({ batches: 60, storeId: "ff".repeat(16) });
          change(disk, "/wal/00000002", () => readAll(other, "/wal/00000002"));
        },
        (disk) => destroy(disk, "/wal/00000000"),
        (disk) =>
          destroy(
            disk,
            disk
              .list("/wal")
              .map((name) => `/wal/${name}`)
              .at(-1)!,
          ),
        (disk) => change(disk, "/wal/00000001", () => new Uint8Array(0)),
        (disk) => change(disk, "/wal/00000001", (bytes) => bytes.slice(0, 20_000)),
      ];
      for (const [i, each] of spoil.entries()) {
        const disk = await logOf({ batches: 60 });
        await each(disk);
        const salvaged = await inspect(disk);
        const { after } = await repair(disk, { mode, storeId: STORE_ID });
        expect(after, `${i}`).toMatchObject({ damage: [], opens: true, isClosed: true });
        if (mode === "salvage") expect(after.lastLsn, `${i}`).toBe(salvaged.lastLsn);
        if (mode === "salvage") expect(after.records, `${i}`).toBe(salvaged.records);
        await told(disk, "strict");
      }
    },
  );

  test("begins the segment that has to follow a checkpoint, and changes nothing else", async () => {
    const disk = await logOf({ batches: 30, checkpointAt: 30 });
    for (const name of disk.list("/wal")) {
      if (!name.startsWith("checkpoint")) disk.unlink(`/wal/${name}`);
    }
    await expect(readBack(variant, disk)).rejects.toMatchObject({ code: "WAL_CORRUPT" });
    const { after, quarantined } = await repair(disk);
    expect(after).toMatchObject({ damage: [], lastLsn: 30, records: 50 });
    expect(quarantined).toEqual([]);
  });

  test("that is dry tells the same and changes nothing", async () => {
    for (const mode of MODES) {
      const disk = await logOf({ batches: 40 });
      flip(disk, "/wal/00000001", 15_000);
      const before = filesOf(disk, "/");
      const dry = await repair(disk, { mode, dryRun: true });
      expect(filesOf(disk, "/")).toEqual(before);
      const real = await repair(disk, { mode });
      expect(dry.dryRun).toBe(true);
      expect(dry.steps).toEqual(real.steps);
      expect(dry.after).toEqual(real.after);
      expect(dry.quarantined).toHaveLength(real.quarantined.length);
    }
  });

  test("asks for the store's id where no file tells it", async () => {
    const disk = await logOf({ batches: 3 });
    destroy(disk, "/wal/00000000");
    const before = filesOf(disk, "/");
    const failure = await repair(disk).catch((error: unknown) => error as StorageError);
    expect(failure).toMatchObject({ code: "INPUT", facts: { path: "/wal" } });
    expect(filesOf(disk, "/")).toEqual(before);
    const { after } = await repair(disk, { storeId: STORE_ID });
    expect(after).toMatchObject({ opens: true, batches: 0, isClosed: true });
  });

  test.each(MODES)("by %s can crash anywhere: run again, it keeps the same", async (mode) => {
    const start = await logOf({ batches: 40, checkpointAt: 10 });
    const segments = segmentsOf(start);
    flip(start, segments[1]!, 15_000);
    flip(start, segments[2]!, 9000);
    const whole = start.image("everything", 1);
    const { after: wanted } = await repair(whole, { mode });
    const { operations } = whole;
    for (let crashAt = 1; crashAt < operations; crashAt += 5) {
      const disk = start.image("everything", 1);
      disk.crashAt = crashAt;
      await repair(disk, { mode }).catch((error: unknown) => {
        if (!disk.crashed) throw error;
      });
      for (const survival of ["nothing", "prefix", "subset"] as const) {
        const image = disk.image(survival, crashAt);
        const { after } = await repair(image, { mode });
        const what = `${survival} at ${crashAt}`;
        expect(after, what).toMatchObject({ opens: true, lastLsn: wanted.lastLsn });
        expect(after.records, what).toBe(wanted.records);
        await told(image, "tail");
      }
    }
  });
});

describe("logs with random damage", () => {
  test(`are reported as recovery judges them, and repaired so that all sound batches stay (seed ${SEED})`, async () => {
    const shapes: LogShape[] = [
      { batches: 30 },
      { batches: 30, isClosed: false },
      { batches: 30, checkpointAt: 14 },
    ];
    const logs = await Promise.all(shapes.map(logOf));
    const random = makeRandom(SEED);
    for (let round = 0; round < 120; round += 1) {
      const disk = random.pick(logs).image("everything", 1);
      for (let i = random.below(3); i >= 0; i -= 1) spoilAny(disk, random);
      const what = `round ${round}`;
      const report = await inspectLog({ disk, dir: "/wal", storeId: STORE_ID });
      const opened = await readBack(variant, disk.image("everything", 1)).then(
        ({ recovery }) => recovery,
        (error: unknown) => error as StorageError,
      );
      if (opened instanceof Error) expect(opened.message, what).toMatch(/corrupt|batch|checkpoint/);
      expect(report.opens, `${what}: ${JSON.stringify(opened)}`).toBe(!(opened instanceof Error));
      if (!(opened instanceof Error)) expect(report.lastLsn, what).toBe(opened.lastLsn);
      const salvaged = await told(disk.image("everything", 1), "salvage");
      for (const mode of MODES) {
        const image = disk.image("everything", 1);
        const { after } = await repair(image, { mode, storeId: STORE_ID });
        expect(after.opens, what).toBe(true);
        const kept = await told(image, "tail");
        if (mode === "salvage") expect(kept, what).toEqual(expect.arrayContaining(salvaged));
        else expect(after.lastLsn, what).toBe(planLogRepair(report).pointInTime.lastLsn);
      }
    }
  });
});
