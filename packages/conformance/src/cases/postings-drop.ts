import { keyOf } from "@varve/bytes";
import type { Labels } from "@varve/contracts";
import { cases } from "../case.ts";
import { holds, sameList } from "../expect.ts";
import { addSeries, dropSeries, match, openPostings, selects } from "./postings-steps.ts";

const seriesOf = (count: number, from = 0): Labels[] =>
  Array.from({ length: count }, (_, i) => ({
    __name__: "m",
    host: `host-${from + i}`,
    parity: i % 2 === 0 ? "even" : "odd",
  }));

/** Rounds of churn, and series of each. */
const ROUNDS = 12;
const ROUND_SERIES = 500;

export const postingsDropCases = cases("postings", {
  "forgets-what-is-dropped": {
    title: "holds no dropped series in any answer, before maintenance and after",
    async run(trial) {
      const world = await openPostings(trial);
      addSeries(world, seriesOf(6));
      selects(world, [match("parity", "=", "even")], [1, 3, 5]);
      dropSeries(world, [1, 5, 6]);
      for (let i = 0; i < 2; i += 1) {
        selects(world, [match("parity", "=", "even")], [3]);
        selects(world, [match("host", "!=", "host-1")], [3, 4]);
        selects(world, [], [2, 3, 4]);
        const hosts = ["host-1", "host-2", "host-3"];
        sameList(world.postings.labelValues("host", []), hosts, "hosts");
        const even = [match("parity", "=", "even")];
        sameList(world.postings.labelValues("host", even), ["host-2"], "even hosts");
        world.postings.maintain(1000);
      }
      dropSeries(world, [2, 3, 4]);
      for (let i = 0; i < 2; i += 1) {
        selects(world, [], []);
        sameList(world.postings.labelNames([]), [], "names");
        sameList(world.postings.labelValues("parity", []), [], "parities");
        world.postings.maintain(1000);
      }
    },
  },
  "believes-drop-before-the-index": {
    title: "holds no series that is dropped while its key is still known, asked before or not",
    async run(trial) {
      for (const isAsked of [false, true]) {
        const world = await openPostings(trial);
        addSeries(world, seriesOf(4));
        if (isAsked) selects(world, [], [1, 2, 3, 4]);
        world.postings.drop(Uint32Array.of(2, 4, 3), 2);
        for (let i = 0; i < 3; i += 1) {
          selects(world, [], [1, 3]);
          world.postings.maintain(1000);
        }
        world.keys.delete(2);
        world.postings.maintain(1000);
        selects(world, [match("parity", "=", "odd")], []);
      }
    },
  },
  "leaves-out-what-has-no-key": {
    title: "holds no series whose key is gone, though nobody told of it",
    async run(trial) {
      const world = await openPostings(trial);
      addSeries(world, seriesOf(4));
      selects(world, [match("parity", "=", "odd")], [2, 4]);
      world.keys.delete(2);
      selects(world, [match("parity", "=", "odd")], [4]);
      const hosts = ["host-0", "host-2", "host-3"];
      sameList(world.postings.labelValues("host", []), hosts, "hosts");
    },
  },
  "ignores-unknown-drops": {
    title: "ignores refs that it does not know, and refs beyond the count",
    async run(trial) {
      const world = await openPostings(trial);
      world.postings.drop(Uint32Array.of(0, 1, 2, 99, 0xffffffff), 5);
      addSeries(world, seriesOf(3));
      world.postings.drop(Uint32Array.of(3, 1), 1);
      selects(world, [], [1, 2]);
      world.postings.maintain(1000);
      selects(world, [match("__name__", "=", "m")], [1, 2]);
    },
  },
  "takes-series-that-return": {
    title: "answers with the new ref when a dropped series returns",
    async run(trial) {
      const world = await openPostings(trial);
      addSeries(world, seriesOf(4));
      selects(world, [match("host", "=", "host-1")], [2]);
      dropSeries(world, [1, 2]);
      addSeries(world, seriesOf(2));
      selects(world, [match("host", "=", "host-1")], [6]);
      world.postings.maintain(1000);
      selects(world, [match("host", "=", "host-1")], [6]);
      selects(world, [match("__name__", "=", "m")], [3, 4, 5, 6]);
    },
  },
  "gives-memory-back": {
    title: "holds no more bytes after many rounds of new series and dropped ones than after few",
    async run(trial) {
      for (const isAsked of [true, false]) {
        const world = await openPostings(trial);
        let refs: number[] = [];
        let early = 0;
        for (let round = 0; round < ROUNDS; round += 1) {
          const fresh = addSeries(world, seriesOf(ROUND_SERIES, round * ROUND_SERIES));
          if (isAsked) selects(world, [match("host", "=", `host-${fresh[0]! - 1}`)], [fresh[0]!]);
          dropSeries(world, refs);
          refs = fresh;
          for (let i = 0; i < 4; i += 1) world.postings.maintain(1000);
          if (round === 2) early = world.postings.stats.bytes;
        }
        const { bytes } = world.postings.stats;
        holds(bytes <= early * 1.25 + 4096, `${early} bytes early on, ${bytes} after all rounds`);
        selects(world, [match("__name__", "=", "m")], refs);
        dropSeries(world, refs);
        await trial.close(world.postings);
      }
    },
  },
  "maintains-in-slices": {
    title: "answers rightly between any two slices of maintenance",
    async run(trial) {
      const world = await openPostings(trial);
      const refs = addSeries(world, seriesOf(2000));
      selects(world, [], refs);
      const dropped = refs.filter((ref) => ref % 3 !== 0);
      const kept = refs.filter((ref) => ref % 3 === 0);
      dropSeries(world, dropped);
      for (let i = 0; i < 50; i += 1) {
        world.postings.maintain(0.01);
        const [late] = addSeries(world, [{ __name__: "m", host: `late-${i}` }]);
        world.keys.set(late!, keyOf({ __name__: "m", host: `late-${i}` }));
        kept.push(late!);
        selects(world, [match("__name__", "=", "m")], kept);
        selects(world, [match("host", "=", `late-${i}`)], [late!]);
        if (i % 8 === 0) {
          const hosts = world.postings.labelValues("host", []);
          holds(hosts.length === kept.length, `${kept.length} hosts are left, got ${hosts.length}`);
        }
      }
    },
  },
});
