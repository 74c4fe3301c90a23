import type { Labels } from "@varve/contracts";
import { devopsSeries } from "@varve/workload";
import type { Engine } from "varve";
import { setImmediate as turn } from "node:timers/promises";
import { countWritten, FIRST_MS, nothingWritten, openStore, SLICE_ROWS, verify } from "../store.ts";
import type { Work } from "../work.ts";

/** Series that updates go to. */
const KNOWN = 10_000;
/** Time between updates of a series, in milliseconds: short, so that no window of blocks is complete within a run. */
const STEP_MS = 10;

/** What a write costs that makes a series, against one that does not. */
export const newToUpdate: Work = {
  about:
    "single writes by label object, a slice of 1,000 new series, then one of 1,000 updates over 10,000 series, in one " +
    "process; what the event loop does between slices is outside of the clock",
  durability: "accepted",
  tasks: () => [{ id: "slices" }],
  rows: () => [
    {
      what: "cost of new to update",
      unit: "x",
      task: "slices",
      figure: "ratio",
      must: { op: "<=", limit: 3 },
      aim: { op: "<=", limit: 2 },
    },
    {
      what: "updates in these slices",
      unit: "rows/s",
      task: "slices",
      figure: "updateRate",
      must: { op: ">=", limit: 1_200_000 },
    },
    { what: "a new series", unit: "ns", task: "slices", figure: "newNs" },
    { what: "an update", unit: "ns", task: "slices", figure: "updateNs" },
  ],
  measure: async (_task, { sizes, dir }) => {
    const { seed, newToUpdate: count } = sizes;
    const all: Labels[] = [...devopsSeries({ seed, series: KNOWN + count })];
    const written = nothingWritten();
    written.series = all.length;
    await using engine = await openStore(dir);
    const write = (from: number, until: number, round: number): number => {
      const time = FIRST_MS + round * STEP_MS;
      countWritten(written, until - from, time, round);
      return timeWrites(engine, all, from, until, time, round);
    };
    for (let from = 0; from < KNOWN; from += SLICE_ROWS) write(from, from + SLICE_ROWS, 0);
    let [newMs, updateMs] = [0, 0];
    for (let done = 0; done < count; done += SLICE_ROWS) {
      const rows = Math.min(SLICE_ROWS, count - done);
      const from = done % KNOWN;
      const round = 1 + Math.floor(done / KNOWN);
      newMs += write(KNOWN + done, KNOWN + done + rows, 0);
      updateMs += write(from, from + rows, round);
      await turn();
    }
    await verify(engine, written);
    return {
      ratio: newMs / updateMs,
      newNs: (newMs * 1e6) / count,
      updateNs: (updateMs * 1e6) / count,
      updateRate: (count / updateMs) * 1000,
    };
  },
};

/** Milliseconds of single writes by label object. By itself: an asynchronous function makes an object of every number. */
function timeWrites(
  engine: Engine,
  labels: readonly Labels[],
  from: number,
  until: number,
  time: number,
  value: number,
): number {
  const start = performance.now();
  for (let i = from; i < until; i += 1) engine.write(labels[i]!, time, value);
  return performance.now() - start;
}
