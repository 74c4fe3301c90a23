import { makeColumns } from "@varve/bytes";
import { cases } from "../case.ts";
import { same, sameList } from "../expect.ts";
import {
  openStore,
  persist,
  read,
  rowOf,
  rowsOf,
  sameRows,
  writeAll,
  type Row,
  type Store,
} from "./block-steps.ts";

const series = (ref: number, count: number, from = 0): Row[] =>
  Array.from({ length: count }, (_, i) => rowOf(ref, (from + i) * 10, from + i));

export const blockPinCases = cases("block-manager", {
  "reads-half-open-ranges": {
    title: "reads from <= time < until, across chunks in memory and on disk",
    async run(trial) {
      const store = await openStore(trial);
      const rows = series(1, 700);
      writeAll(store, 1, rows.slice(0, 400));
      await persist(store.blocks, 1);
      writeAll(store, 2, rows.slice(400));
      const bounds = [
        -5, 0, 1, 9, 10, 11, 1190, 1200, 1201, 3990, 4000, 4001, 6989, 6990, 6991, 9999,
      ];
      for (const from of bounds) {
        for (const until of bounds) {
          const wanted = rows.filter(({ time }) => time >= from && time < until);
          sameRows(read(store, 1, from, until), wanted, `${from} … ${until}`);
        }
      }
    },
  },
  "pins-many-series": {
    title:
      "reads pinned series by their position, twice if pinned twice, unknown ones empty, behind what is there",
    async run(trial) {
      const store = await openStore(trial);
      writeAll(
        store,
        1,
        [1, 2, 3].flatMap((ref) => series(ref, 100 * ref)),
      );
      const refs = [3, 99, 1, 0, 3, 2, 2 ** 32 - 1];
      using pin = store.blocks.pin(Uint32Array.of(...refs, 1), refs.length);
      const into = makeColumns({ capacity: 1 });
      let length = 0;
      for (const [i, ref] of refs.entries()) {
        pin.read(i, 0, 1e9, into);
        const samples = ref >= 1 && ref <= 3 ? 100 * ref : 0;
        same(into.length - length, samples, `samples of pinned series ${i}`);
        length = into.length;
      }
      sameRows(rowsOf(3, into).slice(0, 300), series(3, 300), "series 3");
    },
  },
  "hides-later-writes": {
    title: "does not show what is appended after the pin, and still shows it to later pins",
    async run(trial) {
      const store = await openStore(trial);
      const rows = series(1, 600);
      const pins: [pin: ReturnType<Store["blocks"]["pin"]>, count: number][] = [];
      for (let count = 0; count < 600; count += 20) {
        pins.push([store.blocks.pin(Uint32Array.of(1, 2), 2), count]);
        writeAll(store, count + 1, rows.slice(count, count + 20));
      }
      writeAll(store, 1000, [rowOf(2, 1, 1)]);
      for (const [pin, count] of pins) {
        const into = makeColumns();
        pin.read(0, 0, 1e9, into);
        sameRows(rowsOf(1, into), rows.slice(0, count), `pin at ${count}`);
        pin.read(1, 0, 1e9, into);
        same(into.length, count, "samples of a series that was not there");
        pin[Symbol.dispose]();
      }
      sameRows(read(store, 1), rows, "series 1");
    },
  },
  "keeps-pinned-samples-readable": {
    title: "keeps what a pin reaches readable while chunks are sealed, persisted and released",
    async run(trial) {
      const store = await openStore(trial);
      const rows = series(1, 500);
      const more = series(1, 500, 500);
      writeAll(store, 1, rows);
      const pin = store.blocks.pin(Uint32Array.of(1), 1);
      writeAll(store, 2, more);
      for (let ref = 2; ref < 40; ref += 1) writeAll(store, ref + 1, series(ref, 300));
      await persist(store.blocks, 40);
      for (let ref = 2; ref < 40; ref += 1) writeAll(store, ref + 40, series(ref, 300, 300));
      const into = makeColumns();
      pin.read(0, 0, 1e9, into);
      sameRows(rowsOf(1, into), rows, "pinned series");
      pin[Symbol.dispose]();
      pin[Symbol.dispose]();
      await persist(store.blocks, 79);
      sameRows(read(store, 1), [...rows, ...more], "series 1");
    },
  },
  "hides-admitted-rows": {
    title: "does not show rows that are admitted and not yet applied",
    async run(trial) {
      const store = await openStore(trial);
      writeAll(store, 1, series(1, 200));
      const { batch } = store;
      batch.clear();
      for (const { ref, time, low, high } of series(1, 200, 200)) {
        const row = batch.add(time, 0);
        batch.refs[row] = ref;
        batch.valueWords[2 * row] = low;
        batch.valueWords[2 * row + 1] = high;
      }
      store.blocks.admit(batch, 0, 200);
      sameList(
        read(store, 1).map(({ time }) => time),
        series(1, 200).map(({ time }) => time),
        "times",
      );
      store.blocks.append(batch, 0, 200, 2);
      sameRows(read(store, 1), series(1, 400), "series 1");
    },
  },
});
