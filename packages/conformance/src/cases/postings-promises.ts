import type { Labels } from "@varve/contracts";
import { keyOf } from "@varve/bytes";
import { cases } from "../case.ts";
import { same, sameList } from "../expect.ts";
import { addKeyed } from "../rows.ts";
import { addSeries, match, openPostings, selects } from "./postings-steps.ts";

const SERIES: readonly Labels[] = [
  { __name__: "cpu", host: "a", mode: "idle" },
  { __name__: "cpu", host: "a", mode: "user" },
  { __name__: "cpu", host: "b", mode: "idle" },
  { __name__: "memory", host: "b" },
];

/** Names and values that are ordered otherwise by UTF-16 units, begin with one another, or are names of Object's. */
const ODD: readonly Labels[] = [
  { a: "1", ab: "1" },
  { a: "11", ab: "" },
  { ab: "1", b: "\u{10000}" },
  { b: "\u{e000}", "\u{ffff}": "x" },
  { b: "\u{ffff}", "\u{1f600}": "x" },
  { __proto__x: "p", constructor: "c", "a b": "with space" },
  { "": "y", b: "\u0000" } as Labels,
  { b: "a\u007f\u0080é" },
].map((labels) => Object.fromEntries(Object.entries(labels).filter(([name]) => name !== "")));

export const postingsPromiseCases = cases("postings", {
  "selects-by-equality": {
    title: "selects the series that carry a value, and of several values all, ascending",
    async run(trial) {
      const world = await openPostings(trial);
      addSeries(world, SERIES);
      selects(world, [match("__name__", "=", "cpu")], [1, 2, 3]);
      selects(world, [match("host", "=", "b"), match("__name__", "=", "cpu")], [3]);
      selects(world, [match("host", "=", "a"), match("host", "=", "b")], []);
      selects(world, [match("host", "=", "c")], []);
      selects(world, [match("nope", "=", "a"), match("host", "=", "a")], []);
    },
  },
  "selects-by-other-kinds": {
    title: "selects by !=, =~ and !~ as each of them is defined",
    async run(trial) {
      const world = await openPostings(trial);
      addSeries(world, SERIES);
      selects(world, [match("host", "!=", "a")], [3, 4]);
      selects(world, [match("host", "!=", "nope")], [1, 2, 3, 4]);
      selects(world, [match("mode", "=~", "us.*")], [2]);
      selects(world, [match("mode", "=~", "idle|user")], [1, 2, 3]);
      selects(world, [match("mode", "!~", "us.*")], [1, 3, 4]);
      selects(world, [match("host", "=", "a"), match("mode", "!~", "us.*")], [1]);
      selects(world, [match("host", "=~", "a|b"), match("mode", "!=", "idle")], [2, 4]);
    },
  },
  "takes-a-missing-label-for-empty": {
    title: "takes a missing label for an empty value, in all four kinds",
    async run(trial) {
      const world = await openPostings(trial);
      addSeries(world, SERIES);
      selects(world, [match("mode", "=", "")], [4]);
      selects(world, [match("mode", "!=", "")], [1, 2, 3]);
      selects(world, [match("mode", "=~", "")], [4]);
      selects(world, [match("mode", "=~", "(idle)?")], [1, 3, 4]);
      selects(world, [match("mode", "!~", "")], [1, 2, 3]);
      selects(world, [match("mode", "!~", "(idle)?")], [2]);
      selects(world, [match("nope", "=", "")], [1, 2, 3, 4]);
      selects(world, [match("nope", "!=", "")], []);
      selects(world, [match("nope", "=~", ".*"), match("host", "=", "b")], [3, 4]);
      selects(world, [match("mode", "=", ""), match("host", "=", "a")], []);
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
  "heeds-known-values-and-prefixes": {
    title: "selects the same with a matcher's values or prefix as without",
    async run(trial) {
      const world = await openPostings(trial);
      addSeries(world, SERIES);
      selects(world, [match("mode", "=~", "i.*|user")], [1, 2, 3]);
      // One of the values is no match: only matches() decides.
      const values = ["user", "nope", "idle"];
      selects(world, [{ ...match("mode", "=~", "user|nope"), values }], [2]);
      selects(world, [{ ...match("mode", "=~", "id.*"), prefix: "id" }], [1, 3]);
      selects(world, [{ ...match("host", "=~", "a|"), values: ["a", ""] }], [1, 2]);
      selects(world, [{ ...match("mode", "=~", "user|"), values: ["user", ""] }], [2, 4]);
    },
  },
  "lists-names-and-values": {
    title: "lists names and values of the selected series, in the order of their UTF-8 bytes",
    async run(trial) {
      const world = await openPostings(trial);
      sameList(world.postings.labelNames([]), [], "names of nothing");
      sameList(world.postings.labelValues("host", []), [], "values of nothing");
      addSeries(world, [...SERIES, ...ODD]);
      const { postings } = world;
      const b = ["\u0000", "a\u007f\u0080é", "\u{e000}", "\u{ffff}", "\u{10000}"];
      sameList(postings.labelValues("b", []), b, "values of b");
      sameList(
        postings.labelValues("b", [match("b", "=~", "[^a].*")]),
        ["\u0000", ...b.slice(2)],
        "",
      );
      sameList(postings.labelValues("host", [match("mode", "=", "idle")]), ["a", "b"], "hosts");
      sameList(postings.labelValues("mode", [match("host", "=", "b")]), ["idle"], "modes of b");
      sameList(postings.labelValues("nope", []), [], "values of an unknown name");
      sameList(postings.labelNames([match("__name__", "=", "memory")]), ["__name__", "host"], "");
      const names = [
        "__name__",
        "__proto__x",
        "a",
        "a b",
        "ab",
        "b",
        "constructor",
        "host",
        "mode",
      ];
      sameList(postings.labelNames([]), [...names, "\u{ffff}", "\u{1f600}"], "names");
    },
  },
  "tells-odd-labels-apart": {
    title: "tells names and values apart that begin with one another, and astral ones",
    async run(trial) {
      const world = await openPostings(trial);
      addSeries(world, ODD);
      selects(world, [match("a", "=", "1")], [1]);
      selects(world, [match("a", "=", "11")], [2]);
      selects(world, [match("ab", "=", "1")], [1, 3]);
      selects(world, [match("a", "=", "1\u00ff")], []);
      selects(world, [match("b", "=", "\u{10000}")], [3]);
      selects(world, [match("b", "=", "\u{ffff}"), match("\u{1f600}", "=", "x")], [5]);
      selects(world, [match("b", "=", "\ud800")], []); // No label has a lone surrogate.
      selects(
        world,
        [match("b", "!=", "\ud800"), match("\udc00", "=", "")],
        [1, 2, 3, 4, 5, 6, 7, 8],
      );
      selects(world, [match("constructor", "=", "c")], [6]);
      selects(world, [match("toString", "!=", "")], []);
      selects(world, [match("b", "=", "\u0000")], [7]);
    },
  },
  "knows-what-the-store-knows": {
    title: "answers for all that its keys knew when it was opened, and for what came since",
    async run(trial) {
      const world = await openPostings(trial, SERIES);
      addSeries(world, [{ host: "b", late: "yes" }]);
      selects(world, [match("host", "=", "b")], [3, 4, 5]);
      await trial.close(world.postings);
      const postings = await trial.open({ keys: world.keys });
      selects({ ...world, postings }, [match("host", "=", "b")], [3, 4, 5]);
      sameList(postings.labelNames([]), ["__name__", "host", "late", "mode"], "names");
    },
  },
  "takes-keys-in-any-order": {
    title: "answers in the order of refs when series with lower refs come to be known later",
    async run(trial) {
      const world = await openPostings(trial, SERIES); // Known, and not told of.
      const batch = trial.batch(8);
      for (const ref of [40, 30, 35, 20, 21]) {
        world.keys.set(ref, keyOf({ host: "b", n: String(ref) }));
        batch.isNew[addKeyed(batch, keyOf({ host: "b", n: String(ref) }), { ref })] = 1;
      }
      world.postings.add(batch, 0, 3);
      world.postings.add(batch, 3, 5);
      selects(world, [match("host", "=", "b")], [3, 4, 20, 21, 30, 35, 40]);
      selects(world, [], [1, 2, 3, 4, 20, 21, 30, 35, 40]);
      batch.dispose();
    },
  },
  "adds-new-rows-of-its-range": {
    title: "takes from a batch only what its keys know; rows that are not new change nothing",
    async run(trial) {
      const world = await openPostings(trial, SERIES);
      selects(world, [match("mode", "=", "idle")], [1, 3]);
      const batch = trial.batch(4);
      for (const ref of [1, 2, 3]) addKeyed(batch, keyOf(SERIES[ref - 1]!), { ref });
      addKeyed(batch, new Uint8Array(0), { ref: 4 });
      world.postings.add(batch, 0, 4);
      batch.keys.fill(0);
      selects(world, [match("mode", "=", "idle")], [1, 3]);
      sameList(world.postings.labelValues("host", []), ["a", "b"], "hosts");
      batch.dispose();
    },
  },
  "gives-arrays-away": {
    title: "hands out arrays that are the caller's: changing them changes no later answer",
    async run(trial) {
      const world = await openPostings(trial);
      addSeries(world, SERIES);
      for (const matchers of [[], [match("host", "=", "a")], [match("mode", "!=", "")]]) {
        const before = [...world.postings.select(matchers)];
        world.postings.select(matchers).fill(0);
        selects(world, matchers, before);
      }
      world.postings.labelNames([]).length = 0;
      world.postings.labelValues("host", []).reverse();
      sameList(world.postings.labelValues("host", []), ["a", "b"], "hosts");
    },
  },
  "adds-at-once": {
    title: "puts series into lists inside add",
    applies: ({ traits }) => traits.eager,
    async run(trial) {
      const world = await openPostings(trial);
      addSeries(world, SERIES);
      same(world.postings.stats.series, 4, "series in lists");
      same(world.postings.stats.pairs, 6, "pairs");
      selects(world, [match("host", "=", "b")], [3, 4]);
      same(world.postings.stats.caughtUp, 0, "series that a query waited for");
    },
  },
  "adds-nothing-unasked": {
    title: "puts nothing into lists, and holds no more bytes, until somebody asks",
    applies: ({ traits }) => !traits.eager,
    async run(trial) {
      const world = await openPostings(trial);
      const { bytes } = world.postings.stats;
      addSeries(world, SERIES);
      world.postings.maintain(1000);
      same(world.postings.stats.series, 0, "series in lists");
      same(world.postings.stats.bytes, bytes, "bytes");
    },
  },
});
