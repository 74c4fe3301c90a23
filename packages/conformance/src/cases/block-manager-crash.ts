import type { Lsn } from "@varve/contracts";
import type { SimDisk } from "@varve/disk/sim";
import { cases } from "../case.ts";
import { attempt, holds } from "../expect.ts";
import { bitsOf } from "../rows.ts";
import {
  BlockModel,
  fillBatch,
  openStore,
  randomRows,
  read,
  write,
  type BlocksTrial,
  type Row,
} from "./block-steps.ts";

/** What a log would hold, and what the part said of it. */
interface History {
  readonly log: Map<Lsn, Row[]>;
  readonly model: BlockModel;
  lsn: Lsn;
  durableLsn: Lsn;
}

export const blockCrashCases = cases("block-manager", {
  "tells-the-truth-about-durability": {
    title:
      "holds every sample up to the durableLsn that it reported, whatever operation it crashes at",
    disks: ["sim"],
    async run(trial) {
      for (let crashAt = 1; crashAt < 2000; crashAt += 1 + Math.floor(crashAt / 8)) {
        const disk = trial.sim.image("nothing");
        disk.crashAt = crashAt;
        const history = await live(trial, disk, newHistory(), 30);
        for (const survival of ["nothing", "everything", "prefix", "subset"] as const) {
          await checkImage(trial, () => disk.image(survival, crashAt), history);
        }
        if (!disk.crashed) return;
      }
    },
  },
  "lives-on-after-crashes": {
    title:
      "goes on after crash upon crash, also in the middle of recovery, and loses nothing that the log has",
    disks: ["sim"],
    async run(trial) {
      for (let round = 0; round < 15; round += 1) {
        let disk = trial.sim.image("nothing");
        const history = newHistory();
        for (let life = 0; life < 4; life += 1) {
          disk.crashAt = 1 + trial.random.below(200);
          await live(trial, disk, history, 20);
          const seed = trial.random.word();
          const survival = trial.random.pick([
            "nothing",
            "everything",
            "prefix",
            "subset",
          ] as const);
          const crashed = disk;
          await checkImage(trial, () => crashed.image(survival, seed), history);
          disk = crashed.image(survival, seed);
        }
      }
    },
  },
});

function newHistory(): History {
  return { log: new Map(), model: new BlockModel(), lsn: 0, durableLsn: 0 };
}

/** Opens a part, replays what it may lack, and works until the disk crashes. */
async function live(
  trial: BlocksTrial,
  disk: SimDisk,
  history: History,
  batches: number,
): Promise<History> {
  const failure = await attempt(async () => {
    const store = await openStore(trial, { disk });
    try {
      for (const [lsn, rows] of history.log) if (lsn > history.durableLsn) write(store, lsn, rows);
      for (let i = 0; i < batches; i += 1) {
        const rows = randomRows(trial.random, history.model, 8, 1 + trial.random.below(60));
        const batch = fillBatch(store, rows);
        store.blocks.admit(batch, 0, batch.length);
        history.lsn += 1;
        history.log.set(history.lsn, rows); // The log has it: from here on nothing may lose it.
        history.model.write(rows);
        store.blocks.append(batch, 0, batch.length, history.lsn);
        if (!trial.random.chance(0.3)) continue;
        const { durableLsn } = await store.blocks.maintain({
          budgetMs: 1000,
          sealBeforeLsn: trial.random.chance(0.5) ? trial.random.below(history.lsn + 2) : 0,
        });
        history.durableLsn = Math.max(history.durableLsn, durableLsn);
      }
    } finally {
      await trial.kill(store.blocks);
    }
  });
  if (failure !== undefined && !disk.crashed) throw failure;
  return history;
}

/** A part over an image makes nothing up, and has everything once the log's later batches are replayed. */
async function checkImage(
  trial: BlocksTrial,
  image: () => SimDisk,
  history: History,
): Promise<void> {
  for (const from of [history.durableLsn + 1, 1]) {
    const store = await openStore(trial, { disk: image() });
    for (const [ref, rows] of history.model.series) {
      const known = new Set(rows.map(({ time, low, high }) => `${time} ${bitsOf(low, high)}`));
      for (const { time, low, high } of read(store, ref)) {
        holds(
          known.has(`${time} ${bitsOf(low, high)}`),
          `sample at ${time} of series ${ref} was written`,
        );
      }
    }
    for (const [lsn, rows] of history.log) if (lsn >= from) write(store, lsn, rows);
    history.model.check(store, `recovered, and replayed from batch ${from}`);
    await trial.kill(store.blocks);
  }
}
