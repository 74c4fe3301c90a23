import { expect, test } from "vitest";
import { MAD_SCALE, spreadOf } from "../src/stats/spread.ts";

test("summarises samples by median, extremes and median absolute deviation", () => {
  expect(spreadOf([5, 1, 3, 2, 100])).toEqual({
    count: 5,
    median: 3,
    min: 1,
    max: 100,
    mad: 2,
    relative: (MAD_SCALE * 2) / 3,
  });
});

test("leaves the samples in their order", () => {
  const samples = [3, 1, 2];
  spreadOf(samples);
  expect(samples).toEqual([3, 1, 2]);
});

test("takes half the range of fewer than five samples, two of which may agree by chance", () => {
  expect(spreadOf([100, 100, 200]).mad).toBe(0);
  expect(spreadOf([100, 100, 200]).relative).toBe(0.5);
});

test("has no spread for one sample, and refuses none", () => {
  expect(spreadOf([7])).toMatchObject({ median: 7, mad: 0, relative: 0 });
  expect(() => spreadOf([])).toThrow(RangeError);
});
