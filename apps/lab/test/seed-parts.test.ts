import { repeatsWithin } from "../src/seed/investigate.ts";
import { SLOTS, type Plan } from "@varve/contracts";
import { recommended, seed } from "varve";
import { describe, expect, test } from "vitest";
import { planOf } from "../src/plan-of.ts";
import { CellFailure } from "../src/seed/analysis.ts";
import { BASELINE, BEST, cellOf, withFix } from "../src/seed/composition.ts";
import { shareOf } from "../src/seed/phases.ts";
import type { PhaseTable } from "../src/seed/report.ts";
import { OTHER_FIXES, SUSPECTS } from "../src/seed/suspects.ts";
import { swapEach } from "../src/seed/swaps.ts";
import { addUp } from "../src/seed/waterfall.ts";
import { cellResult, fakeRunner, OPTIONS } from "./seed-fixture.ts";

const names = (plan: Plan): string[] => SLOTS.map((slot) => plan[slot].name);

describe("compositions", () => {
  test("begin at the seed's plan and end at the recommended one", () => {
    expect(names(planOf(cellOf(BASELINE).plan))).toEqual(names(seed()));
    expect(names(planOf(cellOf(BEST).plan))).toEqual(names(recommended()));
    expect(cellOf(BASELINE).engine).toEqual({ rowsPerClose: 1 });
    expect(cellOf(BEST).engine).toEqual({ rowsPerClose: 64 });
  });

  test("differ from the baseline in exactly the slots that a change names", () => {
    for (const fix of [...SUSPECTS, ...SUSPECTS.flatMap(({ parts }) => parts), ...OTHER_FIXES]) {
      const { plan } = cellOf(withFix(BASELINE, fix));
      const { base, ...swapped } = plan;
      expect(base).toBe("seed");
      expect(Object.keys(swapped).toSorted(), fix.id).toEqual(fix.slots.toSorted());
    }
  });
});

/** Rates of new series that only the block manager changes. */
const onlyBlocks = fakeRunner(({ plan }) =>
  plan["block-manager"] === "background" ? [99, 100, 101] : [9.9, 10, 10.1],
);

describe("suspects", () => {
  test("are each compared with the baseline alone, and ranked", async () => {
    const { suspects, otherFixes } = await swapEach(onlyBlocks.run, OPTIONS, {
      rows: 1000,
      phases: [],
    });
    expect(suspects[0]).toMatchObject({ id: "block-manager", rank: 1, new: { word: "faster" } });
    expect(suspects[0]!.new.ratio).toBeCloseTo(10);
    for (const other of [...suspects.slice(1), ...otherFixes]) {
      expect(other.new.word, other.id).toBe("no difference");
    }
    expect(suspects.find(({ id }) => id === "series-id-and-index")!.parts).toHaveLength(2);
  });

  test("get the share of the baseline's new rows that their phases take", () => {
    const table = {
      composition: "baseline",
      rows: "new",
      call: "single",
      phases: [
        { name: "persist", nsPerRow: 70, percent: 70 },
        { name: "append", nsPerRow: 10, percent: 10 },
        { name: "hash", nsPerRow: 20, percent: 20 },
      ],
    } as unknown as PhaseTable;
    const share = Object.fromEntries(SUSPECTS.map((each) => [each.id, shareOf(each, [table])]));
    expect(share).toEqual({
      "series-id-and-index": 20,
      wal: 0,
      allocation: 0,
      locks: 0,
      "block-manager": 80,
    });
  });

  test("are no finding when a cell failed", async () => {
    const run = async (specs: Parameters<typeof onlyBlocks.run>[0]) =>
      specs.map((spec) => ({
        ...cellResult(spec, [1]),
        status: "failed" as const,
        reasons: ["lost"],
      }));
    await expect(swapEach(run, OPTIONS, { rows: 1000, phases: [] })).rejects.toThrow(CellFailure);
    await expect(swapEach(run, OPTIONS, { rows: 1000, phases: [] })).rejects.toThrow("lost");
  });
});

describe("the waterfall", () => {
  test("adds what gained most first, one change a step, and ends with the best composition", async () => {
    const { suspects, otherFixes } = await swapEach(onlyBlocks.run, OPTIONS, {
      rows: 1000,
      phases: [],
    });
    const runner = fakeRunner(() => [1, 2, 3]);
    const alone = [...otherFixes, ...suspects];
    const steps = await addUp(runner.run, OPTIONS, { rows: 1000, alone });
    expect(steps.map(({ fix }) => fix).slice(0, 2)).toEqual(["baseline", "block manager"]);
    expect(steps).toHaveLength(1 + SUSPECTS.length + OTHER_FIXES.length);
    const last = runner.specs.at(-1)!;
    expect(names(planOf(last.plan))).toEqual(names(recommended()));
    expect(last.engine).toEqual({ rowsPerClose: 64 });
    expect(steps[0]!.gain).toBeNull();
  });
});

test("a slow machine gets fewer processes a cell, never none, and any number when no time is set", () => {
  const options = { ...OPTIONS, repeats: 3, budgetMs: 160_000 };
  expect([10, 35, 45, 60, 600].map((seconds) => repeatsWithin(options, seconds * 1000))).toEqual([
    3, 3, 2, 1, 1,
  ]);
  expect(repeatsWithin({ ...OPTIONS, repeats: 5 }, 600_000)).toBe(5);
});
