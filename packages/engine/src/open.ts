import { LABEL_LIMITS, StorageError } from "@varve/contracts";
import { nodeDisk } from "@varve/disk/node";
import { removeTree } from "@varve/disk/transfer";
import { dirname, join, resolve } from "node:path";
import { MEMORY_BYTES_MAX } from "@varve/bytes";
import { Engine } from "./engine.ts";
import { Maintenance } from "./maintenance.ts";
import type { EngineOptions, FullOptions } from "./options.ts";
import { openParts } from "./parts.ts";
import { checkPlan } from "./plan.ts";
import { RefSet } from "./ref-set.ts";
import { replay } from "./replay.ts";
import { readFormat, writeFormat } from "./store-format.ts";
import { PhaseClock } from "./timing.ts";
import { Writer } from "./writer.ts";

/** Share of the memory that the allocator's regions may take, unless an option says otherwise. */
const ALLOCATOR_SHARE = 0.75;

/**
 * Opens a data directory, or makes one: takes the lock, opens the plan's parts, replays the log.
 *
 * Throws PLAN, LOCKED, UNSUPPORTED_VERSION, INPUT (not a varve directory), LIMIT, WAL_CORRUPT or DISK;
 * what was opened until then is closed again.
 */
export async function open(options: EngineOptions): Promise<Engine> {
  const full = withDefaults(options);
  const { plan, dir, disk } = full;
  checkPlan(plan);
  if (disk.kind(dir) !== "none") readFormat(disk, dir); // Refuses strangers before anything is touched.
  disk.makeDirectory(dir);
  const lock = disk.lock(join(dir, "LOCK"));
  try {
    if (!plan.wal.traits.persistent) forgetUnloggable(full);
    const found = readFormat(disk, dir);
    if (found === null) disk.syncDirectory(dirname(dir)); // The directory itself is as durable as what it holds.
    const format = found ?? writeFormat(disk, dir, full.hashSeed);
    const clock = full.timing === "off" ? null : new PhaseClock(full.timing);
    const parts = await openParts(full, format, clock);
    try {
      disk.syncDirectory(dir); // Names the directories that the parts have made.
      const logged = new RefSet();
      const recovery = replay(parts, logged, plan["series-index"].traits.persistent);
      parts.memory.prefault(full.prefaultBytes);
      const writer = new Writer(parts, logged, clock, full);
      const maintenance = new Maintenance(parts, writer, full);
      return new Engine({ parts, writer, maintenance, clock, lock, recovery });
    } catch (error) {
      await parts.dispose().catch(() => undefined);
      throw error;
    }
  } catch (error) {
    lock.release();
    throw error;
  }
}

/**
 * A log that keeps nothing leaves chunks behind that no series names any more: they go. A directory that
 * holds a real log is refused instead.
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
    recovery: options.recovery ?? "tail",
    timing: options.timing ?? "off",
    maintainEveryMs: options.maintainEveryMs ?? 50,
    walBytesMax: options.walBytesMax ?? 2 ** 30,
    prefaultBytes: options.prefaultBytes ?? 8 * 2 ** 20,
    hashSeed: options.hashSeed,
  };
}
