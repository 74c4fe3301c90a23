import { certify, checked } from "@varve/conformance";
import { simDisk } from "@varve/disk/sim";
import { expect, test, vi } from "vitest";
import { batchedWal } from "../src/batched.ts";
import { appendNext, checkBatches, openWal, put, readBack, replay } from "./support.ts";

certify(batchedWal(), { test });
certify(batchedWal({ kernel: false }), { test });
certify(checked(batchedWal()), { test });

test("writes a group when its bytes are full, and not before", async () => {
  const disk = simDisk();
  const wal = await openWal(batchedWal({ groupBytesMax: 10_000, delayMsMax: 60_000 }), disk);
  replay(wal);
  const writes = disk.count("write");
  for (let i = 0; i < 9; i += 1) {
    put(wal.buffer, new Uint8Array(1000));
    wal.append();
  }
  expect(disk.count("write")).toBe(writes);
  expect(wal.written).toBe(0);
  put(wal.buffer, new Uint8Array(1000));
  wal.append();
  expect(disk.count("write")).toBe(writes + 1);
  expect([wal.accepted, wal.written, wal.durable]).toEqual([10, 9, 0]);
  await wal[Symbol.asyncDispose]();
});

test("makes a batch durable after the delay, although nobody commits", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  try {
    const wal = await openWal(batchedWal({ delayMsMax: 5 }), simDisk());
    replay(wal);
    appendNext(wal);
    await vi.advanceTimersByTimeAsync(4);
    expect(wal.durable).toBe(0);
    await vi.advanceTimersByTimeAsync(1);
    expect(wal.durable).toBe(1);
    await wal[Symbol.asyncDispose]();
  } finally {
    vi.useRealTimers();
  }
});

test("commits of one turn of the event loop share a sync", async () => {
  const disk = simDisk();
  const wal = await openWal(batchedWal({ delayMsMax: 60_000 }), disk);
  replay(wal);
  const syncs = disk.count("datasync");
  const commits = [];
  for (let i = 0; i < 50; i += 1) {
    appendNext(wal);
    commits.push(wal.commit());
  }
  expect(await Promise.all(commits)).toEqual(commits.map(() => 50));
  expect(disk.count("datasync") - syncs).toBe(1);
  await wal[Symbol.asyncDispose]();
});

test("a batch that comes while a sync runs is not said to be durable by it", async () => {
  const wal = await openWal(batchedWal({ delayMsMax: 60_000 }), simDisk());
  replay(wal);
  appendNext(wal);
  const first = wal.commit();
  await new Promise((resolve) => setImmediate(resolve));
  appendNext(wal);
  const durable = await first;
  expect(durable).toBeGreaterThanOrEqual(1);
  expect(await wal.commit()).toBe(2);
  await wal[Symbol.asyncDispose]();
});

test("a group that outgrows its bytes by one large batch is written whole", async () => {
  const disk = simDisk();
  const variant = batchedWal({ groupBytesMax: 1000 });
  const wal = await openWal(variant, disk);
  replay(wal);
  for (let i = 0; i < 5; i += 1) appendNext(wal, 50_000);
  await wal[Symbol.asyncDispose]();
  checkBatches(await readBack(variant, disk), 1, 5, 50_000);
});
