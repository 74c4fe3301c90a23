import type { Disk } from "@varve/contracts";
import { nodeDisk } from "@varve/disk/node";
import { repairLog } from "@varve/wal/inspect";
import { basename, join } from "node:path";
import { oneLine } from "../exit.ts";
import { blockDirsOf } from "../store/block.ts";
import { formatOf, storeDirOf } from "../store/place.ts";
import { Turns } from "../store/turn.ts";
import { checkBlock } from "../verify/check-block.ts";

export interface RepairOptions {
  /** Change the directory; otherwise say what would be done. */
  readonly write: boolean;
  /** Skip damage in the log, or end the log before it. */
  readonly mode: "salvage" | "pointInTime";
  readonly signal: AbortSignal;
  readonly onProgress: (text: () => string) => void;
}

/** What was done, or would be. */
export interface RepairReport {
  readonly dir: string;
  readonly written: boolean;
  /** As sentences; none when there is nothing to repair. */
  readonly steps: readonly string[];
  /** Where the damaged parts are now. */
  readonly quarantined: readonly string[];
}

/**
 * Repairs a data directory: log first, then blocks. Nothing is deleted. Holds the store's lock while it writes.
 *
 * Throws INPUT for a directory that is not ours, and LOCKED when it writes beside another opener.
 */
export async function repair(path: string, options: RepairOptions): Promise<RepairReport> {
  const dir = storeDirOf(path);
  const { storeId } = formatOf(dir);
  const disk = nodeDisk();
  const lock = options.write ? disk.lock(join(dir, "LOCK")) : undefined;
  try {
    const log = await mendLog(disk, dir, storeId, options);
    const blocks = await mendBlocks(disk, dir, options);
    return {
      dir,
      written: options.write,
      steps: [...log.steps, ...blocks.steps],
      quarantined: options.write ? [...log.quarantined, ...blocks.quarantined] : [],
    };
  } finally {
    lock?.release();
  }
}

type Mended = Pick<RepairReport, "steps" | "quarantined">;

async function mendLog(
  disk: Disk,
  dir: string,
  storeId: string,
  options: RepairOptions,
): Promise<Mended> {
  const { write, mode, signal, onProgress } = options;
  onProgress(() => "reading the log");
  return repairLog({
    disk,
    dir: join(dir, "wal"),
    quarantineDir: join(dir, "quarantine"),
    storeId,
    mode,
    dryRun: !write,
    pause: new Turns(signal).pause,
  });
}

/** A damaged block is moved away whole: its other samples are still in it, for whoever can read them. */
async function mendBlocks(disk: Disk, dir: string, options: RepairOptions): Promise<Mended> {
  const steps: string[] = [];
  const quarantined: string[] = [];
  const turns = new Turns(options.signal);
  for (const block of blockDirsOf(dir)) {
    options.onProgress(() => `reading block ${basename(block)}`);
    const { findings } = await checkBlock(block, turns.pause);
    const [first] = findings;
    if (first === undefined) continue;
    const target = freeName(disk, join(dir, "quarantine", `block-${basename(block)}`));
    steps.push(`move block ${basename(block)} to ${target}: ${oneLine(first.message)}`);
    if (options.write) moveAway(disk, dir, block, target);
    quarantined.push(target);
  }
  return { steps, quarantined };
}

function moveAway(disk: Disk, dir: string, block: string, target: string): void {
  const quarantine = join(dir, "quarantine");
  disk.makeDirectory(quarantine);
  disk.rename(block, target);
  disk.syncDirectory(quarantine);
  disk.syncDirectory(dir);
}

function freeName(disk: Disk, wanted: string): string {
  for (let i = 1; ; i += 1) {
    const name = i === 1 ? wanted : `${wanted}.${i}`;
    if (disk.kind(name) === "none") return name;
  }
}
