import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { certify, checked } from "@varve/conformance";
import { reserveMemory } from "@varve/bytes";
import { nodeDisk } from "@varve/disk/node";
import { simDisk } from "@varve/disk/sim";
import { describe, expect, onTestFinished, test } from "vitest";
import { asyncWal } from "../src/async.ts";
import { workerDriver } from "../src/internal/ring-driver.ts";
import { Ring, RingConsumer, RingProducer, takeRing } from "../src/internal/ring.ts";
import {
  appendNext,
  checkBatches,
  memory,
  needsOf,
  openWal,
  put,
  readBack,
  replay,
  STORE_ID,
} from "./support.ts";

certify(asyncWal(), { test });
certify(checked(asyncWal()), { test });

const small = {
  ringBytesMax: 4096,
  groupBytesMax: 2 ** 20,
  delayMsMax: 60_000,
  segmentBytesMax: 2 ** 20,
};

function place(): { readonly dir: string; readonly quarantineDir: string } {
  const path = mkdtempSync(join(tmpdir(), "varve-wal-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return { dir: join(path, "wal"), quarantineDir: join(path, "q") };
}

describe("a full ring", () => {
  test("makes append wait, and loses nothing", async () => {
    const disk = simDisk();
    const variant = asyncWal({ ...small, writer: "inline" });
    const wal = await openWal(variant, disk);
    replay(wal);
    for (let i = 0; i < 200; i += 1) appendNext(wal);
    expect(wal.stats.stalls).toBeGreaterThan(5);
    await wal[Symbol.asyncDispose]();
    checkBatches(await readBack(variant, disk), 1, 200);
  });

  test("makes append refuse with WAL_BACKLOG where asked, and nothing of the batch is kept", async () => {
    const disk = simDisk();
    const variant = asyncWal({ ...small, writer: "inline", onFull: "reject" });
    const wal = await openWal(variant, disk);
    replay(wal);
    let refused = 0;
    for (let i = 0; i < 100; i += 1) {
      const before = wal.accepted;
      try {
        appendNext(wal);
      } catch (error) {
        expect(error).toMatchObject({ code: "WAL_BACKLOG" });
        expect(wal.accepted).toBe(before);
        refused += 1;
        await wal.commit(); // Makes room.
      }
    }
    expect(refused).toBeGreaterThan(3);
    const last = wal.accepted;
    await wal[Symbol.asyncDispose]();
    checkBatches(await readBack(variant, disk), 1, last);
  });

  test("refuses a batch that it could never hold", async () => {
    const wal = await openWal(asyncWal({ ...small, writer: "inline" }), simDisk());
    replay(wal);
    put(wal.buffer, new Uint8Array(3000));
    expect(() => wal.append()).toThrow(expect.objectContaining({ code: "LIMIT" }) as Error);
    await wal[Symbol.asyncDispose]();
  });
});

test("an append is accepted before it is written, and commit makes it durable", async () => {
  const wal = await openWal(asyncWal({ writer: "inline", delayMsMax: 60_000 }), simDisk());
  replay(wal);
  appendNext(wal);
  expect([wal.accepted, wal.written, wal.durable]).toEqual([1, 0, 0]);
  expect(await wal.commit()).toBe(1);
  expect([wal.accepted, wal.written, wal.durable]).toEqual([1, 1, 1]);
  await wal[Symbol.asyncDispose]();
});

test("many commits at once share a sync", async () => {
  const disk = simDisk();
  const wal = await openWal(asyncWal({ writer: "inline", delayMsMax: 60_000 }), disk);
  replay(wal);
  const syncs = disk.count("datasync");
  const commits = [];
  for (let i = 0; i < 100; i += 1) {
    appendNext(wal);
    commits.push(wal.commit());
  }
  await Promise.all(commits);
  expect(disk.count("datasync") - syncs).toBe(1);
  await wal[Symbol.asyncDispose]();
});

test("a worker whose directory disappears poisons the log with what happened", async () => {
  const needs = place();
  const wal = await openWal(asyncWal({ segmentBytesMax: 32_768 }), nodeDisk(), needs);
  replay(wal);
  appendNext(wal);
  await wal.commit();
  rmSync(needs.dir, { recursive: true });
  for (let i = 0; i < 8; i += 1) {
    put(wal.buffer, new Uint8Array(20_000).fill(1));
    try {
      wal.append();
    } catch {
      break;
    }
  }
  await expect(wal.commit()).rejects.toThrow();
  put(wal.buffer, new Uint8Array([1]));
  expect(() => wal.append()).toThrow(expect.objectContaining({ code: "POISONED" }) as Error);
  await wal[Symbol.asyncDispose]();
});

test("a writer without a sign of life is given up with WAL_WORKER_LOST", async () => {
  const { dir } = place();
  // The worker works on a ring of its own: the one that we look at stays silent.
  const other = reserveMemory({ bytesMax: 2 ** 20 });
  const ring = new Ring(memory().wasm.buffer, takeRing(memory(), 4096));
  const driver = await workerDriver(
    { ring, groupBytesMax: 1000, lostMsMax: 50, onProgress: () => undefined },
    {
      memory: other.wasm,
      place: takeRing(other, 4096),
      dir,
      storeId: new Uint8Array(Buffer.from(STORE_ID, "hex")),
      segmentBytesMax: 32_768,
      groupBytesMax: 1000,
      delayMsMax: 10,
    },
  );
  expect(() => driver.block()).toThrow(
    expect.objectContaining({ code: "WAL_WORKER_LOST" }) as Error,
  );
  await driver.close();
});

test("a writer that fails by a mistake of its own tells WAL_WORKER_LOST, not the disk's failure", () => {
  const place = takeRing(memory(), 1024);
  new Ring(memory().wasm.buffer, place).tell(new TypeError("nothing has no length"));
  const told = new Ring(memory().wasm.buffer, place).told();
  expect(told).toMatchObject({ code: "WAL_WORKER_LOST" });
  expect(told.message).toMatch(/writer failed: nothing has no length; .* reopen the store$/);
});

test("takes the caller's thread for a disk that a worker cannot see, and gives the ring back", async () => {
  const needs = needsOf(simDisk());
  const before = needs.memory.bytesTaken;
  const wal = await asyncWal().open(needs);
  expect(needs.memory.bytesTaken).toBeGreaterThan(before);
  wal.replay(() => undefined);
  appendNext(wal);
  await wal[Symbol.asyncDispose]();
  expect(needs.memory.bytesTaken).toBe(before);
});

test("the ring tells every batch once and in order, for all interleavings of three batches", () => {
  const slots = takeRing(memory(), 1024);
  // Each schedule is a number: its bits say who moves, the producer (1) or the consumer (0).
  for (let schedule = 0; schedule < 2 ** 10; schedule += 1) {
    const ring = new Ring(memory().wasm.buffer, slots);
    ring.control.fill(0);
    const producer = new RingProducer(ring);
    const consumer = new RingConsumer(ring);
    const told: number[] = [];
    let next = 1;
    for (let move = 0; move < 10; move += 1) {
      if ((schedule >> move) & 1) {
        // Two of these fill the ring, so that wrapping and refusing happen.
        const bytes = new Uint8Array(460).fill(next);
        if (next <= 3 && producer.push(bytes, Uint32Array.of(460), 1)) next += 1;
      } else if (consumer.peek()) {
        expect(consumer.length).toBe(460);
        told.push(ring.bytes[consumer.base]!, ring.bytes[consumer.base + 459]!);
        consumer.take();
      }
    }
    const wanted = [1, 1, 2, 2, 3, 3].slice(0, told.length);
    expect(told).toEqual(wanted);
    expect(told.length).toBeLessThanOrEqual(2 * (next - 1));
  }
});
