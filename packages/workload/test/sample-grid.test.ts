import { DEVOPS_START_MS, devopsSamples, devopsScrapes } from "@varve/workload";
import { expect, test } from "vitest";

const OPTIONS = { seed: 3, series: 7, scrapes: 40 };

test("makes the same samples scrape by scrape and all at once", () => {
  const grid = devopsSamples(OPTIONS);
  let at = 0;
  for (const { time, values } of devopsScrapes(OPTIONS)) {
    expect(grid.times[at]).toBe(time);
    for (let i = 0; i < 7; i += 1) expect(grid.values[i * 40 + at]).toBe(values[i]);
    at += 1;
  }
  expect(at).toBe(40);
});

test("tells every scrape in one array, ten seconds apart unless told otherwise", () => {
  const scrapes = [...devopsScrapes({ ...OPTIONS, scrapes: 3 })];
  expect(scrapes.map(({ time }) => time - DEVOPS_START_MS)).toEqual([0, 10_000, 20_000]);
  expect(scrapes[0]!.values).toBe(scrapes[2]!.values);
  const [first, second] = [...devopsScrapes({ ...OPTIONS, scrapes: 2, from: 5, stepMs: 15 })];
  expect([first!.time, second!.time]).toEqual([5, 20]);
});

test("makes nothing of no scrapes or no series, and refuses what is no count", () => {
  expect([...devopsScrapes({ ...OPTIONS, scrapes: 0 })]).toEqual([]);
  expect(devopsSamples({ ...OPTIONS, series: 0 }).values).toHaveLength(0);
  expect(() => [...devopsScrapes({ ...OPTIONS, scrapes: -1 })]).toThrow("scrapes is a count");
  expect(() => [...devopsScrapes({ ...OPTIONS, stepMs: 0 })]).toThrow(
    "stepMs is a positive integer",
  );
});
