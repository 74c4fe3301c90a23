import type { Labels } from "@varve/contracts";
import { cases } from "../case.ts";
import { addSeries, match, openPostings, selects } from "./postings-steps.ts";

const SERIES: readonly Labels[] = [
  { __name__: "cpu", host: "a", mode: "idle" },
  { __name__: "cpu", host: "a", mode: "user" },
  { __name__: "cpu", host: "b", mode: "idle" },
  { __name__: "memory", host: "b" },
];

export const postingsPromiseCases = cases("postings", {
  "selects-by-equality": {
    title: "selects the series that carry a value, ascending",
    async run(trial) {
      const world = await openPostings(trial);
      addSeries(world, SERIES);
      selects(world, [match("__name__", "=", "cpu")], [1, 2, 3]);
      selects(world, [match("host", "=", "b"), match("__name__", "=", "cpu")], [3]);
    },
  },
  "selects-all-without-matchers": {
    title: "selects every series when there is no matcher",
    async run(trial) {
      const world = await openPostings(trial);
      selects(world, [], []);
      addSeries(world, SERIES);
      selects(world, [], [1, 2, 3, 4]);
    },
  },
  "knows-what-the-store-knows": {
    title: "answers for all that its keys knew when it was opened",
    async run(trial) {
      const world = await openPostings(trial, SERIES);
      selects(world, [match("host", "=", "b")], [3, 4]);
    },
  },
});
