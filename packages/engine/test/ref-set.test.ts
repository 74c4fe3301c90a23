import { makeRandom } from "@varve/bytes";
import { expect, test } from "vitest";
import { RefSet } from "../src/ref-set.ts";

test("a ref set does what a Set does, across its growth", () => {
  const random = makeRandom(11);
  const set = new RefSet();
  const model = new Set<number>();
  for (let i = 0; i < 20_000; i += 1) {
    const ref = random.below(random.chance(0.1) ? 2 ** 20 : 5000);
    if (random.chance(0.6)) {
      set.add(ref);
      model.add(ref);
    } else if (random.chance(0.5)) {
      set.delete(ref);
      model.delete(ref);
    }
    expect(set.has(ref)).toBe(model.has(ref));
  }
  for (const ref of model) expect(set.has(ref)).toBe(true);
  expect(set.has(2 ** 32 - 1)).toBe(false);
});
