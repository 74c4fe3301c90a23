import { expect, test } from "vitest";
import { chunkEndTime, windowEnd } from "../src/index.ts";

test("ends a chunk so that those up to the window's end are about equal, as Prometheus' own cases have it", () => {
  // From TestComputeChunkEndTime of Prometheus 2.42.
  expect(chunkEndTime(0, 250, 1000)).toBe(1000);
  expect(chunkEndTime(100, 200, 1000)).toBe(550);
  expect(chunkEndTime(0, 500, 1000)).toBe(1000);
  expect(chunkEndTime(100, 100, 1000)).toBe(104);
});

test("cuts fractions as Go's integers do", () => {
  expect(chunkEndTime(0, 24, 1001)).toBe(100); // 10 chunks of 100.1 ms.
  expect(chunkEndTime(0, 25, 1039)).toBe(115); // 9.99 chunks are 9.
  expect(chunkEndTime(-1000, -976, 0)).toBe(-900);
});

test("ends a chunk that is alone up to the window's end there, and one that is two in the middle", () => {
  expect(chunkEndTime(0, 125, 1007)).toBe(1007);
  expect(chunkEndTime(0, 124, 1000)).toBe(500);
});

test("gives the first time behind a window, also below zero", () => {
  expect(windowEnd(0, 7_200_000)).toBe(7_200_000);
  expect(windowEnd(7_199_999, 7_200_000)).toBe(7_200_000);
  expect(windowEnd(7_200_000, 7_200_000)).toBe(14_400_000);
  expect(windowEnd(-1, 7_200_000)).toBe(0);
  expect(windowEnd(-7_200_000, 7_200_000)).toBe(0);
  expect(windowEnd(-7_200_001, 7_200_000)).toBe(-7_200_000);
});
