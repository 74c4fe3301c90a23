import type { Plan, Variant } from "@varve/contracts";
import { simDisk, type SimDisk, type Survival } from "@varve/disk/sim";
import { asyncWal } from "@varve/wal/async";
import { batchedWal } from "@varve/wal/batched";
import { syncWal } from "@varve/wal/sync";
import type { Engine } from "varve";
import type { Row, TrialContext } from "../../row.ts";
import { KnownRows, openEngine } from "../content/engine-content.ts";
import { modelOf } from "./disk-model.ts";
import { EngineSteps, isExplained, planOf, survives } from "../content/engine-steps.ts";
import { simProcess } from "./sim-process.ts";

const SURVIVALS: readonly Survival[] = ["nothing", "everything", "prefix", "subset"];
const LIVES_PER_TRIAL = 6;
const STEPS_MAX = 40;
const PAGE_BYTES = 32 * 1024;
/** Groups of the logs that are full now and then, and those that only a commit writes. */
const GROUP_BYTES = [2000, 16 * 1024] as const;
/** No timer of a log ever goes off. */
const NEVER_MS = 2 ** 30;

type MakeLog = (groupBytesMax: number) => Variant<"wal">;

export const SIM_ENGINE_LOGS: Readonly<Record<string, MakeLog>> = {
  sync: () => syncWal({ segmentBytesMax: PAGE_BYTES }),
  batched: (groupBytesMax) =>
    batchedWal({ segmentBytesMax: PAGE_BYTES, groupBytesMax, delayMsMax: NEVER_MS }),
  async: (groupBytesMax) =>
    asyncWal({
      segmentBytesMax: PAGE_BYTES,
      groupBytesMax,
      ringBytesMax: PAGE_BYTES,
      delayMsMax: NEVER_MS,
      writer: "inline",
    }),
};

/** Crash upon crash of whole engines on a simulated disk, one row for each log. */
export const SIM_ENGINE_ROWS: readonly Row[] = Object.entries(SIM_ENGINE_LOGS).map(
  ([name, make]) => ({
    id: `sim-engine-${name}`,
    title: `whole engine, ${name} log: crash after crash on a simulated disk while it writes, cuts and merges blocks, cuts its log and deletes`,
    kind: "simulatedCrash",
    unit: "crashes",
    count: { pr: 500, full: 70_000 },
    trialMs: 20_000,
    trial: (context) => trial(context, name, make(context.random.pick(GROUP_BYTES))),
  }),
);

/** Several lives of one store: each begins with what the power cut or the death of the last has left. */
async function trial(
  { seed, random }: TrialContext,
  name: string,
  wal: Variant<"wal">,
): Promise<number> {
  const blockDurationMs = 6 + random.below(24);
  const plan = planOf(wal, blockDurationMs, random.chance(0.5) ? 2 : 3);
  const known = new KnownRows();
  const steps = new EngineSteps(known, random, blockDurationMs, name === "sync");
  let disk = simDisk({ seed: random.word(), model: modelOf(seed) });
  let crashes = 0;
  for (let life = 0; life < LIVES_PER_TRIAL; life += 1) {
    disk.crashAt = disk.operations + 1 + random.below(random.chance(0.3) ? 60 : 500);
    const end = await live(disk, plan, steps);
    if (end === "died" && !disk.crashed && random.chance(0.7)) continue; // The kernel goes on, with all that it has.
    if (disk.crashed) crashes += 1;
    else disk.crash();
    disk = disk.image(random.pick(SURVIVALS), random.word());
  }
  if (!disk.crashed) disk.crash();
  await survives(disk.image(random.pick(SURVIVALS), random.word()), plan, known, random);
  return crashes;
}

/** One process: opens the store, works with it, and is closed, killed, or ended by the power cut. */
async function live(disk: SimDisk, plan: Plan, steps: EngineSteps): Promise<"closed" | "died"> {
  const { known, random } = steps;
  const process = simProcess(disk);
  let store: Engine | null = null;
  let isWell = false;
  try {
    store = await openEngine(process.disk, plan);
    await known.recovered(store);
    if (known.pending !== null && random.chance(0.7)) await steps.remove(store, known.pending);
    const count = random.below(STEPS_MAX);
    for (let i = 0; i < count; i += 1) await steps.step(store);
    await known.holds(store);
    isWell = true;
    if (random.chance(0.5)) {
      const accepted = known.rows.length;
      await store.close();
      known.durable = accepted;
      return "closed";
    }
  } catch (error) {
    if (!isExplained(error, disk)) throw error;
  }
  if (!isWell && !disk.crashed) throw new Error("a life ends only with its disk");
  process.kill();
  await store?.close().catch(() => undefined);
  return "died";
}
