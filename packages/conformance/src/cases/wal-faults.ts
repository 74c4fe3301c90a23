import { isStorageError } from "@varve/contracts";
import { cases } from "../case.ts";
import { attempt, holds, refuses, same } from "../expect.ts";
import {
  append,
  appendMany,
  checkPrefix,
  checkTold,
  fill,
  openLog,
  persistent,
} from "./wal-steps.ts";

export const walFaultCases = cases("wal", {
  "is-poisoned-by-a-failed-sync": {
    title:
      "is poisoned by a failed sync, never syncs that file again, and tells what was durable when reopened",
    disks: ["sim"],
    applies: persistent,
    async run(trial) {
      const { sim } = trial;
      const { wal } = await openLog(trial);
      appendMany(wal, 10);
      await wal.commit();
      let failed = "";
      let retries = 0;
      sim.fault = (_number, operation, path) => {
        if (operation !== "datasync") return undefined;
        if (failed === path) retries += 1;
        if (failed !== "") return undefined; // A retry would succeed, and lie.
        failed = path;
        return "EIO";
      };
      await refuses([], "a batch whose sync fails", async () => {
        append(wal);
        await wal.commit();
      });
      holds(failed !== "", "the log syncs");
      for (let i = 0; i < 3; i += 1) {
        fill(wal, 99);
        await refuses("POISONED", "append to a poisoned log", () => wal.append());
        same(wal.buffer.count, 0, "records left in the buffer");
        await refuses("POISONED", "commit of a poisoned log", () => wal.commit());
      }
      same(wal.durable, 10, "durable");
      same(retries, 0, "syncs of the file whose sync failed");
      const image = sim.image("nothing");
      await trial.kill(wal);
      same(retries, 0, "syncs of the file whose sync failed, on close");
      const again = await openLog(trial, { disk: image });
      holds(checkPrefix(again.told) >= 10, "what was durable is told");
      append(again.wal);
      await again.wal.commit();
    },
  },
  "is-poisoned-by-a-failed-write": {
    title: "is poisoned by a failed write, and tells what was durable when reopened",
    disks: ["sim"],
    applies: persistent,
    async run(trial) {
      const { sim } = trial;
      const { wal } = await openLog(trial);
      appendMany(wal, 10);
      await wal.commit();
      let isArmed = true;
      sim.fault = (_number, operation) => {
        if (operation !== "write" || !isArmed) return undefined;
        isArmed = false;
        return "EIO";
      };
      await refuses([], "a batch whose write fails", async () => {
        append(wal);
        await wal.commit();
      });
      fill(wal, 99);
      await refuses("POISONED", "append to a poisoned log", () => wal.append());
      await refuses("POISONED", "commit of a poisoned log", () => wal.commit());
      await trial.kill(wal);
      const again = await openLog(trial);
      holds(checkPrefix(again.told) >= 10, "what was durable is told");
      append(again.wal);
      await again.wal.commit();
    },
  },
  "survives-a-full-disk": {
    title:
      "refuses with STORAGE_FULL while the disk is full, keeps nothing of what it refused, and goes on afterwards",
    disks: ["sim"],
    applies: persistent,
    async run(trial) {
      const { sim } = trial;
      const { wal } = await openLog(trial);
      appendMany(wal, 10);
      await wal.commit();
      sim.fault = (_number, operation) => (operation === "write" ? "ENOSPC" : undefined);
      let refused = 0;
      for (let i = 0; i < 5; i += 1) {
        const before = wal.accepted;
        fill(wal, before + 1);
        const failure = await attempt(() => wal.append());
        if (failure !== undefined) same(wal.accepted, before, "accepted after a refusal");
        same(wal.buffer.count, 0, "records left in the buffer");
        for (const error of [failure, await attempt(() => wal.commit())]) {
          if (error === undefined) continue;
          holds(
            isStorageError(error, "STORAGE_FULL"),
            `a full disk is STORAGE_FULL, got ${error.message}`,
          );
          refused += 1;
        }
      }
      holds(refused > 0, "a full disk is reported");
      sim.fault = undefined;
      append(wal);
      const durable = await wal.commit();
      same(durable, wal.accepted, "durable once there is room");
      await trial.close(wal);
      checkTold((await openLog(trial)).told, 1, durable);
    },
  },
  "takes-short-writes-and-reads": {
    title: "writes and reads on when the disk takes or gives fewer bytes",
    disks: ["sim"],
    applies: persistent,
    async run(trial) {
      const { sim, random } = trial;
      sim.fault = (_number, operation) =>
        (operation === "write" || operation === "read") && random.chance(0.7)
          ? 1 + random.below(40)
          : undefined;
      const first = await openLog(trial);
      appendMany(first.wal, 60);
      await first.wal.commit();
      await trial.close(first.wal);
      checkTold((await openLog(trial)).told, 1, 60);
    },
  },
  "fails-typed-at-every-operation": {
    title: "loses nothing durable when any one operation fails, and fails with a StorageError",
    disks: ["sim"],
    applies: persistent,
    async run(trial) {
      for (let at = 1; at < 400; at += 1) {
        const disk = trial.sim.image("nothing");
        let isHit = false;
        disk.fault = (number) => {
          if (number !== at) return undefined;
          isHit = true;
          return "EIO";
        };
        let durable = 0;
        const failure = await attempt(async () => {
          const { wal } = await openLog(trial, { disk });
          try {
            for (let i = 0; i < 6; i += 1) {
              append(wal);
              durable = await wal.commit();
            }
          } finally {
            await trial.kill(wal);
          }
        });
        if (failure !== undefined) {
          holds(
            isStorageError(failure),
            `failure of operation ${at} is typed: ${String(failure.stack)}`,
          );
        }
        const again = await openLog(trial, { disk: disk.image("nothing") });
        const last = checkPrefix(again.told);
        holds(
          last >= durable,
          `operation ${at} fails: batch ${durable} was durable, ${last} are told`,
        );
        await trial.kill(again.wal);
        if (!isHit) return;
      }
    },
  },
});
