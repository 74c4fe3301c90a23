import type { Lsn, WriteAheadLog } from "@varve/contracts";
import { cases } from "../case.ts";
import { attempt, holds, same } from "../expect.ts";
import { append, appendMany, checkTold, openLog, persistent, type Told } from "./wal-steps.ts";

const KEPT = 7;

export const walCheckpointCases = cases("wal", {
  "tells-the-checkpoint-first": {
    title: "tells a checkpoint's records first, then every batch after it",
    applies: persistent,
    async run(trial) {
      const { wal } = await openLog(trial);
      appendMany(wal, 30);
      await wal.commit();
      await checkpoint(wal, 20);
      await wal.truncateBefore(21);
      appendMany(wal, 5);
      await trial.close(wal);
      const again = await openLog(trial);
      checkStory(again.told, 20, 35);
      same(again.wal.accepted, 35, "accepted after replay");
      same(append(again.wal), 36, "number of the next batch");
      await trial.close(again.wal);
      checkStory((await openLog(trial)).told, 20, 36);
    },
  },
  "stands-for-all-of-the-log": {
    title: "goes on with the next number when a checkpoint stands for every batch",
    applies: persistent,
    async run(trial) {
      let { wal } = await openLog(trial);
      appendMany(wal, 10);
      await checkpoint(wal, 10);
      await wal.truncateBefore(11);
      for (let life = 0; life < 3; life += 1) {
        await trial.close(wal);
        const again = await openLog(trial);
        checkStory(again.told, 10, 10 + life);
        ({ wal } = again);
        same(append(wal), 11 + life, "number of the next batch");
      }
    },
  },
  "replaces-an-older-checkpoint": {
    title: "tells the newest of several checkpoints only",
    applies: persistent,
    async run(trial) {
      const { wal } = await openLog(trial);
      for (let round = 1; round <= 4; round += 1) {
        appendMany(wal, 10);
        await wal.commit();
        await checkpoint(wal, round * 10 - 2);
        await wal.truncateBefore(round * 10 - 1);
      }
      await trial.close(wal);
      checkStory((await openLog(trial)).told, 38, 40);
    },
  },
  "survives-a-crash-at-a-checkpoint": {
    title:
      "tells all batches, or a checkpoint and what follows it, after a crash at any operation of a checkpoint",
    disks: ["sim"],
    applies: persistent,
    async run(trial) {
      const first = await openLog(trial);
      appendMany(first.wal, 20);
      await first.wal.commit();
      const start = trial.sim.image("everything");
      await trial.close(first.wal);
      for (let crashAt = 1; crashAt < 300; crashAt += 1) {
        const disk = start.image("everything");
        disk.crashAt = crashAt;
        let isDone = false;
        await attempt(async () => {
          const { wal } = await openLog(trial, { disk });
          try {
            await checkpoint(wal, 15);
            isDone = true;
            await wal.truncateBefore(16);
          } finally {
            await trial.kill(wal);
          }
        });
        for (const survival of ["nothing", "everything", "prefix", "subset"] as const) {
          const again = await openLog(trial, { disk: disk.image(survival, crashAt) });
          if (isDone || again.told[0]?.bytes.length === RECORD_BYTES)
            checkStory(again.told, 15, 20);
          else checkTold(again.told, 1, 20);
          same(append(again.wal), 21, "number of the next batch");
          await trial.kill(again.wal);
        }
        if (!disk.crashed) return;
      }
    },
  },
});

/** Longer than any record of a batch, so that it cannot be mistaken for one. */
const RECORD_BYTES = 4001;

async function checkpoint(wal: WriteAheadLog, until: Lsn): Promise<void> {
  let calls = 0;
  await wal.checkpoint((into) => {
    same(into.count, 0, "records in the buffer that fill is called with");
    same(into.length, 0, "bytes in the buffer that fill is called with");
    if (calls === KEPT) return false;
    into.reserve(RECORD_BYTES);
    into.bytes.set(keptRecord(until, calls), into.length);
    into.length += RECORD_BYTES;
    into.endRecord();
    calls += 1;
    return true;
  }, until);
  same(calls, KEPT, "times that fill had something to keep");
}

function keptRecord(until: Lsn, i: number): Uint8Array {
  const bytes = new Uint8Array(RECORD_BYTES).fill(i + until);
  bytes[0] = 1;
  return bytes;
}

/** The checkpoint's records, then batches: all that it does not stand for, perhaps some that it does. */
function checkStory(told: readonly Told[], until: Lsn, last: Lsn): void {
  for (let i = 0; i < KEPT; i += 1) {
    const record = told[i];
    holds(record !== undefined, `record ${i} of the checkpoint is told`);
    const isSame = Buffer.from(record.bytes).equals(keptRecord(until, i));
    holds(isSame, `record ${i} of the checkpoint is told as it was kept`);
  }
  const batches = told.slice(KEPT);
  const from = batches[0]?.lsn ?? last + 1;
  holds(from <= until + 1, `batches are told from ${until + 1} on, got ${from}`);
  checkTold(batches, from, last);
}
