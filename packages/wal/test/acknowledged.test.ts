import { isStorageError } from "@varve/contracts";
import { simDisk, type SimDisk } from "@varve/disk/sim";
import { readAll, writeFileDurably } from "@varve/disk/transfer";
import { expect, test } from "vitest";
import { batchedWal } from "../src/batched.ts";
import { appendNext, openWal, readBack, replay } from "./support.ts";

/** Without a sync between batches no commit record says that another one is durable. */
const variant = batchedWal({ segmentBytesMax: 32_768, delayMsMax: 2 ** 30 });
const SEGMENTS = ["/wal/00000000", "/wal/00000001", "/wal/00000002"] as const;

/** Three segments, each begun when the one before was full. */
async function threeSegments(): Promise<SimDisk> {
  const disk = simDisk();
  const wal = await openWal(variant, disk);
  replay(wal);
  while (disk.list("/wal").length < SEGMENTS.length) appendNext(wal, 2000);
  await wal.commit();
  await wal[Symbol.asyncDispose]();
  return disk;
}

async function refusal(disk: SimDisk): Promise<unknown> {
  const error: unknown = await readBack(variant, disk).catch((cause: unknown) => cause);
  if (!isStorageError(error, "WAL_CORRUPT")) throw error;
  return error.facts["ackedDataAffected"];
}

test("damage to the last batch of a segment was acknowledged where another segment follows", async () => {
  const disk = await threeSegments();
  const bytes = readAll(disk, SEGMENTS[0]);
  bytes[bytes.findLastIndex((byte) => byte !== 0) - 1000]! ^= 1;
  writeFileDurably(disk, SEGMENTS[0], bytes);
  expect(await refusal(disk)).toBe(true);
});

test("a segment that was cut within a batch held acknowledged ones where another follows", async () => {
  const disk = await threeSegments();
  writeFileDurably(disk, SEGMENTS[1], readAll(disk, SEGMENTS[1]).slice(0, 5000));
  expect(await refusal(disk)).toBe(true);
});

test("a missing segment held acknowledged batches where another follows", async () => {
  const disk = await threeSegments();
  disk.unlink(SEGMENTS[1]);
  expect(await refusal(disk)).toBe(true);
});

test("nothing is said of what was acknowledged where no later segment can be read", async () => {
  const disk = await threeSegments();
  const bytes = readAll(disk, SEGMENTS[0]);
  bytes[bytes.findLastIndex((byte) => byte !== 0) - 1000]! ^= 1;
  writeFileDurably(disk, SEGMENTS[0], bytes);
  for (const later of [SEGMENTS[1], SEGMENTS[2]])
    writeFileDurably(disk, later, new Uint8Array(100));
  expect(await refusal(disk)).toBe("unknown");
});
