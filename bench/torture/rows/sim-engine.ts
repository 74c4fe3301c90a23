import { makeRandom } from "@varve/bytes";
import type { Plan, Variant } from "@varve/contracts";
import { simDisk, type SimDisk, type Survival } from "@varve/disk/sim";
import { asyncWal } from "@varve/wal/async";
import { batchedWal } from "@varve/wal/batched";
import { syncWal } from "@varve/wal/sync";
import type { Engine } from "varve";
import type { Row, TrialContext } from "../row.ts";
import { KnownRows, openEngine } from "./engine-content.ts";
import { EngineSteps, isExplained, planOf, survives } from "./engine-steps.ts";
import { simProcess } from "./sim-process.ts";

const SURVIVALS: readonly Survival[] = ["nothing", "everything", "prefix", "subset"];
const LIVES_PER_TRIAL = 6;
const STEPS_MAX = 40;
const PAGE_BYTES = 32 * 1024;
/** Groups of the logs that are full now and then, and those that only a commit writes. */
const GROUP_BYTES = [2000, 16 * 1024] as const;
/** Operations of the life that is ended at each of them, images of each end, and the order in which they are tried. */
const POINTS = 797;
const IMAGES_PER_POINT = 20;
const POINT_STRIDE = 147;
const LIFE_SEED = 7;
const WINDOW_MS = 10;
/** No timer of a log ever goes off. */
const NEVER_MS = 2 ** 30;

type MakeLog = (groupBytesMax: number) => Variant<"wal">;

const LOGS: Readonly<Record<string, MakeLog>> = {
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
const CRASH_ROWS: readonly Row[] = Object.entries(LOGS).map(([name, make]) => ({
  id: `sim-engine-${name}`,
  title: `whole engine, ${name} log: crash after crash on a simulated disk while it writes, cuts and merges blocks, cuts its log and deletes`,
  kind: "simulatedCrash",
  unit: "crashes",
  count: { pr: 500, full: 70_000 },
  trialMs: 20_000,
  trial: (context) => trial(context, name, make(context.random.pick(GROUP_BYTES))),
}));

/** A crash at every operation of one life, and another inside of every recovery from it. */
const EVERY_POINT: Row = {
  id: "sim-every-point-engine",
  title: `whole engine: a crash at each of ${POINTS} operations, ${IMAGES_PER_POINT} images of each, and a second crash inside the recovery from every one`,
  kind: "simulatedCrash",
  unit: "images",
  count: { pr: 20 * IMAGES_PER_POINT, full: POINTS * IMAGES_PER_POINT },
  trials: { pr: 20, full: POINTS },
  trialMs: 60_000,
  trial: everyPoint,
};

export const SIM_ENGINE_ROWS: readonly Row[] = [...CRASH_ROWS, EVERY_POINT];

/** Several lives of one store: each begins with what the power cut or the death of the last has left. */
async function trial({ random }: TrialContext, name: string, wal: Variant<"wal">): Promise<number> {
  const blockDurationMs = 6 + random.below(24);
  const plan = planOf(wal, blockDurationMs, random.chance(0.5) ? 2 : 3);
  const known = new KnownRows();
  const steps = new EngineSteps(known, random, blockDurationMs, name === "sync");
  let disk = simDisk({ seed: random.word() });
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

/** One point: the same life up to it, its images, and for each image a recovery, a crash inside of it, and another. */
async function everyPoint({ seed, random }: TrialContext): Promise<number> {
  const plan = planOf(LOGS["batched"]!(GROUP_BYTES[0]), WINDOW_MS, 2);
  const { disk, known } = await liveUntil(1 + ((seed * POINT_STRIDE) % POINTS), plan);
  for (let i = 0; i < IMAGES_PER_POINT; i += 1) {
    const survival = SURVIVALS[i % SURVIVALS.length]!;
    const image = disk.image(survival, i);
    await recover(image, plan, known.copy());
    const again = disk.image(survival, i);
    again.crashAt = 1 + random.below(image.operations);
    const knownAgain = known.copy();
    await recover(again, plan, knownAgain);
    if (!again.crashed) again.crash();
    const last = again.image(random.pick(SURVIVALS), random.word());
    await survives(last, plan, knownAgain, random);
  }
  return IMAGES_PER_POINT;
}

/** Lives that do the same on every disk, until it crashes. */
async function liveUntil(
  crashAt: number,
  plan: Plan,
): Promise<{ disk: SimDisk; known: KnownRows }> {
  const disk = simDisk({ seed: LIFE_SEED, crashAt });
  const known = new KnownRows();
  const steps = new EngineSteps(known, makeRandom(LIFE_SEED), WINDOW_MS, false);
  while (!disk.crashed) {
    let store: Engine | null = null;
    try {
      store = await openEngine(disk, plan);
      await known.recovered(store);
      await steps.all(store);
      const accepted = known.rows.length;
      await store.close();
      known.durable = accepted;
    } catch (error) {
      if (!isExplained(error, disk)) throw error;
      await store?.close().catch(() => undefined);
    }
  }
  return { disk, known };
}

/** Opens, checks what is there and closes, unless the disk crashes on the way. */
async function recover(disk: SimDisk, plan: Plan, known: KnownRows): Promise<void> {
  try {
    const store = await openEngine(disk, plan);
    await known.recovered(store);
    await store.close();
  } catch (error) {
    if (!isExplained(error, disk)) throw error;
  }
}
