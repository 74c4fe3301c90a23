import {
  isStorageError,
  LABEL_LIMITS,
  StorageError,
  type Disk,
  type DiskLock,
} from "@varve/contracts";
import { nodeDisk } from "@varve/disk/node";
import { overlayDisk } from "@varve/disk/overlay";
import { removeTree } from "@varve/disk/transfer";
import { join, resolve } from "node:path";
import { MEMORY_BYTES_MAX } from "@varve/bytes";
import { Engine } from "./engine.ts";
import { IdleSeries } from "./idle-series.ts";
import { Maintenance } from "./maintenance.ts";
import type { EngineOptions, FullOptions } from "./options.ts";
import { openParts } from "./parts.ts";
import { PinCount } from "./pin-count.ts";
import { checkPlan } from "./plan.ts";
import { RefSet } from "./ref-set.ts";
import { replay } from "./replay.ts";
import { readFormat, settleFormat, type StoreFormat } from "./store-format.ts";
import { PhaseClock } from "./timing.ts";
import { Writer } from "./writer.ts";

/** Share of the memory that the allocator's regions may take, unless an option says otherwise. */
const ALLOCATOR_SHARE = 0.75;

/** What a listing that is too old meets: a name that went, or one that came back. */
const OLD = new Set<unknown>(["ENOENT", "ENOTEMPTY"]);

/** Openings beside another that are tried before a file that went meanwhile counts as missing. */
const TRIES = 5;

/**
 * Opens a data directory, or makes one: takes the lock, opens the plan's parts, replays the log.
 *
 * With `readOnly` it changes nothing and takes no lock: it shows what was there at the opening, and may be done beside a
 * live writer; what recovery would mend is mended in memory alone.
 *
 * Throws PLAN, LOCKED, UNSUPPORTED_VERSION, INPUT (not a varve directory), NOT_FOUND (read-only, and not there),
 * LIMIT, WAL_CORRUPT or DISK; what was opened until then is closed again.
 */
export async function open(options: EngineOptions): Promise<Engine> {
  const full = withDefaults(options);
  const { plan, dir, disk } = full;
  checkPlan(plan);
  if (full.readOnly) return openBeside(full);
  if (disk.kind(dir) !== "none") readFormat(disk, dir); // Refuses strangers before anything is touched.
  const { lock, isMade } = takeDirectory(disk, dir);
  try {
    if (!plan.wal.traits.persistent) forgetUnloggable(full);
    return await assemble(full, settleFormat(disk, dir, isMade, full.hashSeed), lock);
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** Makes the directory unless it is there, and takes its lock. */
function takeDirectory(disk: Disk, dir: string): { lock: DiskLock; isMade: boolean } {
  for (let i = 1; ; i += 1) {
    const isMade = disk.kind(dir) === "none";
    disk.makeDirectory(dir);
    try {
      return { lock: disk.lock(join(dir, "LOCK")), isMade };
    } catch (error) {
      const isAway = isStorageError(error) && error.facts["errno"] === "ENOENT";
      if (!isAway || i === TRIES) throw error; // Else another opening is giving the directory its name once more.
    }
  }
}

/** Opens read-only. A live writer removes files, so a missing one may only mean that the listing was old. */
async function openBeside(full: FullOptions): Promise<Engine> {
  const { plan, dir } = full;
  if (plan.wal.traits.threaded) {
    throw new StorageError(
      "PLAN",
      `wal ${plan.wal.name} writes from a thread of its own, which a read-only opening cannot have; nothing was touched; ` +
        "name a log without one in the plan: what is read is the same",
    );
  }
  for (let i = 1; ; i += 1) {
    const disk = overlayDisk(full.disk);
    const format = disk.kind(dir) === "none" ? null : readFormat(disk, dir);
    if (format === null) throw notThere(dir);
    const lock = disk.lock(join(dir, "LOCK"));
    try {
      return await assemble({ ...full, disk }, format, lock);
    } catch (error) {
      const isOld = isStorageError(error) && OLD.has(error.facts["errno"]);
      if (!isOld || i === TRIES) throw error;
    }
  }
}

async function assemble(full: FullOptions, format: StoreFormat, lock: DiskLock): Promise<Engine> {
  const { plan, dir, disk } = full;
  const clock = full.timing === "off" ? null : new PhaseClock(full.timing);
  const parts = await openParts(full, format, clock);
  try {
    disk.syncDirectory(dir); // Names the directories that the parts have made.
    const logged = new RefSet();
    const recovery = replay(parts, logged, plan["series-index"].traits.persistent);
    parts.memory.prefault(full.prefaultBytes);
    const writer = new Writer(parts, logged, clock, full);
    const pins = new PinCount();
    const idle = new IdleSeries(parts, logged, writer, pins);
    const maintenance = new Maintenance(parts, writer, idle, full);
    const { readOnly } = full;
    return new Engine({
      parts,
      writer,
      maintenance,
      clock,
      lock,
      recovery,
      logged,
      pins,
      idle,
      dir,
      disk,
      readOnly,
    });
  } catch (error) {
    await parts.dispose().catch(() => undefined);
    throw error;
  }
}

function notThere(dir: string): StorageError {
  return new StorageError(
    "NOT_FOUND",
    `${dir}: there is no varve store; a read-only opening makes none; check the path`,
    { facts: { path: dir } },
  );
}

/**
 * A log that keeps nothing leaves chunks behind that no series names any more: they go. Blocks have their labels with
 * them, and stay. A directory that holds a real log is refused instead.
 */
function forgetUnloggable(options: FullOptions): void {
  const { plan, dir, disk } = options;
  if (disk.list(join(dir, "wal")).length > 0) {
    throw new StorageError(
      "PLAN",
      `${dir}: holds a log, which wal ${plan.wal.name} would ignore; nothing was touched; ` +
        "open it with a log that keeps what it is given, or name another directory",
      { facts: { path: dir } },
    );
  }
  removeTree(disk, join(dir, "sealed"));
}

function withDefaults(options: EngineOptions): FullOptions {
  const { memoryBytesMax = MEMORY_BYTES_MAX, plan } = options;
  const isDurable = plan.wal?.traits.acknowledges === "durable";
  const rowsPerClose = options.rowsPerClose ?? (isDurable ? 1 : 64);
  return {
    plan,
    dir: resolve(options.dir),
    disk: options.disk ?? nodeDisk(),
    memoryBytesMax,
    allocatorBytesMax: options.allocatorBytesMax ?? Math.floor(memoryBytesMax * ALLOCATOR_SHARE),
    labelLimits: { ...LABEL_LIMITS, ...options.labelLimits },
    seriesMax: options.seriesMax ?? 0xffffffff,
    seriesExpected: options.seriesExpected ?? 0,
    rowsPerClose,
    newRowsPerClose: options.newRowsPerClose ?? Math.max(1, Math.floor(rowsPerClose / 16)),
    closeDelayMs: options.closeDelayMs ?? 5,
    readOnly: options.readOnly ?? false,
    recovery: options.recovery ?? "tail",
    timing: options.timing ?? "off",
    maintainEveryMs: options.maintainEveryMs ?? 50,
    walBytesMax: options.walBytesMax ?? 2 ** 30,
    prefaultBytes: options.prefaultBytes ?? 8 * 2 ** 20,
    hashSeed: options.hashSeed,
  };
}
