import { makeRandom, type Random } from "@varve/bytes";
import type { DiskModel } from "@varve/disk/sim";
import { Broken, type Row, type TrialContext } from "../../row.ts";
import { MODELS } from "../sim/disk-model.ts";
import { runBlocks } from "./blocks.ts";
import { runEngine } from "./engine.ts";
import { runLog } from "./wal.ts";
import { faultsAt, type IoFault, IoFaults, twoFaults } from "./io-fault.ts";
import { SIM_MANAGERS } from "../sim/sim-blocks.ts";
import { SIM_ENGINE_LOGS } from "../sim/sim-engine.ts";
import { SIM_LOGS } from "../sim/sim-wal.ts";

/** A workload with faults. Resolves the calls that it made of the disk. */
type Run = (faults: IoFaults, model: DiskModel, random: Random) => Promise<number>;

/** Trials that share the calls of a workload between them. */
const SHARES = 16;
/** Calls from one that fails to the next where there is little time. */
const PR_STEP = 397;
const DOUBLES_PER_TRIAL = 4;

const RUNS: Readonly<Record<string, Run>> = {
  ...Object.fromEntries(
    Object.entries(SIM_LOGS).map(([name, make]): [string, Run] => [
      `wal-${name}`,
      (faults, model, random) => runLog(make(makeRandom(1)), faults, model, random),
    ]),
  ),
  ...Object.fromEntries(
    Object.keys(SIM_MANAGERS).map((name): [string, Run] => [
      `blocks-${name}`,
      (faults, model, random) => runBlocks(name, faults, model, random),
    ]),
  ),
  ...Object.fromEntries(
    Object.keys(SIM_ENGINE_LOGS).map((name): [string, Run] => [
      `engine-${name}`,
      (faults, model, random) => runEngine(name, faults, model, random),
    ]),
  ),
};

/** SQLite's loop: the first call of a workload fails, then the second, until none is left. */
const LOOP_ROWS: readonly Row[] = Object.entries(RUNS).map(([name, run]) => ({
  id: `io-error-${name}`,
  title: `EIO and ENOSPC on the first, the second, … every call of the disk, once, for its kind and for all: ${name}`,
  kind: "ioError",
  unit: "calls",
  count: { pr: 2, full: 390 },
  trials: { pr: 1, full: SHARES },
  trialMs: 600_000,
  trial: (context) => everyCall(context, run),
}));

const DOUBLE_ROW: Row = {
  id: "io-error-twice",
  title: "two faults in one workload: logs, blocks and the whole engine in turn",
  kind: "ioError",
  unit: "pairs",
  count: { pr: 10 * DOUBLES_PER_TRIAL, full: 10_000 },
  trialMs: 60_000,
  trial: twice,
};

export const IO_ERROR_ROWS: readonly Row[] = [...LOOP_ROWS, DOUBLE_ROW];

async function everyCall({ tier, seed }: TrialContext, run: Run): Promise<number> {
  const step = tier === "pr" ? PR_STEP : SHARES;
  let count = 0;
  for (let at = 1 + ((seed - 1) % SHARES); ; at += step) {
    let areMet = true;
    for (const fault of faultsAt(at)) areMet = (await once(run, [fault], at)) && areMet;
    if (!areMet) return count;
    count += 1;
  }
}

async function twice({ seed, random }: TrialContext): Promise<number> {
  const runs = Object.values(RUNS);
  const run = runs[seed % runs.length]!;
  const calls = await run(new IoFaults([]), "strictPosix", makeRandom(1));
  for (let i = 0; i < DOUBLES_PER_TRIAL; i += 1)
    await once(run, twoFaults(random, calls), seed + i);
  return DOUBLES_PER_TRIAL;
}

/** Whether the faults were met. What breaks names them. */
async function once(run: Run, list: readonly IoFault[], salt: number): Promise<boolean> {
  const faults = new IoFaults(list);
  const model = MODELS[salt % MODELS.length]!;
  try {
    await run(faults, model, makeRandom(salt));
  } catch (error) {
    const met = faults.met.map(
      ({ fault, operation, path }) =>
        `${fault.errno} at call ${fault.at} (${operation} ${path}), ${fault.extent}`,
    );
    const where = `${model}, ${met.join(", then ")}`;
    if (error instanceof Broken) throw new Broken(error.fault, `${error.message}; ${where}`);
    const text = error instanceof Error ? error.stack : String(error);
    throw new Broken("wrong", `${text}; ${where}`);
  }
  return faults.areMet;
}
