import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { missingPrometheus } from "../speed/prometheus.ts";
import { type RunOptions, runWorks } from "../speed/run.ts";
import { TINY } from "../speed/sizes.ts";
import { quantile, spinTurnsFor, timeSpins } from "../speed/spin.ts";
import { FIRST_MS, openStore, verify } from "../speed/store.ts";
import { type Figures, WORK_NAMES, type WorkName } from "../speed/work.ts";
import { WORKS } from "../speed/works.ts";

let base: string;
beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), "speed-"));
});
afterEach(() => vi.unstubAllEnvs());
afterAll(() => rmSync(base, { recursive: true, force: true }));

const never = new AbortController().signal;

/** Does a task in this process, in a new directory. */
async function measure(work: WorkName, task: string): Promise<Figures> {
  const dir = mkdtempSync(join(base, "turn-"));
  const sharedDir = join(base, work);
  mkdirSync(sharedDir, { recursive: true });
  return WORKS[work].measure(task, { sizes: TINY, dir, sharedDir, signal: never });
}

const inReplay = ["write", "varve", "prometheus"];
const others = WORK_NAMES.filter((work) => work !== "replay").flatMap((work) =>
  WORKS[work]
    .tasks(TINY)
    .filter(({ id }) => (WORKS[work].missing?.(id) ?? null) === null)
    .map(({ id }): [WorkName, string] => [work, id]),
);

test.each(others)(
  "%s, %s: does its work, and has each figure that a row asks for",
  async (work, task) => {
    const figures = await measure(work, task);
    const asked = WORKS[work].rows(TINY).flatMap((row) => {
      const other = row.against === undefined ? [] : [row.against];
      return [row, ...other].filter((each) => each.task === task).map(({ figure }) => figure);
    });
    expect(asked.length).toBeGreaterThan(0);
    for (const name of asked) {
      expect(figures[name], name).toBeGreaterThanOrEqual(0);
      expect(figures[name], name).toBeLessThan(1e12);
    }
  },
);

test("every row is of a task of its work, and every task has a row", () => {
  for (const work of WORK_NAMES) {
    const ids = WORKS[work]
      .tasks(TINY)
      .filter(({ isPreparation }) => isPreparation !== true)
      .map(({ id }) => id);
    const used = WORKS[work]
      .rows(TINY)
      .flatMap(({ task, against }) => [task, against?.task ?? task]);
    expect(new Set(used)).toEqual(new Set(ids));
  }
});

describe("replay", () => {
  beforeAll(async () => {
    await measure("replay", "write");
  });

  test("of a log without a checkpoint brings back every sample", async () => {
    const { seconds, rate } = await measure("replay", "varve");
    expect(seconds! * rate!).toBeCloseTo(TINY.replaySamples, 3);
  });

  test.skipIf(missingPrometheus() !== null)("of Prometheus is what it logs", async () => {
    const { seconds, rate } = await measure("replay", "prometheus");
    expect(seconds).toBeGreaterThan(0);
    expect(seconds! * rate!).toBeCloseTo(TINY.replaySamples, 3);
  });

  test.each(inReplay.slice(1).filter((task) => WORKS.replay.missing!(task) === null))(
    "of %s that brings back something else has no figure",
    async (task) => {
      const file = join(base, "replay", "written.json");
      const facts = readFileSync(file, "utf8");
      const wrong = JSON.parse(facts) as { written: { values: number } };
      wrong.written.values += 1;
      writeFileSync(file, JSON.stringify(wrong));
      await expect(measure("replay", task)).rejects.toThrow(/holds \d+ as values, and \d+ were/);
      writeFileSync(file, facts);
    },
  );

  test("without Prometheus is told to be skipped before anything runs", async () => {
    vi.stubEnv("PATH", base);
    const told: string[] = [];
    const options: RunOptions = {
      works: ["replay"],
      sizes: TINY,
      repeats: 1,
      dir: base,
      signal: AbortSignal.abort(),
      onTurn: () => undefined,
      onSkip: (text) => told.push(text),
    };
    const outcomes = await runWorks(options);
    expect(told).toEqual([
      expect.stringMatching(/^replay, prometheus: SKIPPED: there is no prometheus here; install/),
    ]);
    expect(outcomes.map(({ skipped }) => skipped !== null)).toEqual([false, false, true]);
    expect(readdirSync(base).filter((name) => name.startsWith("varve-speed-"))).toEqual([]);
  });
});

test("a store that holds something else than was written is noticed", async () => {
  await using engine = await openStore(mkdtempSync(join(base, "store-")));
  engine.write({ __name__: "up" }, FIRST_MS, 3);
  engine.write({ __name__: "up" }, FIRST_MS + 5, 4);
  const right = { series: 1, samples: 2, times: 5, values: 7 };
  await verify(engine, right);
  for (const name of ["series", "samples", "times", "values"] as const) {
    const wrong = { ...right, [name]: right[name] + 1 };
    await expect(verify(engine, wrong)).rejects.toThrow(`as ${name}`);
  }
});

test("the loop of the noise floor has about the length that is asked for", () => {
  const micros = 20;
  const turns = spinTurnsFor(micros);
  const times = new Float64Array(501);
  timeSpins(times, 0, times.length, turns);
  const median = quantile(times.sort(), 0.5);
  // Machines are busy: the order of magnitude.
  expect(median).toBeGreaterThan(micros / 4);
  expect(median).toBeLessThan(micros * 4);
});

test("a quantile is the value that the share does not exceed", () => {
  const sorted = Float64Array.from({ length: 1000 }, (_, i) => i + 1);
  expect([0, 0.5, 0.999, 1].map((share) => quantile(sorted, share))).toEqual([1, 500, 999, 1000]);
});
