import type { Lsn } from "@varve/contracts";
import { Crash, type SimDisk, type Survival } from "@varve/disk/sim";
import { cases } from "../case.ts";
import { attempt, holds, same } from "../expect.ts";
import { append, checkPrefix, openLog, persistent, type WalTrial } from "./wal-steps.ts";

const SURVIVALS: readonly Survival[] = ["nothing", "everything", "prefix", "subset", "subset"];

export const walCrashCases = cases("wal", {
  "tells-whole-batches-after-a-crash": {
    title:
      "tells whole batches in order after a crash at any operation, and none fewer than were durable",
    disks: ["sim"],
    applies: persistent,
    async run(trial) {
      for (let crashAt = 1; crashAt < 400; crashAt += 1) {
        const disk = trial.sim.image("nothing");
        disk.crashAt = crashAt;
        const life = await live(trial, disk, 12);
        for (const survival of SURVIVALS) {
          await checkImage(trial, disk.image(survival, crashAt), life);
        }
        if (!disk.crashed) return;
      }
    },
  },
  "lives-on-after-crashes": {
    title: "goes on after crash upon crash, also in the middle of recovery",
    disks: ["sim"],
    applies: persistent,
    async run(trial) {
      for (let round = 0; round < 40; round += 1) {
        let disk = trial.sim.image("nothing");
        let life = { durable: 0, attempted: 0 };
        for (let i = 0; i < 4; i += 1) {
          disk.crashAt = 1 + trial.random.below(120);
          const before = life;
          life = await live(trial, disk, 1 + trial.random.below(20), before);
          const image = disk.image(trial.random.pick(SURVIVALS), trial.random.word());
          life = { ...life, durable: await checkImage(trial, image.image("everything"), life) };
          disk = image;
        }
      }
    },
  },
  "cuts-a-torn-tail": {
    title: "says that the log was not closed, cuts what a crash tore, and goes on after it",
    disks: ["sim"],
    applies: persistent,
    async run(trial) {
      const { wal } = await openLog(trial);
      for (let i = 0; i < 10; i += 1) append(wal);
      await wal.commit();
      const image = trial.sim.image("everything");
      const again = await openLog(trial, { disk: image });
      same(again.recovery.unclean, true, "unclean");
      same(checkPrefix(again.told), 10, "last batch told");
      append(again.wal);
      await again.wal.commit();
      await trial.close(again.wal);
      const third = await openLog(trial, { disk: image });
      same(third.recovery.unclean, false, "unclean after a clean close");
      same(checkPrefix(third.told), 11, "last batch told");
    },
  },
  "makes-durable-what-it-tells": {
    title: "makes durable what it tells: a second crash right after replay loses none of it",
    disks: ["sim"],
    applies: persistent,
    async run(trial) {
      for (let round = 0; round < 60; round += 1) {
        const disk = trial.sim.image("nothing");
        disk.crashAt = 20 + trial.random.below(60);
        await live(trial, disk, 30);
        const image = disk.image(trial.random.pick(SURVIVALS), round);
        const again = await openLog(trial, { disk: image });
        const told = checkPrefix(again.told);
        same(again.wal.durable, told, "durable after replay");
        const lost = image.image("nothing");
        const third = await openLog(trial, { disk: lost });
        same(checkPrefix(third.told), told, "last batch told after a second crash");
        await trial.kill(again.wal);
        await trial.kill(third.wal);
      }
    },
  },
});

interface Life {
  /** The last batch that was known to be durable, and the last that was offered. */
  readonly durable: Lsn;
  readonly attempted: Lsn;
}

/** Opens a log and appends batches until the disk crashes. */
async function live(
  trial: WalTrial,
  disk: SimDisk,
  batches: number,
  before: Life = { durable: 0, attempted: 0 },
): Promise<Life> {
  let { durable, attempted } = before;
  const failure = await attempt(async () => {
    const { wal, told } = await openLog(trial, { disk });
    try {
      durable = Math.max(durable, checkPrefix(told));
      for (let i = 0; i < batches; i += 1) {
        attempted = wal.accepted + 1;
        append(wal);
        durable = Math.max(durable, wal.durable);
        if (trial.random.chance(0.4)) durable = Math.max(durable, await wal.commit());
      }
    } finally {
      await trial.kill(wal);
    }
  });
  const isCrash = failure === undefined || disk.crashed;
  if (!isCrash) throw failure;
  holds(
    failure === undefined || failure instanceof Crash || disk.crashed,
    "only the crash stops it",
  );
  return { durable, attempted: Math.max(attempted, durable) };
}

/** Recovers an image, checks what it tells, appends more, and returns the last batch told. */
async function checkImage(trial: WalTrial, image: SimDisk, life: Life): Promise<Lsn> {
  const again = await openLog(trial, { disk: image });
  const last = checkPrefix(again.told);
  holds(last >= life.durable, `batch ${life.durable} was durable, ${last} are told`);
  holds(last <= life.attempted, `batch ${last} was offered, of ${life.attempted}`);
  same(append(again.wal), last + 1, "the next batch");
  await again.wal.commit();
  const third = await openLog(trial, { disk: image.image("nothing") });
  same(checkPrefix(third.told), last + 1, "last batch told after going on");
  await trial.kill(third.wal);
  await trial.kill(again.wal);
  return last;
}
