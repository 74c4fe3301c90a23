import { makeRandom } from "@varve/bytes";
import { noPause } from "@varve/contracts";
import { expect, test } from "vitest";
import { ALL_PAIR, Pairs } from "../src/internal/write-pairs.ts";

const SEED = Number(process.env["VARVE_SEED"] ?? 4711);

/** Two pairs of the same hash: what names differ by in the product with the hash's constant, values make up for. */
function collidingPairs(): [number, number, number, number] {
  const products = new Map<number, number>();
  for (let name = 1; ; name += 1) {
    const product = Math.imul(name + 1, 0x9e3779b1) >>> 0;
    const other = products.get(product >>> 16);
    if (other !== undefined) {
      const otherProduct = Math.imul(other + 1, 0x9e3779b1) >>> 0;
      return [other, 0, name, product ^ otherProduct];
    }
    products.set(product >>> 16, name);
  }
}

test("keeps pairs apart that have the same hash", () => {
  const [name, value, otherName, otherValue] = collidingPairs();
  const pairs = new Pairs();
  const id = pairs.intern(name, value);
  const otherId = pairs.intern(otherName, otherValue);
  expect(otherId).not.toBe(id);
  expect(pairs.find(name, value)).toBe(id);
  expect(pairs.find(otherName, otherValue)).toBe(otherId);
  expect(pairs.find(otherName, value)).toBe(-1);
});

test("gives pairs that series carry their places by name, then value, and counts their series", async () => {
  const random = makeRandom(SEED);
  const pairs = new Pairs();
  const counts = new Map<string, number>([["0 0", 0]]);
  for (let i = 0; i < 20_000; i += 1) {
    const [name, value] = [random.below(50), random.below(70_000)];
    const id = pairs.intern(name, value);
    const isCarried = random.chance(0.5);
    if (isCarried) pairs.addSeries(id);
    const text = `${name} ${value}`;
    counts.set(text, (counts.get(text) ?? 0) + Number(isCarried));
  }
  pairs.addSeries(ALL_PAIR);
  counts.set("0 0", counts.get("0 0")! + 1);
  await pairs.sort(noPause);
  const expected = [...counts]
    .filter(([, count]) => count > 0)
    .map(([text, count]) => [...text.split(" ").map(Number), count])
    .sort(([a, b], [c, d]) => a! - c! || b! - d!);
  const placed = Array.from({ length: pairs.placed }, (_, place) => {
    expect(pairs.placeOf(pairs.find(pairs.nameAt(place), pairs.valueAt(place)))).toBe(place);
    return [pairs.nameAt(place), pairs.valueAt(place), pairs.countAt(place)];
  });
  expect(placed, `seed ${SEED}`).toEqual(expected);
  expect(pairs.entries).toBe(expected.reduce((sum, [, , count]) => sum + count!, 0));
});
