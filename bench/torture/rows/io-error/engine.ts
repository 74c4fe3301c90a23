import { makeRandom, type Random } from "@varve/bytes";
import { isStorageError, type Plan } from "@varve/contracts";
import { type DiskModel, simDisk, type SimDisk } from "@varve/disk/sim";
import type { Engine } from "varve";
import { Broken } from "../../row.ts";
import { KnownRows, openEngine } from "../content/engine-content.ts";
import { EngineSteps, planOf, survives } from "../content/engine-steps.ts";
import { checkSyncs, checkTyped, type IoFaults, settled } from "./io-fault.ts";
import { SIM_ENGINE_LOGS } from "../sim/sim-engine.ts";
import { type SimProcess, simProcess } from "../sim/sim-process.ts";

/** How each process ends. */
const LIVES = ["closed", "killed", "closed"] as const;
const WINDOW_MS = 40;
const GROUP_BYTES = 2000;
/** Draws of the workload, the same in every run: calls of the disk are counted. */
const WORKLOAD_SEED = 7;
/** Steps that may still tell of a full disk when there is room again. */
const LATE_FAILURES_MAX = 2;
/** What a full disk refuses, and a store survives. */
const MAKING: ReadonlySet<string> = new Set(["write", "open", "makeDirectory", "rename", "link"]);

/** The workload of a whole engine with faults on its disk. Resolves the calls that it made of the disk. */
export async function runEngine(
  log: string,
  faults: IoFaults,
  model: DiskModel,
  random: Random,
): Promise<number> {
  const plan = planOf(SIM_ENGINE_LOGS[log]!(GROUP_BYTES), WINDOW_MS, 2);
  const disk = simDisk({ model, fault: faults.script });
  const known = new KnownRows();
  const steps = new EngineSteps(known, makeRandom(WORKLOAD_SEED), WINDOW_MS, log === "sync");
  for (const end of LIVES) {
    if (!faults.isGone) await new EngineLife(disk, plan, steps, faults).live(end);
  }
  const { operations } = disk;
  faults.end();
  const image = disk.image(random.pick(["nothing", "subset"] as const), random.word());
  await settled(survives(image, plan, known.copy(), random), "the opening after the power cut");
  if (!faults.isGone) {
    await settled(survives(disk, plan, known, random), "the opening after the failure");
  }
  return operations;
}

class EngineLife {
  readonly #disk: SimDisk;
  readonly #plan: Plan;
  readonly #steps: EngineSteps;
  readonly #faults: IoFaults;
  #since: number;
  #failures = 0;
  #lateFailures = 0;

  constructor(disk: SimDisk, plan: Plan, steps: EngineSteps, faults: IoFaults) {
    this.#disk = disk;
    this.#plan = plan;
    this.#steps = steps;
    this.#faults = faults;
    this.#since = disk.operations;
  }

  async live(end: (typeof LIVES)[number]): Promise<void> {
    const process = simProcess(this.#disk);
    const store = (await this.#open(process)) ?? (await this.#open(process));
    if (store === null) return;
    const { known } = this.#steps;
    for (const step of this.#steps.list(store)) {
      const hasFailed = !(await this.#step("a step", step));
      if (hasFailed) await this.#step("a query", () => known.holds(store));
    }
    const accepted = known.rows.length;
    if (end === "closed" && (await this.#step("close", () => store.close()))) {
      if (this.#failures === 0) known.durable = accepted;
    }
    process.kill();
    await store.close().catch(() => undefined);
    checkSyncs(this.#disk, this.#since);
  }

  /** Null when the disk did not let it. */
  async #open(process: SimProcess): Promise<Engine | null> {
    this.#since = this.#disk.operations;
    let store: Engine | null = null;
    const isDone = await this.#step("open", async () => {
      store = await openEngine(process.disk, this.#plan);
      await this.#steps.known.recovered(store);
    });
    if (isDone) return store;
    await (store as Engine | null)?.close().catch(() => undefined);
    return null;
  }

  /** Does something, and looks at how it fails. Resolves whether it did not. */
  async #step(what: string, act: () => Promise<unknown>): Promise<boolean> {
    const faults = this.#faults;
    const werePast = faults.met.length > 0 && faults.arePast;
    try {
      await settled(act(), what);
      return true;
    } catch (error) {
      checkTyped(error, faults);
      this.#failures += 1;
      if (werePast) this.#lateFailures += 1;
      this.#checkRoom(what, error);
      faults.afterFailures(this.#failures);
      return false;
    }
  }

  /** Once there is room again, a store that found none goes on. */
  #checkRoom(what: string, error: Error): void {
    const isRoom = this.#faults.met.every(
      ({ fault, operation }) =>
        fault.errno === "ENOSPC" && fault.extent !== "all" && MAKING.has(operation),
    );
    if (!isRoom) return;
    if (this.#lateFailures <= LATE_FAILURES_MAX && !isStorageError(error, "POISONED")) return;
    throw new Broken("wrong", `${what} fails although there is room again: ${error.message}`);
  }
}
