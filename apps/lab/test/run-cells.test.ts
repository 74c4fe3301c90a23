import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { emptyResult, mergeRepeats } from "../src/cell/merge.ts";
import { runCells, type CellEvent } from "../src/cell/run-cells.ts";
import type { CellResult } from "../src/cell/result.ts";
import type { CellSpec } from "../src/cell/spec.ts";
import { spreadOf } from "../src/stats/spread.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "lab-test-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function tiny(index: string): CellSpec {
  return {
    id: index,
    plan: { "series-index": index },
    workload: { kind: "new", rows: 50 },
    measure: { rounds: 1, warmupRounds: 0 },
  };
}

test("runs every cell and repeat in interleaved order, and tells each start and end", async () => {
  const events: CellEvent[] = [];
  const results = await runCells([tiny("map"), tiny("open-addressed")], {
    repeats: 2,
    dir,
    onEvent: (event) => events.push(event),
  });
  expect(results.map(({ spec, status }) => [spec.id, status])).toEqual([
    ["map", "ok"],
    ["open-addressed", "ok"],
  ]);
  for (const { samples, samplesAre, repeats, rounds } of results) {
    expect(samplesAre).toBe("repeats");
    expect(samples).toHaveLength(2);
    expect(repeats).toEqual({ wanted: 2, finished: 2 });
    expect(rounds.map(({ repeat }) => repeat)).toEqual([0, 1]);
  }
  expect(events.map(({ kind }) => kind)).toEqual(Array(4).fill(["start", "end"]).flat());
  expect(events.map(({ repeat }) => repeat)).toEqual([0, 0, 0, 0, 1, 1, 1, 1]);
  expect(events.at(-1)).toMatchObject({ done: 4, total: 4, leftMs: 0 });
  expect(readdirSync(dir)).toEqual([]);
});

test("answers for a cell that never had its turn, and keeps what was measured before", async () => {
  const stop = new AbortController();
  const results = await runCells([tiny("map"), tiny("open-addressed")], {
    repeats: 2,
    dir,
    signal: stop.signal,
    onEvent: ({ kind }) => {
      if (kind === "end") stop.abort();
    },
  });
  expect(new Set(results.map(({ repeats }) => repeats.finished))).toEqual(new Set([0, 1]));
  const missed = results.find(({ repeats }) => repeats.finished === 0);
  expect(missed).toMatchObject({ status: "n/a", reasons: ["interrupted before it was measured"] });
  expect(readdirSync(dir)).toEqual([]);
});

test("refuses a misspelled cell before anything runs", async () => {
  const events: CellEvent[] = [];
  const running = runCells([tiny("map"), tiny("mapp")], {
    dir,
    onEvent: (event) => events.push(event),
  });
  await expect(running).rejects.toMatchObject({ code: "INPUT" });
  expect(events).toEqual([]);
});

test("takes the median of the repeats' medians, and no figure from a cell of which one repeat failed", () => {
  const spec = tiny("map");
  const repeat = (rate: number): CellResult => ({
    ...emptyResult(spec, "ok", [], 1),
    rate: spreadOf([rate]),
    acceptedRate: spreadOf([rate]),
    samples: [rate],
  });
  const merged = mergeRepeats(spec, [repeat(10), repeat(30), repeat(20)], 3);
  expect(merged).toMatchObject({ status: "ok", samples: [10, 30, 20], rate: { median: 20 } });
  const failed = emptyResult(spec, "failed", ["rows are missing"], 1);
  expect(mergeRepeats(spec, [repeat(10), failed], 3)).toMatchObject({
    status: "failed",
    reasons: ["rows are missing"],
    rate: null,
    samples: [],
  });
});
