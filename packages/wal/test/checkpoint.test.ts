import type { Disk, Variant } from "@varve/contracts";
import { simDisk } from "@varve/disk/sim";
import { describe, expect, test } from "vitest";
import { asyncWal } from "../src/async.ts";
import { batchedWal } from "../src/batched.ts";
import { syncWal } from "../src/sync.ts";
import { appendNext, checkBatches, openWal, put, readBack, replay } from "./support.ts";

const MEBIBYTE = 1024 * 1024;
/** Batches of about 19 kB. */
const RECORD_BYTES = 15_000;

function variants(segmentBytesMax: number): readonly (readonly [string, Variant<"wal">])[] {
  return [
    ["sync", syncWal({ segmentBytesMax })],
    ["batched", batchedWal({ segmentBytesMax, delayMsMax: 1000 })],
    ["async, written inline", asyncWal({ segmentBytesMax, delayMsMax: 1000, writer: "inline" })],
  ];
}

/** What a disk was asked for between two turns of the event loop, at most. */
class Watch {
  bytesMax = 0;
  /** Files removed while the caller waited. */
  unlinks = 0;
  readonly waits: string[] = [];
  #bytes = 0;
  #timer: NodeJS.Immediate | undefined;

  constructor(disk: Disk) {
    const [read, write] = [disk.read.bind(disk), disk.write.bind(disk)];
    const [open, unlink] = [disk.open.bind(disk), disk.unlink.bind(disk)];
    const datasync = disk.datasync.bind(disk);
    const syncDirectory = disk.syncDirectory.bind(disk);
    const paths = new Map<number, string>();
    disk.open = (path, mode) => {
      const fd = open(path, mode);
      paths.set(fd, path);
      return fd;
    };
    disk.read = (...args) => this.#moved(read(...args));
    disk.write = (...args) => this.#moved(write(...args));
    disk.unlink = (path) => {
      this.unlinks += 1;
      unlink(path);
    };
    // Past the one above, as a real disk's goes past its own.
    disk.unlinkAsync = async (path) => unlink(path);
    disk.datasync = (fd) => {
      this.waits.push(paths.get(fd) ?? "");
      datasync(fd);
    };
    disk.syncDirectory = (path) => {
      this.waits.push(path);
      syncDirectory(path);
    };
  }

  start(): void {
    this.bytesMax = 0;
    this.unlinks = 0;
    this.waits.length = 0;
    const tick = (): void => {
      this.#bytes = 0;
      this.#timer = setImmediate(tick);
    };
    tick();
  }

  stop(): void {
    clearImmediate(this.#timer);
  }

  #moved(bytes: number): number {
    this.#bytes += bytes;
    this.bytesMax = Math.max(this.bytesMax, this.#bytes);
    return bytes;
  }
}

/** Calls of `fill` that leave 64 records of 4 kB each. */
function filler(calls: number): Parameters<Awaited<ReturnType<typeof openWal>>["checkpoint"]>[0] {
  let call = 0;
  return (into) => {
    for (let i = 0; i < 64; i += 1) put(into, new Uint8Array(4096).fill(77));
    call += 1;
    return call < calls;
  };
}

describe.each(variants(16 * MEBIBYTE))("a checkpoint of a %s log", (_, variant) => {
  test("lets the event loop turn several times a mebibyte, and waits for no sync of its own", async () => {
    const disk = simDisk();
    const watch = new Watch(disk);
    const wal = await openWal(variant, disk);
    replay(wal);
    for (let i = 0; i < 400; i += 1) appendNext(wal, RECORD_BYTES);
    await wal.commit();
    watch.start();
    await wal.checkpoint(filler(12), 5);
    await wal.truncateBefore(6);
    watch.stop();
    // A slice, what was read ahead for it, and what was framed and not yet written.
    expect(watch.bytesMax).toBeLessThan(1.25 * MEBIBYTE);
    // Only the segment that had to end: its own sync, and those of the next one's content and name.
    expect(watch.waits).toEqual(["/wal/00000000", "/wal/00000001", "/wal"]);
    await wal[Symbol.asyncDispose]();
    const found = await readBack(variant, disk.image("nothing"));
    expect(found.batches.get(5)).toHaveLength(12 * 64);
    found.batches.delete(5);
    checkBatches(found, 6, 400, RECORD_BYTES);
  });
});

describe.each(variants(4 * 32_768))("upkeep of a %s log", (_, variant) => {
  test("deletes files beside the caller, and keeps what a truncation right after a checkpoint must keep", async () => {
    const disk = simDisk();
    const watch = new Watch(disk);
    const wal = await openWal(variant, disk);
    replay(wal);
    for (let i = 0; i < 60; i += 1) appendNext(wal, RECORD_BYTES);
    await wal.checkpoint(filler(1), 10);
    await wal.commit();
    expect(disk.kind("/wal/00000003")).toBe("file");
    watch.start();
    const checkpoint = wal.checkpoint(filler(1), 55);
    const truncation = wal.truncateBefore(56);
    for (let i = 0; i < 20; i += 1) appendNext(wal, RECORD_BYTES);
    await Promise.all([checkpoint, truncation]);
    watch.stop();
    expect(watch.unlinks).toBe(0);
    for (let i = 0; i < 4; i += 1) expect(disk.kind(`/wal/0000000${i}`)).toBe("none");
    await wal[Symbol.asyncDispose]();
    const found = await readBack(variant, disk.image("nothing"), "strict");
    expect(found.batches.get(55)).toHaveLength(64);
    found.batches.delete(55);
    checkBatches(found, 56, 80, RECORD_BYTES);
  });

  test("counts the bytes on disk right, although segments roll meanwhile", async () => {
    const disk = simDisk();
    const wal = await openWal(variant, disk);
    replay(wal);
    for (let i = 0; i < 40; i += 1) appendNext(wal, RECORD_BYTES);
    let call = 0;
    await wal.checkpoint((into) => {
      // Between the slices of a checkpoint, as between those of any upkeep, others append.
      setImmediate(() => appendNext(wal, RECORD_BYTES));
      put(into, new Uint8Array(200_000).fill(77));
      call += 1;
      return call < 30;
    }, 40);
    const truncation = wal.truncateBefore(41);
    for (let i = 0; i < 20; i += 1) setImmediate(() => appendNext(wal, RECORD_BYTES));
    await truncation;
    await wal.commit();
    const sizes = disk.list("/wal").map((name) => {
      const path = name.startsWith("checkpoint.") ? `/wal/${name}/00000000` : `/wal/${name}`;
      const fd = disk.open(path, "read");
      const size = disk.size(fd);
      disk.close(fd);
      return size;
    });
    expect(wal.stats.bytesOnDisk).toBe(sizes.reduce((sum, size) => sum + size, 0));
    await wal[Symbol.asyncDispose]();
  });

  test("deletes nothing for a checkpoint whose name may not stay, and writes none after it", async () => {
    const disk = simDisk();
    const wal = await openWal(variant, disk);
    replay(wal);
    for (let i = 0; i < 40; i += 1) appendNext(wal, RECORD_BYTES);
    await wal.commit();
    let isRenamed = false;
    disk.fault = (_number, operation, path) => {
      isRenamed ||= operation === "rename";
      return isRenamed && operation === "syncDirectory" && path === "/wal" ? "EIO" : undefined;
    };
    const first = wal.checkpoint(filler(1), 40);
    await expect(first).rejects.toMatchObject({ code: "WAL_SYNC" });
    disk.fault = undefined;
    await expect(wal.checkpoint(filler(1), 40)).rejects.toMatchObject({ code: "POISONED" });
    await expect(wal.truncateBefore(41)).rejects.toMatchObject({ code: "POISONED" });
    expect(disk.list("/wal")).toContain("00000000");
    appendNext(wal, RECORD_BYTES); // Appending is not concerned.
    await wal.commit();
    await wal[Symbol.asyncDispose]();
    checkBatches(await readBack(variant, disk.image("nothing"), "strict"), 1, 41, RECORD_BYTES);
  });
});
