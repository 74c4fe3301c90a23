import type { RecoveryMode } from "@varve/contracts";
import type { SimDisk } from "@varve/disk/sim";
import { isStorageError } from "@varve/contracts";
import { cases } from "../case.ts";
import { attempt, holds, refuses } from "../expect.ts";
import {
  append,
  appendMany,
  checkPrefix,
  checkTold,
  damage,
  largestFile,
  openLog,
  persistent,
  type OpenLog,
  type WalTrial,
} from "./wal-steps.ts";

const BATCHES = 40;

export const walDamageCases = cases("wal", {
  "refuses-damage-before-its-tail": {
    title: "refuses damage before its tail with WAL_CORRUPT, in the modes strict and tail",
    disks: ["sim"],
    applies: persistent,
    async run(trial) {
      for (const recovery of ["strict", "tail"] as const) {
        const disk = await damagedLog(trial);
        await refuses("WAL_CORRUPT", `a damaged log in mode ${recovery}`, () =>
          openLog(trial, { disk, recovery }),
        );
      }
    },
  },
  "opens-before-the-damage": {
    title:
      "opens with what lies before the damage in mode pointInTime, and keeps a copy of the rest",
    disks: ["sim"],
    applies: persistent,
    async run(trial) {
      const disk = await damagedLog(trial);
      const { told, recovery, wal } = await openLog(trial, { disk, recovery: "pointInTime" });
      const last = checkPrefix(told);
      holds(last > 0 && last < BATCHES, `some of ${BATCHES} batches are told, got ${last}`);
      holds(recovery.quarantined.length > 0, "what was refused is kept");
      holds(disk.list(trial.needs.quarantineDir).length > 0, "the quarantine has a file");
      append(wal);
      await trial.close(wal);
      checkTold((await openLog(trial, { disk })).told, 1, last + 1);
    },
  },
  "skips-the-damage": {
    title: "skips the damage in mode salvage, and tells whole batches before and after it",
    disks: ["sim"],
    applies: persistent,
    async run(trial) {
      const disk = await damagedLog(trial);
      const { told } = await openLog(trial, { disk, recovery: "salvage" });
      const lsns = [...new Set(told.map((record) => record.lsn))];
      holds(
        lsns.length < BATCHES && lsns.length > 1,
        `some of ${BATCHES} batches are told, got ${lsns.length}`,
      );
      let before = 0;
      for (const lsn of lsns) {
        holds(lsn > before, `batches are told in order: ${lsn} follows ${before}`);
        before = lsn;
        checkTold(
          told.filter((record) => record.lsn === lsn),
          lsn,
          lsn,
        );
      }
      holds(lsns[0] === 1, "what lies before the damage is told");
    },
  },
  "never-tells-damaged-bytes": {
    title: "never tells a damaged record: a flipped bit is refused, or cut and reported",
    disks: ["sim"],
    applies: persistent,
    async run(trial) {
      const clean = await closedLog(trial, 12);
      const { path, size } = largestFile(clean, trial.needs.dir);
      for (let at = 0; at < size; at += stepOf(size)) {
        const disk = clean.image("everything");
        damage(disk, path, at, 1 << trial.random.below(8));
        await checkOutcome(trial, disk, 12, `bit of byte ${at} flipped`);
      }
    },
  },
  "never-hides-a-cut": {
    title: "says that a log was not closed, wherever it was cut, and tells whole batches",
    disks: ["sim"],
    applies: persistent,
    async run(trial) {
      const clean = await closedLog(trial, 12);
      const { path, size } = largestFile(clean, trial.needs.dir);
      for (let length = 0; length < size; length += stepOf(size)) {
        const disk = clean.image("everything");
        const fd = disk.open(path, "update");
        disk.truncate(fd, length);
        disk.close(fd);
        await checkOutcome(trial, disk, 12, `cut to ${length} of ${size} bytes`);
      }
    },
  },
});

/** Every byte would take long: places that share no factor with what a log is made of. */
function stepOf(size: number): number {
  return Math.max(1, Math.floor(size / 250)) | 1;
}

/** Refused with a typed error; or all batches; or fewer, and the report says so. */
async function checkOutcome(
  trial: WalTrial,
  disk: SimDisk,
  batches: number,
  what: string,
): Promise<void> {
  let log: OpenLog | undefined;
  const failure = await attempt(async () => {
    log = await openLog(trial, { disk, recovery: "tail" satisfies RecoveryMode });
  });
  if (failure !== undefined || log === undefined) {
    const isTyped =
      isStorageError(failure, "WAL_CORRUPT") || isStorageError(failure, "UNSUPPORTED_VERSION");
    holds(isTyped, `${what}: refused as WAL_CORRUPT, got ${String(failure?.stack)}`);
    return;
  }
  const last = checkPrefix(log.told);
  const isReported = log.recovery.unclean || log.recovery.bytesCut > 0;
  holds(
    last === batches || isReported,
    `${what}: ${last} of ${batches} batches are told, and that is reported`,
  );
  await trial.kill(log.wal);
}

/** The disk of a log that was closed. */
async function closedLog(trial: WalTrial, batches: number): Promise<SimDisk> {
  const disk = trial.sim.image("nothing");
  const { wal } = await openLog(trial, { disk });
  appendMany(wal, batches);
  await wal.commit();
  await trial.close(wal);
  return disk;
}

/** A closed log with a byte damaged in its first half. */
async function damagedLog(trial: WalTrial): Promise<SimDisk> {
  const disk = await closedLog(trial, BATCHES);
  const { path } = largestFile(disk, trial.needs.dir);
  damage(disk, path, 1500, 0xff);
  return disk;
}
