import { makeColumns } from "@varve/bytes";
import { ACCEPTED, OPEN } from "@varve/contracts";
import { cases } from "../case.ts";
import { holds } from "../expect.ts";
import {
  BlockModel,
  checkStatuses,
  fillBatch,
  openStore,
  randomRows,
  read,
  rowsOf,
  sameRows,
} from "./block-steps.ts";

const SERIES = 30;

export const blockModelCases = cases("block-manager", {
  "does-as-arrays-do": {
    title:
      "does as arrays do over thousands of random rows, withdrawals, pins and rounds of maintenance",
    async run(trial) {
      const { random } = trial;
      const store = await openStore(trial);
      const model = new BlockModel();
      let lsn = 0;
      for (let i = 0; i < 600; i += 1) {
        const first = randomRows(random, model, SERIES, 1 + random.below(40));
        const batch = fillBatch(store, first);
        const before = new BlockModel();
        for (const [ref, rows] of model.series) before.series.set(ref, [...rows]);
        store.blocks.admit(batch, 0, batch.length);
        const statuses = model.write(first);
        checkStatuses(batch, statuses, `batch ${i}`);
        if (random.chance(0.15)) {
          store.blocks.withdraw(batch, 0, batch.length);
          const open = statuses.map((status) => (status === ACCEPTED ? OPEN : status));
          checkStatuses(batch, open, `batch ${i}, withdrawn`);
          model.series.clear();
          for (const [ref, rows] of before.series) model.series.set(ref, rows);
        } else {
          lsn += 1;
          store.blocks.append(batch, 0, batch.length, lsn);
        }
        if (random.chance(0.1)) {
          const report = await store.blocks.maintain({
            budgetMs: random.below(3),
            ...(random.chance(0.5) ? { sealBeforeLsn: random.below(lsn + 2) } : {}),
          });
          holds(report.durableLsn <= lsn, `durableLsn is at most ${lsn}, got ${report.durableLsn}`);
        }
        if (random.chance(0.2)) {
          const ref = 1 + random.below(SERIES);
          const from = random.below(3000) - 500;
          const until = from + random.below(2000);
          const wanted = model.rowsOf(ref).filter(({ time }) => time >= from && time < until);
          sameRows(read(store, ref, from, until), wanted, `series ${ref}, ${from} … ${until}`);
        }
      }
      model.check(store, "at the end");
    },
  },
  "keeps-pins-as-they-were": {
    title: "keeps pins as they were taken over thousands of random rows and rounds of maintenance",
    async run(trial) {
      const { random } = trial;
      const store = await openStore(trial);
      const model = new BlockModel();
      let pins: {
        pin: ReturnType<typeof store.blocks.pin>;
        ref: number;
        rows: ReturnType<typeof read>;
      }[] = [];
      for (let lsn = 1; lsn <= 400; lsn += 1) {
        const rows = randomRows(random, model, 6, 1 + random.below(40));
        const batch = fillBatch(store, rows);
        store.blocks.admit(batch, 0, batch.length);
        model.write(rows);
        store.blocks.append(batch, 0, batch.length, lsn);
        if (random.chance(0.2)) {
          const ref = 1 + random.below(6);
          pins.push({
            pin: store.blocks.pin(Uint32Array.of(ref), 1),
            ref,
            rows: [...model.rowsOf(ref)],
          });
        }
        if (random.chance(0.1)) {
          await store.blocks.maintain({ budgetMs: 5, sealBeforeLsn: random.chance(0.5) ? lsn : 0 });
        }
        if (!random.chance(0.1)) continue;
        for (const { pin, ref, rows: wanted } of pins) {
          const into = makeColumns();
          pin.read(0, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, into);
          sameRows(rowsOf(ref, into), wanted, `pin of series ${ref}`);
          pin[Symbol.dispose]();
        }
        pins = [];
      }
    },
  },
});
