import { makeRandom, type Random } from "@varve/bytes";
import type { Plan, Variant } from "@varve/contracts";
import type { SimDisk, Survival } from "@varve/disk/sim";
import type { Engine } from "varve";
import type { Row, TrialContext } from "../../row.ts";
import { KnownLog, openBlocks } from "../content/blocks-content.ts";
import { MODELS } from "./disk-model.ts";
import { KnownRows, openEngine } from "../content/engine-content.ts";
import { EngineSteps, isExplained, planOf, survives } from "../content/engine-steps.ts";
import {
  emptyDisk,
  live as liveBlocks,
  type Part,
  recover as recoverBlocks,
  SIM_MANAGERS,
} from "./sim-blocks.ts";
import { SIM_ENGINE_LOGS } from "./sim-engine.ts";
import { check, type Known, live as liveLog, openLog, recovered, SIM_LOGS } from "./sim-wal.ts";

/** A store whose disk is crashed at each operation, and what is known of it. */
interface Crashed<K> {
  /** Does the same on every disk, until it crashes. Resolves what is known then. */
  liveUntilCrash(disk: SimDisk): Promise<K>;
  copy(known: K): K;
  /** Opens, checks and closes, unless the disk crashes on the way. */
  recover(disk: SimDisk, known: K, random: Random): Promise<void>;
  /** The same undisturbed, and takes more. */
  survives(disk: SimDisk, known: K, random: Random): Promise<void>;
}

const SURVIVALS: readonly Survival[] = ["nothing", "everything", "prefix", "subset"];
/** Images of each end: with three models and four kinds of survival, all pairs are among them. */
const IMAGES_PER_POINT = 20;
const LIFE_SEED = 7;
const WINDOW_MS = 10;
const GROUP_BYTES = 2000;
/** Points, and the order in which they are tried, so that few of them are of all kinds. */
const LOG_POINTS = 401;
const BLOCK_POINTS = 401;
const ENGINE_POINTS = 797;
const STRIDE = 147;
const BLOCK_OPTIONS = { samplesPerChunk: 3, blockDurationMs: 20, mergeFactor: 2, mergeLevels: 2 };

export const EVERY_POINT_ROWS: readonly Row[] = [
  ...Object.entries(SIM_LOGS).map(([name, make]) =>
    everyPointRow(`wal-${name}`, LOG_POINTS, 10, () => crashedLog(make(makeRandom(LIFE_SEED)))),
  ),
  ...Object.entries(SIM_MANAGERS).map(([name, make]) =>
    everyPointRow(`blocks-${name}`, BLOCK_POINTS, 2, () =>
      crashedBlocks({
        variant: make(BLOCK_OPTIONS, makeRandom(LIFE_SEED)),
        windowMs: BLOCK_OPTIONS.blockDurationMs,
      }),
    ),
  ),
  everyPointRow("engine", ENGINE_POINTS, 8, () =>
    crashedEngine(planOf(SIM_ENGINE_LOGS["batched"]!(GROUP_BYTES), WINDOW_MS, 2)),
  ),
];

/** A crash at every operation of one life, and another inside of every recovery from it. */
function everyPointRow<K>(name: string, points: number, few: number, make: () => Crashed<K>): Row {
  return {
    id: `sim-every-point-${name}`,
    title: `${name}: a crash at each of ${points} operations, ${IMAGES_PER_POINT} images of each, on a strict disk, ext4 and XFS, and a second crash inside the recovery from every one`,
    kind: "simulatedCrash",
    unit: "images",
    count: { pr: few * IMAGES_PER_POINT, full: points * IMAGES_PER_POINT },
    trials: { pr: few, full: points },
    trialMs: 60_000,
    trial: (context) => everyPoint(context, points, make()),
  };
}

/** One point: the same life up to it, its images, and for each image a recovery, a crash inside of it, and another. */
async function everyPoint<K>(
  { seed, random }: TrialContext,
  points: number,
  store: Crashed<K>,
): Promise<number> {
  const crashAt = 1 + ((seed * STRIDE) % points);
  const ends: { readonly disk: SimDisk; readonly known: K }[] = [];
  for (const model of MODELS) {
    const disk = emptyDisk({ seed: LIFE_SEED, model }).image("everything", LIFE_SEED);
    disk.crashAt = crashAt;
    ends.push({ disk, known: await store.liveUntilCrash(disk) });
  }
  for (let i = 0; i < IMAGES_PER_POINT; i += 1) {
    const { disk, known } = ends[i % ends.length]!;
    const survival = SURVIVALS[i % SURVIVALS.length]!;
    const image = disk.image(survival, i);
    await store.recover(image, store.copy(known), random);
    const again = disk.image(survival, i);
    again.crashAt = 1 + random.below(image.operations);
    const knownAgain = store.copy(known);
    await store.recover(again, knownAgain, random);
    if (!again.crashed) again.crash();
    await store.survives(again.image(random.pick(SURVIVALS), random.word()), knownAgain, random);
  }
  return IMAGES_PER_POINT;
}

export function crashedLog(variant: Variant<"wal">): Crashed<Known> {
  return {
    async liveUntilCrash(disk) {
      const known: Known = { durable: 0, attempted: 0, checkpoint: 0 };
      const random = makeRandom(LIFE_SEED);
      while (!disk.crashed) await liveLog(disk, variant, known, random);
      return known;
    },
    copy: (known) => ({ ...known }),
    recover: (disk, known) =>
      unlessCrashed(disk, async () => {
        await using wal = await openLog(disk, variant);
        recovered(wal, known);
      }),
    survives: (disk, known) => check(disk, variant, known),
  };
}

function crashedBlocks(part: Part): Crashed<KnownLog> {
  return {
    async liveUntilCrash(disk) {
      const known = new KnownLog(Number.POSITIVE_INFINITY);
      const random = makeRandom(LIFE_SEED);
      while (!disk.crashed) await liveBlocks(disk, part, known, random);
      return known;
    },
    copy: (known) => known.copy(),
    recover: (disk, known, random) =>
      unlessCrashed(disk, async () => {
        const store = await openBlocks(disk, part.variant);
        await using _blocks = store.blocks;
        recoverBlocks(store, known, random);
      }),
    survives: async (disk, known, random) => void (await liveBlocks(disk, part, known, random)),
  };
}

function crashedEngine(plan: Plan): Crashed<KnownRows> {
  return {
    async liveUntilCrash(disk) {
      const known = new KnownRows();
      const steps = new EngineSteps(known, makeRandom(LIFE_SEED), WINDOW_MS, false);
      while (!disk.crashed) await liveEngine(disk, plan, known, (store) => steps.all(store));
      return known;
    },
    copy: (known) => known.copy(),
    recover: (disk, known) => liveEngine(disk, plan, known, async () => undefined),
    survives: (disk, known, random) => survives(disk, plan, known, random),
  };
}

/** Opens, checks what is there, works and closes, unless the disk crashes on the way. */
async function liveEngine(
  disk: SimDisk,
  plan: Plan,
  known: KnownRows,
  work: (store: Engine) => Promise<void>,
): Promise<void> {
  let store: Engine | null = null;
  await unlessCrashed(disk, async () => {
    store = await openEngine(disk, plan);
    await known.recovered(store);
    await work(store);
    const accepted = known.rows.length;
    await store.close();
    known.durable = accepted;
  });
  if (disk.crashed) await (store as Engine | null)?.close().catch(() => undefined);
}

/** Does something that the crash of the disk may end. */
async function unlessCrashed(disk: SimDisk, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const isSuppressed = error instanceof SuppressedError;
    if (!isExplained(isSuppressed ? error.suppressed : error, disk)) throw error;
  }
}
