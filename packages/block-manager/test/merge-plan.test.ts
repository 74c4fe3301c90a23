import { expect, test } from "vitest";
import { planMerge, type PlannedBlock } from "../src/internal/stored/merge-plan.ts";

/** Windows of 10, of which three make a range. Everything before 30 is cut. */
const RULES = { blockDurationMs: 10, mergeFactor: 3, mergeLevels: 1, cutTime: 30 };

function block(minTime: number, maxTime: number, change: Partial<PlannedBlock> = {}): PlannedBlock {
  return { minTime, maxTime, bytes: 1, series: 1, tombstones: 0, isLate: false, ...change };
}

const LATE = { isLate: true };

test("late samples of a window that is not cut are merged with one another alone", () => {
  const cut = [block(0, 10), block(10, 20)];
  const late = [block(20, 30, LATE), block(21, 30, LATE)];
  const newest = block(30, 40, LATE);
  const rules = { ...RULES, cutTime: 20 };
  expect(planMerge([...cut, ...late, newest], rules)).toEqual(late);
  expect(planMerge([...cut, late[0]!, newest], rules)).toEqual(cut);
  expect(planMerge([...cut, late[0]!, newest], RULES)).toEqual([...cut, late[0]]);
});

test("late samples of a window that is cut are merged with what overlaps them", () => {
  const blocks = [block(0, 10), block(3, 10, LATE), block(20, 30)];
  expect(planMerge(blocks, RULES)).toEqual(blocks.slice(0, 2));
});
