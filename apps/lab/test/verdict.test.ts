import { makeRandom } from "@varve/bytes";
import { expect, test } from "vitest";
import { bootstrapRatio } from "../src/stats/bootstrap.ts";
import { verdict } from "../src/stats/verdict.ts";

const AROUND_100 = [98, 103, 100, 97, 101];

test("calls rates faster or slower when they are apart by more than the spread", () => {
  const double = AROUND_100.map((each) => 2 * each);
  expect(verdict(AROUND_100, double)).toMatchObject({ word: "faster", ratio: 2 });
  expect(verdict(double, AROUND_100)).toMatchObject({ word: "slower", ratio: 0.5 });
});

test("calls a difference within the spread no difference", () => {
  const slightlyMore = AROUND_100.map((each) => each + 1);
  expect(verdict(AROUND_100, slightlyMore).word).toBe("no difference");
});

test("calls a difference of medians no difference when its interval holds 1", () => {
  // Medians 100 and 130, but each side has been where the other one is.
  const found = verdict([100, 100, 101, 130, 131], [130, 130, 131, 99, 100]);
  expect(found.interval.low).toBeLessThanOrEqual(1);
  expect(found.word).toBe("no difference");
});

test("calls a difference no difference when it is smaller than the spread, however narrow the interval", () => {
  const wide = Array.from({ length: 101 }, (_, i) => 80 + 0.4 * i);
  const found = verdict(
    wide,
    wide.map((each) => each + 10),
  );
  expect(found.interval.low).toBeGreaterThan(1);
  expect(found.spread).toBeGreaterThan(found.ratio - 1);
  expect(found.word).toBe("no difference");
});

test("says too few for fewer than three samples on a side", () => {
  expect(verdict([1, 2], AROUND_100).word).toBe("too few");
  expect(verdict(AROUND_100, [500]).word).toBe("too few");
});

test("gives the same interval for the same samples", () => {
  const other = AROUND_100.map((each) => each * 1.1);
  expect(bootstrapRatio(AROUND_100, other)).toEqual(bootstrapRatio(AROUND_100, other));
});

test("refuses a side without samples", () => {
  expect(() => bootstrapRatio([], [1])).toThrow(RangeError);
});

test.each([
  [3, 0.12],
  [5, 0.06],
  [7, 0.06],
])("of equal pairs of %i samples, calls at most %d different", (count, share) => {
  const random = makeRandom(count);
  const draw = (): number[] => Array.from({ length: count }, () => 100 + 20 * random.normal());
  const pairs = 150;
  let different = 0;
  for (let i = 0; i < pairs; i += 1) {
    if (verdict(draw(), draw()).word !== "no difference") different += 1;
  }
  expect(different / pairs).toBeLessThanOrEqual(share);
});

test.each([5, 7])("tells rates apart that differ by five deviations, from %i samples", (count) => {
  const random = makeRandom(count);
  const pairs = 100;
  let told = 0;
  for (let i = 0; i < pairs; i += 1) {
    const a = Array.from({ length: count }, () => 100 + 5 * random.normal());
    const b = Array.from({ length: count }, () => 125 + 5 * random.normal());
    if (verdict(a, b).word === "faster") told += 1;
  }
  expect(told / pairs).toBeGreaterThan(0.9);
});
