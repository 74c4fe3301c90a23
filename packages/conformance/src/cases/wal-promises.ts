import type { WriteAheadLog } from "@varve/contracts";
import { cases } from "../case.ts";
import { holds, refuses, same } from "../expect.ts";
import {
  append,
  appendMany,
  checkPrefix,
  checkTold,
  lengthsOf,
  openLog,
  persistent,
} from "./wal-steps.ts";

const KIB = 1024;
const SIZES = [
  [0],
  [1],
  [7],
  [32 * KIB],
  [100 * KIB],
  [0, 0, 1],
  [32 * KIB - 7, 7, 0],
  [100 * KIB, 0, 1],
];

export const walPromiseCases = cases("wal", {
  "counts-batches": {
    title: "counts batches 1, 2, 3 …, and an empty buffer is none",
    async run(trial) {
      const { wal } = await openLog(trial);
      same(wal.accepted, 0, "accepted at first");
      same(wal.append(), 0, "append of nothing");
      for (let lsn = 1; lsn <= 50; lsn += 1) {
        same(append(wal), lsn, "append");
        same(wal.accepted, lsn, "accepted");
        same(wal.append(), lsn, "append of nothing");
      }
      await wal.commit();
      same(wal.append(), 50, "append of nothing after a commit");
      same(wal.stats.batches, 50, "batches counted");
    },
  },
  "empties-its-buffer": {
    title: "has an empty buffer after append, and takes the next batch from it",
    async run(trial) {
      const { wal } = await openLog(trial);
      for (const lengths of SIZES) {
        append(wal, lengths);
        same(wal.buffer.count, 0, "records left in the buffer");
        same(wal.buffer.length, 0, "bytes left in the buffer");
      }
    },
  },
  "keeps-its-marks-in-order": {
    title: "keeps accepted >= written >= durable, and lets none of them fall",
    async run(trial) {
      const { wal } = await openLog(trial);
      let before = [0, 0, 0];
      for (let i = 0; i < 300; i += 1) {
        append(wal);
        if (i % 40 === 39) await wal.commit();
        const { durable, written, accepted } = wal;
        holds(durable <= written && written <= accepted, `${durable} <= ${written} <= ${accepted}`);
        const now = [durable, written, accepted];
        for (const [at, mark] of now.entries())
          holds(mark >= before[at]!, `${mark} follows ${before[at]}`);
        before = now;
      }
    },
  },
  "makes-durable-what-commit-covers": {
    title: "resolves commit, with the durable mark, once all accepted before is durable",
    applies: persistent,
    async run(trial) {
      const { wal } = await openLog(trial);
      same(await wal.commit(), 0, "commit of an empty log");
      for (let round = 0; round < 10; round += 1) {
        appendMany(wal, 5);
        const covered = wal.accepted;
        const committed = wal.commit();
        append(wal);
        const durable = await committed;
        holds(durable >= covered, `commit covers batch ${covered}, got ${durable}`);
        holds(wal.durable >= durable, `durable is at least ${durable}, got ${wal.durable}`);
      }
      const durables = await Promise.all([wal.commit(), wal.commit(), wal.commit()]);
      for (const durable of durables) same(durable, wal.accepted, "durable after several commits");
    },
  },
  "tells-what-was-appended": {
    title: "tells every record of every batch after a clean close, oldest first",
    applies: persistent,
    async run(trial) {
      const first = await openLog(trial);
      same(first.told.length, 0, "records of a new log");
      same(first.recovery.unclean, false, "unclean, of a new log");
      appendMany(first.wal, 200);
      await trial.close(first.wal);
      const { told, recovery, wal } = await openLog(trial);
      checkTold(told, 1, 200);
      same(recovery.lastLsn, 200, "lastLsn");
      same(recovery.unclean, false, "unclean");
      same(recovery.bytesCut, 0, "bytes cut");
      same(recovery.mode, "tail", "mode");
      holds(
        recovery.records >= told.length,
        `the ${told.length} records are counted, got ${recovery.records}`,
      );
      checkMarks(wal, 200);
    },
  },
  "goes-on-when-reopened": {
    title: "goes on with the next number when reopened, many times over",
    applies: persistent,
    async run(trial) {
      for (let life = 0; life < 8; life += 1) {
        const { wal, told } = await openLog(trial);
        checkTold(told, 1, life * 10);
        checkMarks(wal, life * 10);
        appendMany(wal, 10);
        await trial.close(wal);
      }
    },
  },
  "takes-records-of-any-size": {
    title: "takes records of 0 bytes, 1, 7, 32 KiB and 100 KiB, and tells them as they were",
    applies: persistent,
    async run(trial) {
      const first = await openLog(trial);
      for (const lengths of SIZES) append(first.wal, lengths);
      await trial.close(first.wal);
      const { told } = await openLog(trial);
      checkTold(told, 1, SIZES.length, (lsn) => SIZES[lsn - 1]!);
    },
  },
  "fits-records-around-pages": {
    title: "tells records whose ends fall on each side of every page",
    applies: persistent,
    async run(trial) {
      const first = await openLog(trial);
      const sizes: number[][] = [];
      for (let i = 0; i < 80; i += 1) {
        sizes.push([
          trial.random.pick([32, 31, 64]) * KIB - trial.random.below(64),
          trial.random.below(40),
        ]);
        append(first.wal, sizes[i]);
      }
      await trial.close(first.wal);
      const { told } = await openLog(trial);
      checkTold(told, 1, 80, (lsn) => sizes[lsn - 1]!);
    },
  },
  "tells-thousands-of-batches": {
    title: "tells thousands of random batches, committed or not, over several lives",
    applies: persistent,
    async run(trial) {
      let count = 0;
      for (let life = 0; life < 3; life += 1) {
        const { wal, told } = await openLog(trial);
        same(checkPrefix(told), count, "last batch told");
        for (let i = trial.random.below(1500); i >= 0; i -= 1) {
          append(wal);
          count += 1;
          if (trial.random.chance(0.01)) await wal.commit();
        }
        await trial.close(wal);
      }
      checkTold((await openLog(trial)).told, 1, count);
    },
  },
  "keeps-nothing": {
    title: "tells nothing when reopened, and leaves no file",
    applies: ({ traits }) => !traits.persistent,
    async run(trial) {
      const first = await openLog(trial);
      appendMany(first.wal, 20);
      await first.wal.commit();
      await trial.close(first.wal);
      same(trial.needs.disk.kind(trial.needs.dir), "none", "its directory");
      const { told, recovery } = await openLog(trial);
      same(told.length, 0, "records told");
      same(recovery.lastLsn, 0, "lastLsn");
    },
  },
  "counts-bytes": {
    title: "counts batches and record bytes since open, and framed bytes that are no fewer",
    async run(trial) {
      const { wal } = await openLog(trial);
      let bytes = 0;
      for (let lsn = 1; lsn <= 100; lsn += 1) {
        bytes += lengthsOf(lsn).reduce((sum, length) => sum + length, 0);
        append(wal);
      }
      await wal.commit();
      const { stats } = wal;
      same(stats.batches, 100, "batches");
      same(stats.recordBytes, bytes, "record bytes");
      if (!trial.variant.traits.persistent) return;
      holds(
        stats.framedBytes >= bytes,
        `framed bytes include ${bytes} record bytes, got ${stats.framedBytes}`,
      );
      holds(
        stats.bytesOnDisk >= bytes,
        `files hold ${bytes} record bytes, got ${stats.bytesOnDisk}`,
      );
      holds(
        stats.writes > 0 && stats.syncs > 0,
        `writes and syncs are counted: ${stats.writes}, ${stats.syncs}`,
      );
    },
  },
  "refuses-another-stores-log": {
    title: "refuses a log of another store",
    applies: persistent,
    async run(trial) {
      const first = await openLog(trial);
      appendMany(first.wal, 20);
      await trial.close(first.wal);
      await refuses([], "a log of another store", () =>
        openLog(trial, { storeId: "ffffffffffffffffffffffffffffffff" }),
      );
      checkTold((await openLog(trial)).told, 1, 20);
    },
  },
});

/** What replay told is durable before anyone sees it. */
function checkMarks(wal: WriteAheadLog, lsn: number): void {
  same(wal.accepted, lsn, "accepted after replay");
  same(wal.written, lsn, "written after replay");
  same(wal.durable, lsn, "durable after replay");
}
