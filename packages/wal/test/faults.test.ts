import { isStorageError, type Lsn, type Variant, type WriteAheadLog } from "@varve/contracts";
import { simDisk, type Operation, type SimDisk } from "@varve/disk/sim";
import { describe, expect, test } from "vitest";
import { asyncWal } from "../src/async.ts";
import { batchedWal } from "../src/batched.ts";
import { syncWal } from "../src/sync.ts";
import { appendNext, checkBatches, openWal, put, readBack, replay } from "./support.ts";

const SEGMENT = { segmentBytesMax: 32_768 };
const RECORD_BYTES = 3000;
const BATCHES = 16;

const VARIANTS: readonly (readonly [string, Variant<"wal">])[] = [
  ["sync", syncWal(SEGMENT)],
  ["batched", batchedWal({ ...SEGMENT, groupBytesMax: 8192, delayMsMax: 1000 })],
  [
    "async, written inline",
    asyncWal({
      ...SEGMENT,
      ringBytesMax: 32_768,
      groupBytesMax: 8192,
      delayMsMax: 1000,
      writer: "inline",
    }),
  ],
];

/** Fails the n-th call of an operation from now on. */
function failAt(disk: SimDisk, operation: Operation, number: number, errno: string): void {
  let calls = 0;
  disk.fault = (_, name) => {
    if (name !== operation) return undefined;
    calls += 1;
    return calls === number ? errno : undefined;
  };
}

interface Outcome {
  readonly wal: WriteAheadLog;
  durable: Lsn;
  /** Batches that were handed over, and not refused by a log that stays usable. */
  offered: Lsn;
  failures: unknown[];
}

/** Appends and commits, and goes on after every failure. */
async function drive(outcome: Outcome): Promise<void> {
  const { wal } = outcome;
  for (let i = 0; i < BATCHES; i += 1) {
    const next = wal.accepted + 1;
    try {
      appendNext(wal, RECORD_BYTES);
      outcome.offered = wal.accepted;
    } catch (error) {
      outcome.failures.push(error);
      if (!isStorageError(error, "STORAGE_FULL")) outcome.offered = Math.max(outcome.offered, next);
    }
    expect(wal.buffer.count).toBe(0);
    if (i % 4 !== 3) continue;
    try {
      await wal.commit();
    } catch (error) {
      outcome.failures.push(error);
    }
    outcome.durable = Math.max(outcome.durable, wal.durable);
  }
}

describe.each(VARIANTS)("%s", (_, variant) => {
  async function open(disk: SimDisk): Promise<Outcome> {
    const wal = await openWal(variant, disk);
    replay(wal);
    return { wal, durable: 0, offered: 0, failures: [] };
  }

  async function check(disk: SimDisk, { durable, offered }: Outcome, what: string): Promise<void> {
    for (const survival of ["nothing", "subset", "everything"] as const) {
      const found = await readBack(variant, disk.image(survival, 5));
      const { lastLsn } = found.recovery;
      checkBatches(found, 1, lastLsn, RECORD_BYTES);
      if (lastLsn < durable || lastLsn > offered) {
        throw new Error(`${what}, ${survival}: ${lastLsn} of ${durable}…${offered}`);
      }
    }
  }

  test("a full disk at any write refuses what it must, keeps what it accepted, and stays usable", async () => {
    for (let number = 1; ; number += 1) {
      const disk = simDisk({ seed: number });
      const outcome = await open(disk);
      failAt(disk, "write", number, "ENOSPC");
      const writes = disk.count("write");
      await drive(outcome);
      const isOver = disk.count("write") - writes < number;
      disk.fault = undefined;
      for (const failure of outcome.failures) {
        expect(isStorageError(failure, "STORAGE_FULL"), String(failure)).toBe(true);
      }
      const lsn = appendNext(outcome.wal, RECORD_BYTES);
      expect(await outcome.wal.commit()).toBe(lsn);
      outcome.durable = outcome.offered = lsn;
      await check(disk, outcome, `write ${number}`);
      await outcome.wal[Symbol.asyncDispose]();
      const closed = await readBack(variant, disk, "strict");
      checkBatches(closed, 1, lsn, RECORD_BYTES);
      if (isOver) return;
    }
  });

  test.each<[Operation, string]>([
    ["write", "EIO"],
    ["datasync", "EIO"],
    ["datasync", "ENOSPC"],
    ["syncDirectory", "EIO"],
    ["open", "EIO"],
  ])(
    "a failing %s (%s) at any call poisons the log, and loses nothing durable",
    async (operation, errno) => {
      for (let number = 1; ; number += 1) {
        const disk = simDisk({ seed: number });
        const outcome = await open(disk);
        failAt(disk, operation, number, errno);
        const before = disk.count(operation);
        await drive(outcome);
        if (disk.count(operation) - before < number) return;
        disk.fault = undefined;
        expect(outcome.failures.length).toBeGreaterThan(0);
        const syncs = disk.count("datasync");
        put(outcome.wal.buffer, new Uint8Array([1]));
        expect(() => outcome.wal.append()).toThrow(
          expect.objectContaining({ code: "POISONED" }) as Error,
        );
        await expect(outcome.wal.commit()).rejects.toMatchObject({ code: "POISONED" });
        await Promise.resolve(outcome.wal[Symbol.asyncDispose]()).catch(() => undefined);
        // Nothing is ever synced again: a second sync would succeed without the lost pages.
        expect(disk.count("datasync")).toBe(syncs);
        await check(disk, outcome, `${operation} ${number}`);
      }
    },
  );

  test("what a failed sync left in the cache is written again before it counts as durable", async () => {
    const disk = simDisk();
    const outcome = await open(disk);
    appendNext(outcome.wal, RECORD_BYTES);
    await outcome.wal.commit();
    failAt(disk, "datasync", 1, "EIO");
    try {
      appendNext(outcome.wal, RECORD_BYTES);
      await outcome.wal.commit();
    } catch {
      // Poisoned, as the tests above show.
    }
    disk.fault = undefined;
    await Promise.resolve(outcome.wal[Symbol.asyncDispose]()).catch(() => undefined);
    // The same boot: the cache still shows batch 2, the device does not hold it.
    const wal = await openWal(variant, disk);
    const told = replay(wal).recovery.lastLsn;
    const after = await readBack(variant, disk.image("nothing"));
    expect(after.recovery.lastLsn).toBe(told);
  });

  test("an end record that did not reach the disk is written once more", async () => {
    const disk = simDisk();
    const { wal } = await open(disk);
    appendNext(wal, RECORD_BYTES);
    await wal.commit();
    // The sync before the end record succeeds where it is done; the one of the end record fails, and all that follows.
    let hasEnd = false;
    disk.fault = (_, operation) => {
      if (operation === "write") hasEnd = true;
      return hasEnd && operation !== "write" && operation !== "close" ? "EIO" : undefined;
    };
    await Promise.resolve(wal[Symbol.asyncDispose]()).catch(() => undefined);
    expect(hasEnd).toBe(true);
    disk.fault = undefined;
    const next = await openWal(variant, disk);
    expect(replay(next).recovery.lastLsn).toBe(1);
    appendNext(next, RECORD_BYTES);
    const durable = await next.commit();
    for (const survival of ["nothing", "subset", "everything"] as const) {
      const found = await readBack(variant, disk.image(survival, 5));
      checkBatches(found, 1, durable, RECORD_BYTES);
    }
  });

  test("refuses a batch that no segment holds, and goes on", async () => {
    const { wal } = await open(simDisk());
    put(wal.buffer, new Uint8Array(40_000).fill(1));
    expect(() => wal.append()).toThrow(expect.objectContaining({ code: "LIMIT" }) as Error);
    expect(appendNext(wal)).toBe(1);
    await wal[Symbol.asyncDispose]();
  });

  test("refuses the types of records that are its own", async () => {
    const { wal } = await open(simDisk());
    for (const type of [128, 129, 130]) {
      put(wal.buffer, new Uint8Array([type, 1]));
      expect(() => wal.append()).toThrow(expect.objectContaining({ code: "INPUT" }) as Error);
    }
    put(wal.buffer, new Uint8Array([131]));
    expect(wal.append()).toBe(1);
    await wal[Symbol.asyncDispose]();
  });

  test("refuses everything once it is closed", async () => {
    const { wal } = await open(simDisk());
    appendNext(wal);
    await wal[Symbol.asyncDispose]();
    await wal[Symbol.asyncDispose]();
    put(wal.buffer, new Uint8Array([1]));
    expect(() => wal.append()).toThrow(expect.objectContaining({ code: "CLOSED" }) as Error);
    expect(wal.buffer.count).toBe(0);
    await expect(wal.commit()).rejects.toMatchObject({ code: "CLOSED" });
    await expect(wal.checkpoint(() => false, 1)).rejects.toMatchObject({ code: "CLOSED" });
  });

  test("a batch of nothing is not a batch", async () => {
    const { wal } = await open(simDisk());
    expect(wal.append()).toBe(0);
    appendNext(wal);
    expect(wal.append()).toBe(1);
    await wal[Symbol.asyncDispose]();
  });

  test("counts the bytes that its files hold", async () => {
    const disk = simDisk();
    const { wal } = await open(disk);
    for (let i = 0; i < 20; i += 1) appendNext(wal, RECORD_BYTES);
    await wal.commit();
    await wal.checkpoint(() => false, 12);
    await wal.truncateBefore(13);
    appendNext(wal, RECORD_BYTES);
    await wal.commit();
    const sizeBelow = (path: string): number => {
      if (disk.kind(path) === "directory") {
        return disk.list(path).reduce((sum, name) => sum + sizeBelow(`${path}/${name}`), 0);
      }
      const fd = disk.open(path, "read");
      const size = disk.size(fd);
      disk.close(fd);
      return size;
    };
    expect(wal.stats.bytesOnDisk).toBe(sizeBelow("/wal"));
    await wal[Symbol.asyncDispose]();
    const again = await openWal(variant, disk);
    replay(again);
    expect(again.stats.bytesOnDisk).toBe(sizeBelow("/wal"));
    await again[Symbol.asyncDispose]();
  });
});
