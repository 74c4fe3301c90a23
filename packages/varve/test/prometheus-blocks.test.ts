import { backgroundBlocks } from "@varve/block-manager/background";
import { expect, test } from "vitest";
import { expectSame } from "./expect-same.ts";
import { END, fillStore, PLAN, START, WINDOW_MS } from "./filled-store.ts";
import {
  bitsOf,
  type Content,
  contentOf,
  freshDir,
  nameOf,
  openStore,
  planWith,
} from "./helpers.ts";
import { openBlocks } from "./open-blocks.ts";
import { startPrometheus } from "./prometheus-server.ts";
import {
  asPrinted,
  asQueried,
  dumped,
  HAS_PROMETHEUS,
  HAS_PROMETHEUS_2,
  PROMETHEUS_2_MISSING,
  PROMETHEUS_MISSING,
  promtool,
} from "./promtool.ts";

const SEED = 1;
/** How long Prometheus takes a sample for current. */
const LOOKBACK_MS = 300_000;

test.skipIf(!HAS_PROMETHEUS)(
  `promtool lists, analyzes and dumps blocks and log as select gives them, seed ${SEED}${PROMETHEUS_MISSING}`,
  async () => {
    const dir = freshDir();
    await fillStore(dir, SEED);
    const blocks = await openBlocks(dir);
    expect(blocks).toHaveLength(3);
    expect(Math.max(...blocks.map(({ meta }) => meta.compaction.level))).toBeGreaterThan(1);
    const listed = promtool("tsdb", "list", dir).trimEnd().split("\n").slice(1);
    const facts = listed.map((line) => line.split(/\s+/).toSpliced(3, 1).slice(0, 6).join(" "));
    expect(new Set(facts)).toEqual(
      new Set(
        blocks.map(({ id, minTime, maxTime, meta: { stats } }) =>
          [id, minTime, maxTime, stats.numSamples, stats.numChunks, stats.numSeries].join(" "),
        ),
      ),
    );
    for (const block of blocks) {
      const report = promtool("tsdb", "analyze", dir, block.id);
      const names = [...block.nameCounts()];
      const pairs = [...block.pairCounts()];
      const entries = pairs.reduce((sum, { series }) => sum + series, 0);
      expect(report).toContain(`\nSeries: ${block.seriesCount}\n`);
      expect(report).toContain(`\nLabel names: ${names.length}\n`);
      expect(report).toContain(`\nPostings (unique label pairs): ${pairs.length}\n`);
      expect(report).toContain(`\nPostings entries (total label pairs): ${entries}\n`);
    }
    const theirs = dumped(dir);
    const store = await openStore({ dir, plan: PLAN, maintainEveryMs: 0 });
    const ours = await contentOf(store);
    expectSame(theirs, asPrinted(ours), "what promtool dumps");
    expect([...theirs.keys()], "the order of series").toEqual([...ours.keys()]);
  },
);

test.skipIf(!HAS_PROMETHEUS_2)(
  `Prometheus answers counts and steps over blocks and log as select gives them, seed ${SEED}${PROMETHEUS_2_MISSING}`,
  async () => {
    const dir = freshDir();
    await fillStore(dir, SEED);
    const server = await startPrometheus({ data: dir });
    const store = await openStore({ dir, plan: PLAN, maintainEveryMs: 0 });
    const all = asQueried(await contentOf(store));
    expectSame(await server.query('{series!=""}[15h]', END), all, "all samples");
    // Whole ranges only: queries that begin inside of a block with deletions are not to be trusted in 2.42.
    // Some beginnings and ends of the lookback fall on samples.
    const named = new Map([...(await contentOf(store))].filter(([name]) => /__name__/.test(name)));
    const range = [START - 600_000, END + 600_000, 137_000] as const;
    const stepped = steps(named, ...range);
    const theirs = await server.queryRange('{__name__=~".+"}', ...range);
    expectSame(theirs, stepped, "samples by steps");
    const counts = await server.queryRange('count({__name__=~".+"})', ...range);
    expectSame(counts, countsOf(stepped), "counts by steps");
    expect(server.log()).not.toMatch(/level=(warn|error)/);
  },
);

test.skipIf(!HAS_PROMETHEUS)(
  `Prometheus reads the log of windows that late samples alone have gone to blocks of${PROMETHEUS_MISSING}`,
  async () => {
    const dir = freshDir();
    const blocks = backgroundBlocks({ outOfOrderWindowMs: 2 * WINDOW_MS });
    const plan = planWith({ "block-manager": blocks });
    const store = await openStore({ dir, plan, maintainEveryMs: 0 });
    const labels = { __name__: "late" };
    const newest = START + 3.25 * WINDOW_MS;
    for (let time = START; time <= newest; time += 60_000) store.write(labels, time, time / 1000);
    // Twice each: blocks that overlap are merged.
    for (let i = 1; i <= 2; i += 1) {
      store.write(labels, START + 2.5 * WINDOW_MS + i, i);
      store.write(labels, START + 3.1 * WINDOW_MS + i, i);
      await store.cutBlocks({ before: START });
    }
    const expected = await contentOf(store);
    await store.close();
    expect((await openBlocks(dir)).length).toBeGreaterThan(1);
    const server = await startPrometheus({ data: dir });
    expectSame(await server.query("late[8h]", newest), expected, "all samples");
  },
);

/** What an instant query shows of each series at each step: its last sample, unless that is old or a stale marker. */
function steps(content: Content, from: number, until: number, step: number): Content {
  const shown: Content = new Map();
  for (const [name, samples] of content) {
    let next = 0;
    const current: [number, string][] = [];
    for (let time = from; time <= until; time += step) {
      while (next < samples.length && samples[next]![0] <= time) next += 1;
      const last = samples[next - 1];
      if (last === undefined || last[0] < time - LOOKBACK_MS) continue;
      current.push([time, last[1]]);
    }
    shown.set(name, current);
  }
  return asQueried(shown);
}

/** How many series are shown at each time that shows any. */
function countsOf(shown: Content): Content {
  const counts = new Map<number, number>();
  for (const samples of shown.values()) {
    for (const [time] of samples) counts.set(time, (counts.get(time) ?? 0) + 1);
  }
  const sorted = [...counts].toSorted(([a], [b]) => a - b);
  return new Map([[nameOf({}), sorted.map(([time, count]) => [time, bitsOf(count)])]]);
}
