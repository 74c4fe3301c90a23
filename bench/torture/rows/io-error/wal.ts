import type { Random } from "@varve/bytes";
import { isStorageError, type Variant, type WriteAheadLog } from "@varve/contracts";
import { type DiskModel, simDisk, type SimDisk } from "@varve/disk/sim";
import { Broken } from "../../row.ts";
import { checkSyncs, checkTyped, type IoFaults, settled } from "./io-fault.ts";
import { type SimProcess, simProcess } from "../sim/sim-process.ts";
import { check, type Known, openLog, recovered } from "../sim/sim-wal.ts";
import { cutLog, fillBatch } from "../content/wal-content.ts";

/** One process: how much it appends, after how many batches it cuts its log, and how it ends. */
interface Life {
  readonly batches: number;
  readonly cutAfter: number;
  readonly isClosed: boolean;
}

/** What is known of a log, and the last batch that its last process has given to the kernel. */
interface KnownWritten extends Known {
  written: number;
}

/** A torn tail is cut first; then a log of some segments is closed, another killed, and what it left taken up. */
const LIVES: readonly Life[] = [
  { batches: 160, cutAfter: 30, isClosed: true },
  { batches: 12, cutAfter: 6, isClosed: false },
  { batches: 6, cutAfter: 4, isClosed: true },
];
const BATCHES_PER_COMMIT = 9;
/** What a full disk refuses, and a log survives. */
const MAKING = ["write", "open", "makeDirectory", "rename"] as const;
const SEGMENT = /^\/wal\/\d+$/;

const torn = new Map<string, { disk: SimDisk; durable: number }>();

/** The workload of a log with faults on its disk. Resolves the calls that it made of the disk. */
export async function runLog(
  variant: Variant<"wal">,
  faults: IoFaults,
  model: DiskModel,
  random: Random,
): Promise<number> {
  const begin = await tornLog(variant, model);
  const disk = begin.disk.image("everything");
  const known: KnownWritten = {
    durable: begin.durable,
    attempted: begin.durable + 2,
    checkpoint: 0,
    written: begin.durable,
  };
  disk.fault = faults.script;
  for (const life of LIVES) {
    if (!faults.isGone) await new LogLife(disk, variant, known, faults).live(life);
  }
  const { operations } = disk;
  faults.end();
  for (const survival of ["nothing", "subset"] as const) {
    const image = disk.image(survival, random.word());
    await settled(check(image, variant, { ...known }), "the opening after the power cut");
  }
  if (!faults.isGone) await settled(check(disk, variant, known), "the opening after the failure");
  return operations;
}

/** A log whose tail a power cut has torn. The same for every run. */
async function tornLog(
  variant: Variant<"wal">,
  model: DiskModel,
): Promise<{ disk: SimDisk; durable: number }> {
  const key = `${variant.name} ${model}`;
  const made = torn.get(key);
  if (made !== undefined) return made;
  const disk = simDisk({ model });
  const process = simProcess(disk);
  const wal = await openLog(process.disk, variant);
  wal.replay(() => undefined);
  for (let lsn = 1; lsn <= 4; lsn += 1) {
    fillBatch(wal.buffer, lsn);
    wal.append();
  }
  const durable = await wal.commit();
  // One more is written and not synced.
  disk.fault = (_number, operation) => (operation === "datasync" ? "EIO" : undefined);
  fillBatch(wal.buffer, durable + 1);
  try {
    wal.append();
    await wal.commit();
  } catch (error) {
    if (!isStorageError(error)) throw error;
  }
  process.kill();
  await dispose(wal);
  disk.fault = undefined;
  const last = disk.list("/wal").findLast((name) => SEGMENT.test(`/wal/${name}`))!;
  const fd = disk.open(`/wal/${last}`, "update");
  disk.truncate(fd, disk.size(fd) - 5);
  disk.datasync(fd);
  disk.syncDirectory("/wal");
  disk.syncDirectory("/");
  const begin = { disk: disk.image("everything"), durable };
  torn.set(key, begin);
  return begin;
}

class LogLife {
  readonly #disk: SimDisk;
  readonly #variant: Variant<"wal">;
  readonly #known: KnownWritten;
  readonly #faults: IoFaults;
  /** Calls before this opening, and faults that were met before this life. */
  #since: number;
  readonly #metBefore: number;
  /** Steps that failed, and those after which the device worked again. */
  #failures = 0;
  #lateFailures = 0;
  #isPoisoned = false;

  constructor(disk: SimDisk, variant: Variant<"wal">, known: KnownWritten, faults: IoFaults) {
    this.#disk = disk;
    this.#variant = variant;
    this.#known = known;
    this.#faults = faults;
    this.#since = disk.operations;
    this.#metBefore = faults.met.length;
  }

  async live({ batches, cutAfter, isClosed }: Life): Promise<void> {
    const process = simProcess(this.#disk);
    const wal = (await this.#open(process)) ?? (await this.#open(process));
    if (wal === null) return;
    const metAtOpen = this.#faults.met.length;
    for (let batch = 1; batch <= batches; batch += 1) {
      await this.#step("append", async () => this.#append(wal));
      if (batch % BATCHES_PER_COMMIT === 0) {
        const isDone = await this.#step("commit", () => this.#commit(wal));
        if (isDone) this.#checkRefused(metAtOpen);
      }
      if (batch !== cutAfter) continue;
      await this.#step("cut", () => cutLog(wal, (until) => (this.#known.checkpoint = until)));
    }
    const { accepted } = wal;
    if (isClosed) {
      const isDone = await this.#step("close", async () => wal[Symbol.asyncDispose]());
      if (isDone && !this.#isPoisoned) this.#known.durable = accepted;
    }
    this.#known.written = wal.written;
    process.kill();
    await dispose(wal);
    checkSyncs(this.#disk, this.#since);
  }

  /** Null when the disk did not let it. What it lets is checked. */
  async #open(process: SimProcess): Promise<WriteAheadLog | null> {
    this.#since = this.#disk.operations;
    let wal: WriteAheadLog | null = null;
    const isDone = await this.#step("open", async () => {
      wal = await openLog(process.disk, this.#variant);
      recovered(wal, this.#known);
      const { written, durable } = this.#known;
      if (written > durable) {
        throw new Broken("lost", `batch ${written} was written, and only its process has died`);
      }
    });
    if (isDone) return wal;
    await dispose(wal);
    return null;
  }

  #append(wal: WriteAheadLog): void {
    const known = this.#known;
    const lsn = wal.accepted + 1;
    fillBatch(wal.buffer, lsn);
    known.attempted = Math.max(known.attempted, lsn);
    wal.append();
    if (this.#variant.traits.acknowledges === "durable" && wal.durable < lsn) {
      throw new Broken("wrong", `batch ${lsn} is acknowledged, and durable is ${wal.durable}`);
    }
    known.durable = Math.max(known.durable, wal.durable);
  }

  async #commit(wal: WriteAheadLog): Promise<void> {
    const { accepted } = wal;
    const durable = await wal.commit();
    if (durable < accepted) throw new Broken("wrong", `${accepted} is committed, not ${durable}`);
    this.#known.durable = Math.max(this.#known.durable, durable);
  }

  /** Does something, and looks at how it fails. Resolves whether it did not. */
  async #step(what: string, act: () => Promise<void>): Promise<boolean> {
    const wasPoisoned = this.#isPoisoned;
    const werePast = this.#faults.met.length > this.#metBefore && this.#faults.arePast;
    try {
      await settled(act(), what);
    } catch (error) {
      checkTyped(error, this.#faults);
      // A full disk is survived, and checkpoints have a poison of their own: a log does without them.
      const isFull = isStorageError(error, "STORAGE_FULL");
      this.#isPoisoned ||= !isFull && (what === "append" || what === "commit");
      this.#failures += 1;
      if (werePast) this.#lateFailures += 1;
      this.#checkRoom(what, error);
      this.#faults.afterFailures(this.#failures);
      return false;
    }
    if (wasPoisoned && (what === "append" || what === "commit")) {
      throw new Broken("wrong", `${what} goes on after the log was poisoned`);
    }
    return true;
  }

  /** Once there is room again, a log that found none goes on: one call may still tell of it. */
  #checkRoom(what: string, error: Error): void {
    const { met } = this.#faults;
    const isRoom = met.every(
      ({ fault, operation }) =>
        fault.errno === "ENOSPC" &&
        fault.extent !== "all" &&
        (MAKING as readonly string[]).includes(operation),
    );
    if (!isRoom || (this.#lateFailures < 2 && !this.#isPoisoned)) return;
    throw new Broken("wrong", `${what} fails although there is room again: ${error.message}`);
  }

  /** A segment whose sync has failed is never durable. */
  #checkRefused(metAtOpen: number): void {
    const failed = this.#faults.met
      .slice(metAtOpen)
      .find(({ operation, path }) => operation === "datasync" && SEGMENT.test(path));
    if (failed === undefined) return;
    throw new Broken("wrong", `a commit resolves after the sync of ${failed.path} has failed`);
  }
}

/** Lets go of a log that nobody asks any more. */
async function dispose(wal: WriteAheadLog | null): Promise<void> {
  await Promise.resolve(wal?.[Symbol.asyncDispose]()).catch(() => undefined);
}
