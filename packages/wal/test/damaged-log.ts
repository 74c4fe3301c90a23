import { makeRandom, type Random } from "@varve/bytes";
import type { Lsn } from "@varve/contracts";
import { simDisk, type SimDisk } from "@varve/disk/sim";
import { readAll, writeFileDurably } from "@varve/disk/transfer";
import { expect } from "vitest";
import {
  inspectLog,
  repairLog,
  type LogRepair,
  type LogReport,
  type RepairLogOptions,
} from "../src/inspect.ts";
import { syncWal } from "../src/sync.ts";
import { appendNext, openWal, put, readBack, recordsOf, replay, STORE_ID } from "./support.ts";

const PAGE = 32_768;
/** Small segments, so that short logs have several. */
export const variant = syncWal({ segmentBytesMax: PAGE });
export const RECORD_BYTES = 2000;
export const MODES = ["pointInTime", "salvage"] as const;
export const SEED = Number(process.env["VARVE_SEED"] ?? 2026);

export interface LogShape {
  readonly batches: number;
  readonly isClosed?: boolean;
  /** A checkpoint after so many batches, which deletes what it covers. */
  readonly checkpointAt?: Lsn;
  readonly storeId?: string;
}

/** A log of batches that are a function of their number, in segments of one page. */
export async function logOf(shape: LogShape): Promise<SimDisk> {
  const { batches, isClosed = true, checkpointAt = 0, storeId = STORE_ID } = shape;
  const disk = simDisk();
  const wal = await openWal(variant, disk, { storeId });
  replay(wal);
  for (let i = 1; i <= batches; i += 1) {
    appendNext(wal, RECORD_BYTES);
    if (i !== checkpointAt) continue;
    await wal.checkpoint((into) => {
      for (let at = 0; at < 50; at += 1) put(into, new Uint8Array(100).fill(77));
      return false;
    }, i);
    await wal.truncateBefore(i + 1);
  }
  if (isClosed) await wal[Symbol.asyncDispose]();
  return disk.image("everything", 1);
}

export function change(disk: SimDisk, path: string, edit: (bytes: Uint8Array) => Uint8Array): void {
  const bytes = edit(readAll(disk, path).slice());
  disk.unlink(path);
  writeFileDurably(disk, path, bytes);
}

export function flip(disk: SimDisk, path: string, at: number): void {
  change(disk, path, (bytes) => {
    bytes[at]! ^= 0x10;
    return bytes;
  });
}

/** Overwrites a whole file with noise. */
export function destroy(disk: SimDisk, path: string): void {
  const random = makeRandom(SEED);
  change(disk, path, (bytes) => bytes.map(() => random.below(256)));
}

export const inspect = (disk: SimDisk): Promise<LogReport> => inspectLog({ disk, dir: "/wal" });

export const repair = (
  disk: SimDisk,
  options: Partial<RepairLogOptions> = {},
): Promise<LogRepair> => repairLog({ disk, dir: "/wal", quarantineDir: "/quarantine", ...options });

/** Every file below a directory with its bytes. */
export function filesOf(disk: SimDisk, dir: string): Map<string, string> {
  const files = new Map<string, string>();
  for (const name of disk.list(dir)) {
    const path = `${dir === "/" ? "" : dir}/${name}`;
    if (disk.kind(path) === "file")
      files.set(path, Buffer.from(readAll(disk, path)).toString("hex"));
    else for (const [each, bytes] of filesOf(disk, path)) files.set(each, bytes);
  }
  return files;
}

/** Batches that recovery tells, with the checkpoint's own left out. */
export async function told(disk: SimDisk, mode: "strict" | "tail" | "salvage"): Promise<Lsn[]> {
  const found = await readBack(variant, disk, mode);
  const own = [...found.batches].filter(([, records]) => records.every((each) => each[0] !== 77));
  for (const [lsn, records] of own) {
    const wanted = recordsOf(lsn, RECORD_BYTES);
    expect(records.map((each) => Buffer.from(each).toString("hex"))).toEqual(
      wanted.map((each) => Buffer.from(each).toString("hex")),
    );
  }
  return own.map(([lsn]) => lsn);
}

/** Paths of a log's segments. */
export function segmentsOf(disk: SimDisk): string[] {
  return disk
    .list("/wal")
    .filter((name) => !name.startsWith("checkpoint"))
    .map((name) => `/wal/${name}`);
}

/** Removes, cuts, zeroes or flips something somewhere in a log. */
export function spoilAny(disk: SimDisk, random: Random): void {
  const path = random.pick([...filesOf(disk, "/wal").keys()]);
  const size = readAll(disk, path).length;
  const choice = random.below(10);
  if (choice === 0) disk.unlink(path);
  else if (choice === 1) change(disk, path, (bytes) => bytes.slice(0, random.below(size + 1)));
  else if (choice === 2) change(disk, path, (bytes) => bytes.fill(0, random.below(size + 1)));
  else flip(disk, path, random.below(Math.max(1, size)));
}
