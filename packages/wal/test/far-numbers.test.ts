import { crc32c, writeU32, writeU64 } from "@varve/bytes";
import { readAll } from "@varve/disk/transfer";
import { describe, expect, test } from "vitest";
import { COMMIT_BYTES, END_BYTES, HEADER_BYTES } from "../src/internal/layout.ts";
import { change, inspect, logOf, RECORD_BYTES, variant } from "./damaged-log.ts";
import { appendNext, openWal, readBack, replay } from "./support.ts";

const SEGMENT = "/wal/00000000";
const BATCHES = 3;

/** A log whose last private record says a number that is no safe integer, under a checksum that is right. */
async function logWith(record: "commit" | "end", far: number, fieldAt: number) {
  const disk = await logOf({ batches: BATCHES, isClosed: record === "end" });
  const length = record === "end" ? END_BYTES : COMMIT_BYTES;
  change(disk, SEGMENT, (bytes) => {
    const until = bytes.findLastIndex((byte) => byte !== 0) + 1;
    const from = until - length;
    expect(bytes[from]).toBe(record === "end" ? 130 : 128);
    writeU64(bytes, from + fieldAt, far);
    writeU32(bytes, from - HEADER_BYTES + 3, crc32c(bytes, from, until));
    return bytes;
  });
  return disk;
}

const PLACES = [
  ["a commit record's number", "commit", 6, BATCHES - 1],
  ["a commit record's durable mark", "commit", 14, BATCHES - 1],
  ["an end record's number", "end", 1, BATCHES],
] as const;

describe.each(PLACES)("%s beyond the safe integers", (_, record, fieldAt, last) => {
  test.each([2 ** 53, 2 ** 62, 2 ** 64 - 2048])(
    "is damage to salvage, which does not go on from %d",
    async (far) => {
      const disk = await logWith(record, far, fieldAt);
      const { recovery, batches } = await readBack(variant, disk, "salvage");
      expect(recovery.lastLsn).toBe(last);
      expect([...batches.keys()]).toEqual(Array.from({ length: last }, (__, i) => i + 1));
      const wal = await openWal(variant, disk, { recovery: "salvage" });
      replay(wal);
      expect(appendNext(wal, RECORD_BYTES)).toBe(last + 1);
      await wal[Symbol.asyncDispose]();
    },
  );

  test("is told by inspection", async () => {
    const disk = await logWith(record, 2 ** 62, fieldAt);
    const before = readAll(disk, SEGMENT);
    const { damage, durableLsn } = await inspect(disk);
    expect(damage.length).toBeGreaterThan(0);
    expect(durableLsn).toBeLessThanOrEqual(BATCHES);
    expect(readAll(disk, SEGMENT)).toEqual(before);
  });
});
