import type { Disk } from "@varve/contracts";
import { overlayDisk } from "@varve/disk/overlay";
import { simDisk } from "@varve/disk/sim";
import { expect, test } from "vitest";
import { batchedWal } from "../src/batched.ts";
import { syncWal } from "../src/sync.ts";
import { appendNext, checkBatches, openWal, replay } from "./support.ts";

/** Counts what is written to a disk, in bytes. */
function countWrites(disk: Disk): { readonly bytes: number } {
  const written = { bytes: 0 };
  const write = disk.write.bind(disk);
  disk.write = (fd, bytes, from, length, position) => {
    const count = write(fd, bytes, from, length, position);
    written.bytes += count;
    return count;
  };
  return written;
}

test.each([
  ["between two batches", 0],
  ["within a write", 20],
])(
  "a log that its writer left %s is read above it without a copy of its bytes",
  async (_, torn) => {
    const base = simDisk();
    const writer = await openWal(syncWal(), base);
    replay(writer);
    for (let i = 0; i < 2000; i += 1) appendNext(writer);
    const fd = base.open("/wal/00000000", "update");
    const size = base.size(fd);
    base.truncate(fd, size - torn);
    const disk = overlayDisk(base);
    const written = countWrites(disk);
    await using beside = await openWal(batchedWal(), disk);
    checkBatches(replay(beside), 1, torn === 0 ? 2000 : 1999);
    expect(size).toBeGreaterThan(1_000_000);
    expect(written.bytes).toBeLessThan(2000); // The torn tail, set aside, and the first record of the next segment.
    expect(base.size(fd)).toBe(size - torn);
    base.close(fd);
  },
);
