import { certify, checked } from "@varve/conformance";
import { makeRandom } from "@varve/bytes";
import type { Lsn, WriteAheadLog } from "@varve/contracts";
import { simDisk } from "@varve/disk/sim";
import { expect, test } from "vitest";
import { syncWal } from "../src/sync.ts";
import { appendNext, checkBatches, openWal, put, replay } from "./support.ts";

certify(syncWal(), { test });
certify(syncWal({ kernel: false }), { test });
certify(checked(syncWal()), { test });

test("returns from append when the batch is durable", async () => {
  const disk = simDisk();
  const wal = await openWal(syncWal(), disk);
  replay(wal);
  for (let lsn = 1; lsn <= 5; lsn += 1) {
    expect(appendNext(wal)).toBe(lsn);
    expect([wal.written, wal.durable]).toEqual([lsn, lsn]);
    const found = await openWal(syncWal(), disk.image("nothing"));
    checkBatches(replay(found), 1, lsn);
    await found[Symbol.asyncDispose]();
  }
  await wal[Symbol.asyncDispose]();
});

test("takes one write and one sync a batch", async () => {
  const disk = simDisk();
  const wal = await openWal(syncWal(), disk);
  replay(wal);
  const writes = disk.count("write");
  const syncs = disk.count("datasync");
  for (let i = 0; i < 10; i += 1) appendNext(wal);
  expect(disk.count("write") - writes).toBe(10);
  expect(disk.count("datasync") - syncs).toBe(10);
  await wal[Symbol.asyncDispose]();
});

test("cuts back a batch of which the full disk took only a part", async () => {
  const disk = simDisk();
  const wal = await openWal(syncWal(), disk);
  replay(wal);
  appendNext(wal);
  let writes = 0;
  disk.fault = (_, operation) => {
    if (operation !== "write") return undefined;
    writes += 1;
    return writes === 1 ? 50_000 : "ENOSPC";
  };
  put(wal.buffer, new Uint8Array(60_000).fill(1));
  expect(() => wal.append()).toThrow(expect.objectContaining({ code: "STORAGE_FULL" }) as Error);
  disk.fault = undefined;
  expect(appendNext(wal)).toBe(2);
  await wal[Symbol.asyncDispose]();
  const again = await openWal(syncWal(), disk, { recovery: "strict" });
  checkBatches(replay(again), 1, 2);
  await again[Symbol.asyncDispose]();
});

test("refuses a size of segments that is no multiple of a page", () => {
  const needs = { dir: "/wal" };
  return expect(
    openWal(syncWal({ segmentBytesMax: 50_000 }), simDisk(), needs),
  ).rejects.toMatchObject({
    code: "LIMIT",
  });
});

test("agrees with a list over thousands of appends, checkpoints, truncations, closings and crashes", async () => {
  const seed = 20_240_607;
  const random = makeRandom(seed);
  const variant = syncWal({ segmentBytesMax: 32_768 });
  let disk = simDisk({ seed });
  let wal: WriteAheadLog = await openWal(variant, disk);
  replay(wal);
  let covered: Lsn = 0;
  for (let step = 0; step < 3000; step += 1) {
    const move = random.below(100);
    if (move < 93) {
      appendNext(wal, 1000);
    } else if (move < 95) {
      covered = Math.max(covered, wal.accepted - random.below(5));
      const lsn = covered;
      await wal.checkpoint((into) => {
        put(into, new Uint8Array([99, lsn & 255]));
        return false;
      }, lsn);
      if (random.chance(0.5)) await wal.truncateBefore(lsn + 1);
    } else {
      const last = wal.accepted;
      if (move < 98) await wal[Symbol.asyncDispose]();
      disk = disk.image(random.pick(["nothing", "subset", "prefix"] as const), random.word());
      wal = await openWal(variant, disk);
      const told = replay(wal);
      const kept = [...told.batches.entries()].find(([, records]) => records[0]?.[0] === 99);
      if (kept !== undefined) told.batches.delete(kept[0]);
      const from = kept === undefined ? 1 : kept[0] + 1;
      if (from - 1 > covered)
        throw new Error(`seed ${seed}, step ${step}: checkpoint of ${from - 1}`);
      checkBatches(told, from, last, 1000);
    }
  }
  await wal[Symbol.asyncDispose]();
});
