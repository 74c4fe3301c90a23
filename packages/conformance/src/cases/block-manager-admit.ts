import {
  ACCEPTED,
  BAD_TIME,
  CONFLICT,
  LIMIT,
  OPEN,
  OUT_OF_ORDER,
  REPEATED,
} from "@varve/contracts";
import { cases } from "../case.ts";
import { holds, same, sameList } from "../expect.ts";
import { AWKWARD_BITS } from "../rows.ts";
import {
  checkStatuses,
  fillBatch,
  openStore,
  read,
  rowOf,
  sameRows,
  write,
  writeAll,
  type Row,
} from "./block-steps.ts";

const KIB = 1024;

export const blockAdmitCases = cases("block-manager", {
  "keeps-what-was-appended": {
    title: "reads the samples that were appended, oldest first, each series its own",
    async run(trial) {
      const store = await openStore(trial);
      const rows = Array.from({ length: 900 }, (_, i) => rowOf(1 + (i % 9), 1000 + i, i));
      writeAll(store, 1, rows);
      for (let ref = 1; ref <= 9; ref += 1) {
        sameRows(
          read(store, ref),
          rows.filter((row) => row.ref === ref),
          `series ${ref}`,
        );
      }
    },
  },
  "decides-rows": {
    title: "accepts newer rows, and tells repeated, conflicting and older ones apart",
    async run(trial) {
      const store = await openStore(trial);
      writeAll(store, 1, [rowOf(1, 100, 5), rowOf(2, 100, 5)]);
      const rows = [
        rowOf(1, 100, 5),
        rowOf(1, 100, 6),
        rowOf(1, 99, 5),
        rowOf(1, 101, 5),
        rowOf(2, -5, 5),
      ];
      sameList(
        write(store, 2, rows),
        [REPEATED, CONFLICT, OUT_OF_ORDER, ACCEPTED, OUT_OF_ORDER],
        "statuses",
      );
      sameRows(read(store, 1), [rowOf(1, 100, 5), rowOf(1, 101, 5)], "series 1");
      sameRows(read(store, 2), [rowOf(2, 100, 5)], "series 2");
    },
  },
  "sees-earlier-rows-of-a-batch": {
    title: "decides a row by the rows before it in the same batch",
    async run(trial) {
      const store = await openStore(trial);
      const rows = [1, 2, 2, 1, 3].map((time) => rowOf(7, time, time));
      sameList(
        write(store, 1, rows),
        [ACCEPTED, ACCEPTED, REPEATED, OUT_OF_ORDER, ACCEPTED],
        "statuses",
      );
      sameList(
        read(store, 7).map(({ time }) => time),
        [1, 2, 3],
        "times",
      );
    },
  },
  "compares-bits": {
    title: "compares values bit by bit: equal NaNs repeat, other NaNs and -0 against 0 conflict",
    async run(trial) {
      const store = await openStore(trial);
      let lsn = 0;
      for (const [i, [low, high]] of AWKWARD_BITS.entries()) {
        const ref = i + 1;
        writeAll(store, (lsn += 1), [{ ref, time: 50, low, high }]);
        for (const [otherLow, otherHigh] of AWKWARD_BITS) {
          const isSame = otherLow === low && otherHigh === high;
          const [status] = write(store, (lsn += 1), [
            { ref, time: 50, low: otherLow, high: otherHigh },
          ]);
          same(status, isSame ? REPEATED : CONFLICT, `value ${i} against another`);
        }
        sameRows(read(store, ref), [{ ref, time: 50, low, high }], `series ${ref}`);
      }
    },
  },
  "leaves-decided-rows-alone": {
    title: "leaves rows alone that are not OPEN, and rows outside the range",
    async run(trial) {
      const store = await openStore(trial);
      const batch = fillBatch(
        store,
        [1, 2, 3, 4, 5].map((ref) => rowOf(ref, 10, ref)),
      );
      batch.status[1] = BAD_TIME;
      batch.status[2] = LIMIT;
      store.blocks.admit(batch, 1, 4);
      checkStatuses(batch, [OPEN, BAD_TIME, LIMIT, ACCEPTED, OPEN], "after admit");
      store.blocks.append(batch, 1, 4, 1);
      for (const ref of [1, 2, 3, 5]) same(read(store, ref).length, 0, `samples of series ${ref}`);
      same(read(store, 4).length, 1, "samples of series 4");
    },
  },
  "admits-several-times-before-append": {
    title: "lets rows of several admits wait for one append, and decides by those that wait",
    async run(trial) {
      const store = await openStore(trial);
      const rows = [
        rowOf(1, 10, 1),
        rowOf(2, 10, 1),
        rowOf(1, 10, 1),
        rowOf(1, 9, 1),
        rowOf(1, 11, 1),
      ];
      const batch = fillBatch(store, rows);
      for (let row = 0; row < rows.length; row += 1) store.blocks.admit(batch, row, row + 1);
      checkStatuses(batch, [ACCEPTED, ACCEPTED, REPEATED, OUT_OF_ORDER, ACCEPTED], "after admits");
      same(read(store, 1).length, 0, "samples read before append");
      store.blocks.append(batch, 0, rows.length, 1);
      sameList(
        read(store, 1).map(({ time }) => time),
        [10, 11],
        "times of series 1",
      );
      sameList(
        read(store, 2).map(({ time }) => time),
        [10],
        "times of series 2",
      );
    },
  },
  "forgets-what-is-withdrawn": {
    title: "forgets withdrawn rows: they are OPEN again, and decide nothing any more",
    async run(trial) {
      const store = await openStore(trial);
      writeAll(store, 1, [rowOf(1, 10, 1)]);
      const batch = fillBatch(store, [rowOf(1, 10, 1), rowOf(1, 20, 2), rowOf(2, 20, 2)]);
      store.blocks.admit(batch, 0, 3);
      store.blocks.withdraw(batch, 0, 3);
      checkStatuses(batch, [REPEATED, OPEN, OPEN], "after withdraw");
      same(read(store, 2).length, 0, "samples of a series whose only row was withdrawn");
      sameList(
        write(store, 2, [rowOf(1, 15, 3), rowOf(2, 5, 3)]),
        [ACCEPTED, ACCEPTED],
        "older rows",
      );
      sameRows(read(store, 1), [rowOf(1, 10, 1), rowOf(1, 15, 3)], "series 1");
      sameRows(read(store, 2), [rowOf(2, 5, 3)], "series 2");
    },
  },
  "withdraws-the-latest-only": {
    title: "keeps earlier admitted rows when the latest are withdrawn",
    async run(trial) {
      const store = await openStore(trial);
      const batch = fillBatch(store, [
        rowOf(1, 10, 1),
        rowOf(2, 10, 1),
        rowOf(1, 20, 2),
        rowOf(3, 20, 2),
      ]);
      store.blocks.admit(batch, 0, 2);
      store.blocks.admit(batch, 2, 4);
      store.blocks.withdraw(batch, 2, 4);
      checkStatuses(batch, [ACCEPTED, ACCEPTED, OPEN, OPEN], "after withdraw");
      store.blocks.append(batch, 0, 2, 1);
      sameList(
        write(store, 2, [rowOf(1, 10, 1), rowOf(1, 15, 2)]),
        [REPEATED, ACCEPTED],
        "next rows",
      );
      sameRows(read(store, 1), [rowOf(1, 10, 1), rowOf(1, 15, 2)], "series 1");
      same(read(store, 3).length, 0, "samples of series 3");
    },
  },
  "withdraws-as-often-as-needed": {
    title: "takes a batch after it was withdrawn hundreds of times, across full chunks",
    async run(trial) {
      const store = await openStore(trial);
      const kept: Row[] = [];
      for (let i = 0; i < 500; i += 1) {
        const rows = Array.from({ length: 5 }, (_, j) => rowOf(1, i * 10 + j, i));
        const batch = fillBatch(store, rows);
        store.blocks.admit(batch, 0, 5);
        store.blocks.withdraw(batch, 0, 5);
        store.blocks.admit(batch, 0, 5);
        checkStatuses(batch, [ACCEPTED, ACCEPTED, ACCEPTED, ACCEPTED, ACCEPTED], `round ${i}`);
        store.blocks.append(batch, 0, 5, i + 1);
        kept.push(...rows);
      }
      sameRows(read(store, 1), kept, "series 1");
    },
  },
  "takes-any-time": {
    title: "keeps times below zero and at both ends of the safe integers",
    async run(trial) {
      const store = await openStore(trial);
      const times = [-(2 ** 52), -86_400_000, -1, 0, 1, 2 ** 40, 2 ** 52];
      writeAll(
        store,
        1,
        times.map((time) => rowOf(1, time, 1)),
      );
      sameList(
        read(store, 1).map(({ time }) => time),
        times,
        "times",
      );
      const { MIN_SAFE_INTEGER: min, MAX_SAFE_INTEGER: max } = Number;
      writeAll(store, 2, [rowOf(2, min, 1), rowOf(2, max, 2)]);
      sameList(
        read(store, 2).map(({ time }) => time),
        [min, max],
        "times at the ends",
      );
    },
  },
  "answers-limit-when-memory-is-full": {
    title:
      "answers LIMIT, and throws nothing, when the allocator is full; what it accepted it keeps",
    async run(trial) {
      const store = await openStore(trial, { allocatorBytesMax: 256 * KIB });
      let limited = 0;
      const kept: Row[] = [];
      let lsn = 0;
      // A part that writes in append may need no memory for what it wrote.
      const mayWrite = trial.variant.traits.persistsInAppend;
      const refs = mayWrite ? 2000 : 20_000;
      for (let ref = 1; ref <= refs && limited === 0; ref += 100) {
        const rows = Array.from({ length: 100 }, (_, i) => rowOf(ref + i, 1, ref + i));
        const statuses = write(store, (lsn += 1), rows);
        for (const [i, status] of statuses.entries()) {
          if (status === LIMIT) limited += 1;
          else kept.push(rows[i]!);
          holds(
            status === LIMIT || status === ACCEPTED,
            `a new series is accepted or LIMIT, got ${status}`,
          );
        }
      }
      holds(limited > 0 || mayWrite, "256 KiB do not hold 20,000 series");
      holds(kept.length > 0, "256 KiB hold a series");
      for (const row of kept) sameRows(read(store, row.ref), [row], `series ${row.ref}`);
    },
  },
  "counts-truthfully": {
    title: "counts series and samples applied, and knows its highest ref",
    async run(trial) {
      const store = await openStore(trial);
      same(store.blocks.refMax, 0, "refMax of an empty part");
      writeAll(store, 1, [rowOf(3, 1, 1), rowOf(9, 1, 1), rowOf(3, 2, 1)]);
      write(store, 2, [rowOf(3, 2, 1), rowOf(3, 1, 1)]);
      same(store.blocks.stats.samples, 3, "samples");
      same(store.blocks.stats.series, 2, "series");
      same(store.blocks.refMax, 9, "refMax");
    },
  },
});
