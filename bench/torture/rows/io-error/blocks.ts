import type { BlockOptions } from "@varve/block-manager/background";
import { makeRandom, type Random } from "@varve/bytes";
import { type Disk, isStorageError } from "@varve/contracts";
import type { DiskModel, SimDisk } from "@varve/disk/sim";
import { Broken } from "../../row.ts";
import { KnownLog, openBlocks, type OpenBlocks } from "../content/blocks-content.ts";
import { checkSyncs, checkTyped, type IoFaults, settled } from "./io-fault.ts";
import {
  emptyDisk,
  maintainBlocks,
  type Part,
  recover,
  SIM_MANAGERS,
  write,
} from "../sim/sim-blocks.ts";
import { simProcess } from "../sim/sim-process.ts";

/** Batches of each process, and whether it is closed or killed. */
const LIVES = [
  { batches: 7, isClosed: true },
  { batches: 3, isClosed: false },
  { batches: 2, isClosed: true },
] as const;
const RETENTION_MS = 100;
const OPTIONS: BlockOptions = {
  samplesPerChunk: 3,
  blockDurationMs: 40,
  mergeFactor: 2,
  mergeLevels: 2,
  retentionMs: RETENTION_MS,
  fileBytesMax: 16 * 1024,
};
/** Draws of the workload, the same in every run: calls of the disk are counted. */
const WORKLOAD_SEED = 5;
/** Calls that may still tell of a failure when the device works again: one that was kept, and one that was under way. */
const LATE_FAILURES_MAX = 2;

/** The workload of a block manager with faults on its disk. Resolves the calls that it made of the disk. */
export async function runBlocks(
  name: string,
  faults: IoFaults,
  model: DiskModel,
  random: Random,
): Promise<number> {
  const draws = makeRandom(WORKLOAD_SEED);
  const part: Part = {
    variant: SIM_MANAGERS[name]!(OPTIONS, makeRandom(1)),
    windowMs: OPTIONS.blockDurationMs!,
  };
  const known = new KnownLog(RETENTION_MS);
  const disk = emptyDisk({ model }).image("everything");
  disk.fault = faults.script;
  for (const life of LIVES) {
    if (!faults.isGone) await new BlocksLife(disk, part, known, faults, draws).live(life);
  }
  const { operations } = disk;
  faults.end();
  for (const survival of ["nothing", "subset"] as const) {
    await comesBack(disk.image(survival, random.word()), part, known, random);
  }
  if (!faults.isGone) await comesBack(disk, part, known, random);
  return operations;
}

/** Opens undisturbed, holds what it should, and works. */
async function comesBack(
  disk: SimDisk,
  part: Part,
  known: KnownLog,
  random: Random,
): Promise<void> {
  const store = await settled(openBlocks(disk, part.variant), "the last opening");
  recover(store, known, random);
  await settled(store.blocks.maintain({ budgetMs: 1, sealBeforeLsn: known.lsn }), "maintain");
  known.check(store.blocks, known.lsn, "after all is over");
  await settled(Promise.resolve(store.blocks[Symbol.asyncDispose]()), "the last closing");
}

class BlocksLife {
  readonly #disk: SimDisk;
  readonly #part: Part;
  readonly #known: KnownLog;
  readonly #faults: IoFaults;
  readonly #draws: Random;
  #since: number;
  #failures = 0;
  #lateFailures = 0;
  #isPoisoned = false;

  constructor(disk: SimDisk, part: Part, known: KnownLog, faults: IoFaults, draws: Random) {
    this.#disk = disk;
    this.#part = part;
    this.#known = known;
    this.#faults = faults;
    this.#draws = draws;
    this.#since = disk.operations;
  }

  async live({ batches, isClosed }: (typeof LIVES)[number]): Promise<void> {
    const process = simProcess(this.#disk);
    const known = this.#known;
    const draws = this.#draws;
    const store = (await this.#open(process.disk)) ?? (await this.#open(process.disk));
    if (store === null) return;
    const { blocks } = store;
    for (let batch = 1; batch <= batches; batch += 1) {
      write(store, known, draws);
      const cutBefore = known.clock - draws.below(2 * this.#part.windowMs);
      await this.#maintain(store, {
        sealBeforeLsn: batch % 2 === 0 ? draws.below(known.lsn + 2) : 0,
        ...(batch % 3 === 0 ? { cutBefore } : {}),
      });
      if (this.#failures === 0) continue;
      await this.#step("a query", async () => known.check(blocks, known.lsn, "while it fails"));
    }
    if (isClosed) await this.#step("close", async () => blocks[Symbol.asyncDispose]());
    process.kill();
    await Promise.resolve(blocks[Symbol.asyncDispose]()).catch(() => undefined);
    checkSyncs(this.#disk, this.#since);
  }

  /** Null when the disk did not let it. */
  async #open(disk: Disk): Promise<OpenBlocks | null> {
    this.#since = this.#disk.operations;
    let store: OpenBlocks | null = null;
    const isDone = await this.#step("open", async () => {
      store = await openBlocks(disk, this.#part.variant);
      recover(store, this.#known, this.#draws);
    });
    return isDone ? store : null;
  }

  async #maintain(store: OpenBlocks, wishes: Parameters<typeof maintainBlocks>[3]): Promise<void> {
    const werePast = this.#faults.areMet && this.#faults.arePast;
    const act = (): Promise<void> => maintainBlocks(store, this.#part, this.#known, wishes);
    if (await this.#step("maintain", act)) return;
    if (werePast) this.#lateFailures += 1;
    if (this.#isPoisoned || this.#lateFailures <= LATE_FAILURES_MAX) return;
    throw new Broken("wrong", "maintain fails again and again, and the device works");
  }

  /** Does something, and looks at how it fails. Resolves whether it did not. */
  async #step(what: string, act: () => Promise<void>): Promise<boolean> {
    const faults = this.#faults;
    try {
      await settled(act(), what);
      return true;
    } catch (error) {
      checkTyped(error, faults);
      if (isStorageError(error, "POISONED")) this.#poison(error);
      this.#failures += 1;
      faults.afterFailures(this.#failures);
      return false;
    }
  }

  /** Only a sync that failed may end the writing. */
  #poison(error: Error): void {
    this.#isPoisoned = true;
    const isSync = this.#faults.met.some(
      ({ fault, operation }) =>
        operation === "datasync" || operation === "syncDirectory" || fault.extent === "all",
    );
    if (!isSync) throw new Broken("wrong", `no sync has failed, and yet: ${error.message}`);
  }
}
