import { makeRandom } from "@varve/bytes";
import { expect, test } from "vitest";
import { ShardedMap } from "../src/sharded-map.ts";

test("begins another map at the bound, and not before", () => {
  const map = new ShardedMap<number, string>(3);
  for (const key of [1, 2, 3]) map.set(key, `${key}`);
  expect(map.shards).toBe(1);
  map.set(3, "three"); // Replacing needs no room.
  expect(map.shards).toBe(1);
  map.set(4, "4");
  expect([map.shards, map.size]).toEqual([2, 4]);
  map.delete(1);
  map.set(4, "four"); // Stays in its map, though the first has room.
  expect([1, 2, 3, 4].map((key) => map.get(key))).toEqual([undefined, "2", "three", "four"]);
  map.set(5, "5"); // Goes where room is.
  expect([map.shards, map.size]).toEqual([2, 4]);
});

test("agrees with one map through thousands of operations", () => {
  const random = makeRandom(7);
  const map = new ShardedMap<number, number>(5);
  const model = new Map<number, number>();
  for (let step = 0; step < 20_000; step += 1) {
    const key = random.below(40);
    if (random.chance(0.5)) {
      map.set(key, step);
      model.set(key, step);
    } else {
      map.delete(key);
      model.delete(key);
    }
    const asked = random.below(40);
    expect([map.get(asked), map.size]).toEqual([model.get(asked), model.size]);
  }
  map.clear();
  expect([map.size, map.shards]).toEqual([0, 1]);
});
