import { StorageError, type Disk, type Pause, type RecoveryMode } from "@varve/contracts";
import { overlayDisk } from "@varve/disk/overlay";
import { Inspection } from "./inspection.ts";
import { checkpointName, checkpointOf, PAGE_BYTES, segmentOf } from "./layout.ts";
import type { LogReport } from "./log-report.ts";
import { LogWriter } from "./log-writer.ts";
import { lastRewritten, planLogRepair } from "./plan-repair.ts";
import { keepFile } from "./quarantine.ts";
import { recover } from "./recover.ts";
import { writeSalvage } from "./salvage.ts";
import { bytesOfStoreId } from "./store-id.ts";

export interface RepairLogOptions {
  readonly disk: Disk;
  /** The log's directory. The caller holds the store's lock. */
  readonly dir: string;
  /** Where damaged files and copies of what is cut go; on the same file system. */
  readonly quarantineDir: string;
  /** 32 hex digits. Without it, the id that most files of the log carry counts. */
  readonly storeId?: string;
  /** `salvage`, the default, skips the damage; `pointInTime` ends the log before it. */
  readonly mode?: "pointInTime" | "salvage";
  /** Repairs a copy in memory: tells what would be done, and changes nothing. */
  readonly dryRun?: boolean;
  readonly pause?: Pause;
}

/** What a repair found and did. */
export interface LogRepair {
  readonly mode: "pointInTime" | "salvage";
  readonly dryRun: boolean;
  readonly before: LogReport;
  /** The log as it is now, or as it would be. Recovery opens it in its default mode. */
  readonly after: LogReport;
  /** What was done, as sentences; none for a log without damage. */
  readonly steps: readonly string[];
  /** Files and directories in the quarantine. */
  readonly quarantined: readonly string[];
}

/**
 * Repairs a log so that it opens in the default mode. Nothing is deleted: damaged files are moved into the quarantine
 * whole, and what is cut off is copied there first. A crash leaves the log as it was, or repaired, or refused by the
 * default mode as before: run it again.
 *
 * Throws INPUT if no file of the log tells its store and `storeId` is missing, and what the disk throws.
 */
export async function repairLog(options: RepairLogOptions): Promise<LogRepair> {
  const { mode = "salvage", dryRun = false } = options;
  const disk = dryRun ? overlayDisk(options.disk) : options.disk;
  const before = await new Inspection({ ...options, disk }).run();
  if (before.damage.length === 0) {
    return { mode, dryRun, before, after: before, steps: [], quarantined: [] };
  }
  const storeId = options.storeId ?? before.storeId;
  if (storeId === "") throw namelessError(options.dir);
  const quarantined = await new Repair({ ...options, disk, storeId, mode }, before).run();
  const after = await new Inspection({ ...options, disk, storeId }).run();
  if (!after.opens) throw failedError(after);
  return { mode, dryRun, before, after, steps: planLogRepair(before)[mode].steps, quarantined };
}

class Repair {
  readonly #options: RepairLogOptions & { readonly mode: RecoveryMode };
  readonly #disk: Disk;
  readonly #before: LogReport;
  readonly #storeId: Uint8Array;
  readonly #quarantined: string[] = [];

  constructor(
    options: RepairLogOptions & { readonly mode: RecoveryMode; readonly storeId: string },
    before: LogReport,
  ) {
    this.#options = options;
    this.#disk = options.disk;
    this.#before = before;
    this.#storeId = bytesOfStoreId(options.storeId);
  }

  async run(): Promise<readonly string[]> {
    const segment = lastRewritten(this.#before);
    if (this.#options.mode === "salvage" && segment >= 0) await this.#rewrite(segment);
    else this.#setAside((name) => this.#isDamagedCheckpoint(name));
    this.#setAside((name) => this.#isForeign(name)); // Recovery refuses those in every mode.
    await this.#disk.syncDirectoryAsync(this.#options.dir);
    this.#finish();
    return this.#quarantined;
  }

  /** Puts a checkpoint with all that is sound in the place of everything up to `segment`. */
  async #rewrite(segment: number): Promise<void> {
    const { dir, pause } = this.#options;
    const disk = this.#disk;
    const report = this.#before;
    const hasLater = report.segments.some((each) => each.segment > segment);
    const isTaken = disk.kind(`${dir}/${checkpointName(segment)}`) !== "none";
    // Between two renames the log has no checkpoint: later segments make the default mode refuse it. Without any, it
    // would look new, so that the checkpoint takes a number of its own.
    const target = isTaken && !hasLater ? segment + 1 : segment;
    const name = checkpointName(target);
    const aside = `${dir}/${name}.tmp`;
    const storeId = this.#storeId;
    const place = { disk, dir, storeId, report, segment, aside };
    const isWritten = await writeSalvage(pause === undefined ? place : { ...place, pause });
    await disk.syncDirectoryAsync(aside);
    if (isWritten) {
      this.#setAside((each) => each === name);
      disk.rename(aside, `${dir}/${name}`);
      await disk.syncDirectoryAsync(dir);
    }
    this.#setAside((each) => checkpointOf(each) >= 0 && (each !== name || !isWritten));
    this.#setAside((each) => this.#isRewritten(each, segment));
    await disk.syncDirectoryAsync(dir);
  }

  /** Mends the tail, begins a segment and closes the log, as an open and a close do. */
  #finish(): void {
    const { dir, quarantineDir, mode } = this.#options;
    const [disk, storeId] = [this.#disk, this.#storeId];
    const copyBytesMax = Number.MAX_SAFE_INTEGER;
    const options = { disk, dir, quarantineDir, storeId, mode, copyBytesMax };
    const { recovery, start } = recover(options, () => undefined);
    this.#quarantined.push(...recovery.quarantined);
    const place = { disk, dir, storeId, segmentBytesMax: PAGE_BYTES };
    const writer = new LogWriter(place, { groupBytes: PAGE_BYTES });
    writer.start({ ...start, bytesOnDisk: 0 });
    writer.closeNow();
  }

  #isDamagedCheckpoint(name: string): boolean {
    const segment = checkpointOf(name);
    return this.#before.checkpoints.some(
      (each) => each.segment === segment && each.state === "damaged",
    );
  }

  #isRewritten(name: string, until: number): boolean {
    const segment = segmentOf(name);
    return segment >= 0 && segment <= until;
  }

  #isForeign(name: string): boolean {
    const segment = segmentOf(name);
    return this.#before.segments.some(
      (each) => each.segment === segment && each.ends === "foreign",
    );
  }

  #setAside(isChosen: (name: string) => boolean): void {
    for (const name of this.#disk.list(this.#options.dir)) if (isChosen(name)) this.#keep(name);
  }

  #keep(name: string): void {
    const { dir, quarantineDir } = this.#options;
    this.#quarantined.push(keepFile(this.#disk, quarantineDir, `${dir}/${name}`, name));
  }
}

function namelessError(dir: string): StorageError {
  return new StorageError(
    "INPUT",
    `${dir}: no file of the log is intact enough to tell which store it belongs to; nothing was changed; name storeId`,
    { facts: { path: dir } },
  );
}

function failedError(after: LogReport): StorageError {
  const first = after.damage.find((damage) => !damage.isMendedAtOpen);
  return new StorageError(
    "WAL_CORRUPT",
    `${first?.message}; the repair did not mend it; what it replaced is in the quarantine; copy the directory, then ` +
      "repair the copy",
    { facts: { path: after.dir, offset: first?.offset } },
  );
}
