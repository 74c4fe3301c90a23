import { selector } from "@varve/matcher-re2js";
import { makeRandom } from "@varve/bytes";
import { expect, test } from "vitest";
import { firstDifference } from "./expect-same.ts";
import { END, fillStore, PLAN, START } from "./filled-store.ts";
import { contentOf, freshDir, openStore } from "./helpers.ts";
import { startPrometheus } from "./prometheus-server.ts";
import { asQueried, HAS_PROMETHEUS_2, PROMETHEUS_2_MISSING } from "./promtool.ts";
import { randomSelector } from "./random-selector.ts";

/** `SELECTOR_SEED=7 SELECTOR_QUERIES=20000 vitest run …` asks others, and more. */
const SEED = Number(process.env["SELECTOR_SEED"] ?? 1);
const QUERIES = Number(process.env["SELECTOR_QUERIES"] ?? 600);
/** Queries that are under way at once. */
const CLIENTS = 4;
/**
 * Ranges of queries, in milliseconds. Even series have a sample every five minutes, so multiples of that begin on one where
 * they end on one.
 */
const RANGES = [300_000, 1_234_567, 3_600_000, 7_200_000, 9_876_543, 14 * 3_600_000];

test.skipIf(!HAS_PROMETHEUS_2)(
  `Prometheus and select answer ${QUERIES} selectors alike, seed ${SEED}${PROMETHEUS_2_MISSING}`,
  async () => {
    const dir = freshDir();
    // Nothing is deleted: Prometheus 2.42 shows deleted samples again when a query begins inside of their block.
    const content = await fillStore(dir, SEED, []);
    const server = await startPrometheus({ data: dir });
    const store = await openStore({ dir, plan: PLAN, maintainEveryMs: 0 });
    const random = makeRandom(SEED);
    const all = [...content.values()];
    const sampleTime = (): number => random.pick(random.pick(all))[0];
    const queries = Array.from({ length: QUERIES }, () => ({
      text: randomSelector(random),
      range: random.pick(RANGES),
      // Half of them end on a sample: both ends of a range belong to it.
      until: random.chance(0.5) ? sampleTime() : START + random.below(END - START + 600_000),
    }));
    const differences: string[] = [];
    const sizes: number[] = [];
    const waiting = queries.values();
    const ask = async (): Promise<void> => {
      for (const { text, range, until } of waiting) {
        const query = `${text}[${range}ms]`;
        const theirs = await server.query(query, until);
        const bounds = { from: until - range, until: until + 1 };
        const ours = asQueried(await contentOf(store, selector(text), bounds));
        const difference = firstDifference(ours, theirs);
        if (difference !== "") differences.push(`${query} at ${until}: ${difference}`);
        sizes.push(theirs.size);
      }
    };
    await Promise.all(Array.from({ length: CLIENTS }, ask));
    expect(differences).toEqual([]);
    // The questions are worth something: many select some series, and not all.
    expect(sizes).toHaveLength(QUERIES);
    const some = sizes.filter((size) => size > 0 && size < content.size / 2);
    const none = sizes.filter((size) => size === 0);
    expect(some.length, "questions that select some series").toBeGreaterThan(QUERIES / 4);
    expect(none.length, "questions that select none").toBeLessThan(QUERIES / 2);
  },
  60_000,
);
