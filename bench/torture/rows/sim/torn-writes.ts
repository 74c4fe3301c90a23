import type { Random } from "@varve/bytes";
import type { Variant, WriteAheadLog } from "@varve/contracts";
import { simDisk, type SimDisk } from "@varve/disk/sim";
import { readAll, writeAll } from "@varve/disk/transfer";
import { asyncWal } from "@varve/wal/async";
import { batchedWal } from "@varve/wal/batched";
import { syncWal } from "@varve/wal/sync";
import { Broken, type Row, type TrialContext } from "../../row.ts";
import { check, openLog } from "./sim-wal.ts";
import { fillBatch } from "../content/wal-content.ts";

const SECTOR_BYTES = 512;
const SECTORS_MAX = 8;
const PAGE_BYTES = 32 * 1024;
const NEVER_MS = 2 ** 30;
const OPTIONS = {
  segmentBytesMax: 2 * PAGE_BYTES,
  /** So small that every batch is a write of its own. */
  groupBytesMax: 1,
  ringBytesMax: PAGE_BYTES,
  delayMsMax: NEVER_MS,
} as const;
const LOGS: readonly Variant<"wal">[] = [
  syncWal(OPTIONS),
  batchedWal(OPTIONS),
  asyncWal({ ...OPTIONS, writer: "inline" }),
];
/** What a sector holds that did not get its bytes: what it held before, zeros, or anything, twice. */
const FILLS = ["old", "zero", "garbage", "garbage"] as const;

/** Something that was written and not synced. */
interface Pending {
  readonly disk: SimDisk;
  readonly durable: number;
  readonly attempted: number;
}

/** Frames of each kind, as the last write before a power cut. */
const FRAMES: readonly (readonly [string, () => Promise<Pending>])[] = [
  ["a batch in the middle of a page", () => lastBatch(({ bytes }) => bytes > 2000 && bytes < 3500)],
  ["a small batch", () => lastBatch(({ bytes }) => bytes < 200)],
  ["a batch on two pages", () => lastBatch(({ pages }) => pages === 2)],
  ["a segment record", () => crashAtSync((wal) => wal.checkpoint(() => false, wal.accepted))],
  ["an end record", () => crashAtSync(async (wal) => wal[Symbol.asyncDispose](), 2)],
];

const TORN_ROW: Row = {
  id: "torn-frames-wal",
  title: `logs: every subset of the sectors of a frame, the others as they were, zero or garbage: ${FRAMES.map(([name]) => name).join(", ")}`,
  kind: "simulatedCrash",
  unit: "images",
  count: { pr: 1000, full: 2000 },
  trials: { pr: FRAMES.length, full: FRAMES.length },
  trialMs: 120_000,
  trial: tornFrame,
};

/** Splits of one frame: all in the full tier. */
const SPLIT_ROWS: readonly Row[] = LOGS.map((variant) => ({
  id: `short-io-wal-${variant.name}`,
  title: `${variant.name} log: a write and a read cut short at every byte of a frame`,
  kind: "ioError",
  unit: "splits",
  count: { pr: 100, full: 4000 },
  trials: { pr: 1, full: 16 },
  trialMs: 60_000,
  trial: (context) => splits(context, variant),
}));

export const TORN_ROWS: readonly Row[] = [TORN_ROW, ...SPLIT_ROWS];

async function tornFrame({ seed, random }: TrialContext): Promise<number> {
  const [, make] = FRAMES[(seed - 1) % FRAMES.length]!;
  const { disk, durable, attempted } = await make();
  const before = disk.image("nothing");
  const after = disk.image("everything");
  const { path, from, until } = changeOf(before, after);
  const first = Math.floor(from / SECTOR_BYTES);
  const sectors = Math.ceil(until / SECTOR_BYTES) - first;
  if (sectors > SECTORS_MAX) throw new Broken("wrong", `${path} has a frame of ${sectors} sectors`);
  const content = readAll(after, path);
  let count = 0;
  for (let kept = 0; kept < 2 ** sectors; kept += 1) {
    for (const fill of FILLS) {
      const image = before.image("everything");
      const bytes = oldBytes(before, path, content.length);
      for (let sector = 0; sector < sectors; sector += 1) {
        const at = Math.max(from, (first + sector) * SECTOR_BYTES);
        const end = Math.min(until, (first + sector + 1) * SECTOR_BYTES);
        if (((kept >>> sector) & 1) === 1) bytes.set(content.subarray(at, end), at);
        else if (fill !== "old") for (let i = at; i < end; i += 1) bytes[i] = drawn(fill, random);
      }
      replace(image, path, bytes);
      const known = { durable, attempted, checkpoint: attempted };
      await check(image, LOGS[count % LOGS.length]!, known);
      count += 1;
    }
  }
  return count;
}

function drawn(fill: "zero" | "garbage", random: Random): number {
  return fill === "zero" ? 0 : random.below(256);
}

/** A log whose last batch is as wanted: written, and not synced. */
async function lastBatch(
  isWanted: (frame: { readonly bytes: number; readonly pages: number }) => boolean,
): Promise<Pending> {
  const disk = emptyLog();
  const wal = await opened(disk, LOGS[1]!);
  for (let isFound = false; !isFound;) {
    await wal.commit();
    const { bytesOnDisk: at, framedBytes: before } = wal.stats;
    fillBatch(wal.buffer, wal.accepted + 1);
    wal.append();
    const bytes = wal.stats.framedBytes - before;
    const pages = 1 + Math.floor((at + bytes) / PAGE_BYTES) - Math.floor(at / PAGE_BYTES);
    isFound = isWanted({ bytes, pages }) && bytes <= (SECTORS_MAX - 1) * SECTOR_BYTES;
  }
  fillBatch(wal.buffer, wal.accepted + 1);
  wal.append(); // It writes the group before it, and is not written itself.
  return ended(disk, wal);
}

/** A log that does something, and the power that is cut before the sync of the number given. */
async function crashAtSync(
  act: (wal: WriteAheadLog) => Promise<void>,
  number = 1,
): Promise<Pending> {
  const disk = emptyLog();
  const wal = await opened(disk, LOGS[0]!);
  for (let lsn = 1; lsn <= 5; lsn += 1) {
    fillBatch(wal.buffer, lsn);
    wal.append();
  }
  const isEnd = number > 1;
  let syncs = 0;
  let isNew = isEnd;
  disk.fault = (_number, operation) => {
    if (operation === "open") isNew = true;
    if (operation !== "datasync" || !isNew) return undefined;
    syncs += 1;
    if (syncs < number) return undefined;
    disk.crash();
    return "EIO";
  };
  await act(wal).catch(() => undefined);
  return ended(disk, wal);
}

async function ended(disk: SimDisk, wal: WriteAheadLog): Promise<Pending> {
  const { durable, accepted } = wal;
  disk.crash();
  await Promise.resolve(wal[Symbol.asyncDispose]()).catch(() => undefined);
  return { disk, durable, attempted: accepted };
}

function emptyLog(): SimDisk {
  const disk = simDisk();
  disk.makeDirectory("/wal");
  disk.syncDirectory("/");
  return disk;
}

async function opened(disk: SimDisk, variant: Variant<"wal">): Promise<WriteAheadLog> {
  const wal = await openLog(disk, variant);
  wal.replay(() => undefined);
  return wal;
}

/** The bytes of the one segment that differ. */
function changeOf(
  before: SimDisk,
  after: SimDisk,
): { readonly path: string; readonly from: number; readonly until: number } {
  for (const name of after.list("/wal")) {
    const path = `/wal/${name}`;
    if (after.kind(path) !== "file") continue;
    const bytes = readAll(after, path);
    const old = before.kind(path) === "file" ? readAll(before, path) : new Uint8Array(0);
    if (old.length === bytes.length && old.every((byte, i) => byte === bytes[i])) continue;
    const from = bytes.findIndex((byte, i) => i >= old.length || byte !== old[i]);
    // Zeros at the end fill a page: nothing tells them from those that were there before.
    const until = 1 + bytes.findLastIndex((byte) => byte !== 0);
    return { path, from, until };
  }
  throw new Error("nothing was written");
}

/** What the file held before, made as long as it is to be. */
function oldBytes(before: SimDisk, path: string, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  if (before.kind(path) === "file") bytes.set(readAll(before, path));
  return bytes;
}

function replace(image: SimDisk, path: string, bytes: Uint8Array): void {
  if (image.kind(path) !== "none") image.unlink(path);
  const fd = image.open(path, "create");
  writeAll(image, fd, bytes, 0, bytes.length, 0);
  image.datasync(fd);
  image.close(fd);
  image.syncDirectory("/wal");
}

/** Cuts the write of one batch at every byte, and the first read of the opening after it. */
async function splits({ seed, tier }: TrialContext, variant: Variant<"wal">): Promise<number> {
  const step = tier === "pr" ? 97 : 16;
  let count = 0;
  for (let at = 1 + ((seed - 1) % step); ; at += step) {
    const disk = emptyLog();
    const wal = await opened(disk, variant);
    let isCut = false;
    disk.fault = (_number, operation) => {
      if (isCut || operation !== "write") return undefined;
      isCut = true;
      return at;
    };
    const before = wal.stats.bytesOnDisk;
    for (let lsn = 1; lsn <= 20; lsn += 1) fillBatch(wal.buffer, lsn); // All in one.
    const { count: records } = wal.buffer;
    wal.append();
    await wal.commit();
    const bytes = wal.stats.bytesOnDisk - before;
    await wal[Symbol.asyncDispose]();
    if (at >= bytes) return count;
    await readShort(disk.image("nothing"), variant, at, records);
    count += 2;
  }
}

async function readShort(
  disk: SimDisk,
  variant: Variant<"wal">,
  at: number,
  records: number,
): Promise<void> {
  let isCut = false;
  disk.fault = (_number, operation) => {
    if (isCut || operation !== "read") return undefined;
    isCut = true;
    return at;
  };
  const wal = await openLog(disk, variant);
  let told = 0;
  wal.replay(() => (told += 1));
  if (told !== records) throw new Broken("lost", `${told} of ${records} records, cut at ${at}`);
  await wal[Symbol.asyncDispose]();
}
