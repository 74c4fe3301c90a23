import { cases } from "../case.ts";
import { holds, same } from "../expect.ts";
import { append, checkTold, openLog } from "./wal-steps.ts";

/** How long a worker may take to write and sync one batch, on a slow disk. */
const WORKER_MS_MAX = 10_000;

export const walAcknowledgesCases = cases("wal", {
  "acknowledges-as-durable": {
    title:
      "returns from append once the batch is durable: it survives the loss of all that was not synced",
    disks: ["sim"],
    applies: ({ traits }) => traits.acknowledges === "durable",
    async run(trial) {
      const { wal } = await openLog(trial);
      for (let i = 0; i < 20; i += 1) {
        const lsn = append(wal);
        holds(wal.durable >= lsn, `durable covers batch ${lsn}, got ${wal.durable}`);
        const again = await openLog(trial, { disk: trial.sim.image("nothing") });
        checkTold(again.told, 1, lsn);
        await trial.close(again.wal);
      }
    },
  },
  "acknowledges-as-written": {
    title: "returns from append once the batch is written: it survives the death of the process",
    disks: ["sim"],
    applies: ({ traits }) => traits.acknowledges === "written",
    async run(trial) {
      const { wal } = await openLog(trial);
      let isBehind = false;
      for (let i = 0; i < 20; i += 1) {
        const lsn = append(wal);
        isBehind ||= wal.durable < lsn;
        holds(wal.written >= lsn, `written covers batch ${lsn}, got ${wal.written}`);
        const again = await openLog(trial, { disk: trial.sim.image("everything") });
        checkTold(again.told, 1, lsn);
        await trial.close(again.wal);
      }
      holds(isBehind, "append returns before the batch is durable");
    },
  },
  "acknowledges-as-accepted": {
    title: "returns from append before the batch is durable, and commit makes it so",
    applies: ({ traits }) => traits.acknowledges === "accepted" && traits.persistent,
    async run(trial) {
      const { wal } = await openLog(trial);
      let isBehind = false;
      for (let i = 0; i < 20; i += 1) isBehind = append(wal) > wal.durable || isBehind;
      holds(isBehind, "append returns before the batch is durable");
      same(await wal.commit(), 20, "durable after commit");
    },
  },
  "writes-beside-the-caller": {
    title: "writes and syncs while the caller's thread is blocked",
    disks: ["node"],
    applies: ({ traits }) => traits.threaded,
    async run(trial) {
      const { wal } = await openLog(trial);
      const lsn = append(wal);
      const until = performance.now() + WORKER_MS_MAX;
      while (wal.durable < lsn && performance.now() < until) block(1);
      holds(
        wal.durable >= lsn,
        `batch ${lsn} is durable while this thread is blocked, got ${wal.durable}`,
      );
    },
  },
  "writes-on-the-callers-thread": {
    title: "writes nothing while the caller's thread is blocked",
    applies: ({ traits }) => !traits.threaded,
    async run(trial) {
      const { wal } = await openLog(trial);
      append(wal);
      const { written, durable } = wal;
      block(50);
      same(wal.written, written, "written after the thread was blocked");
      same(wal.durable, durable, "durable after the thread was blocked");
    },
  },
});

/** Blocks this thread: no event of it is served meanwhile. */
function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
