import { expect, test } from "vitest";
import { Overflow } from "../src/overflow.ts";

test("keeps series of one keyed hash in a chain, whichever is removed", () => {
  for (const removed of [1, 2, 3]) {
    const overflow = new Overflow();
    for (const ref of [1, 2, 3]) overflow.add(77, ref);
    overflow.add(78, 4);
    overflow.remove(77, removed);
    const chain: number[] = [];
    for (let ref = overflow.first(77); ref !== 0; ref = overflow.next(ref)) chain.push(ref);
    expect(chain.toSorted((a, b) => a - b)).toEqual([1, 2, 3].filter((ref) => ref !== removed));
    expect(overflow.size).toBe(3);
    overflow.add(79, removed); // Bound again, under another hash: nothing of the old chain follows it.
    expect(overflow.next(removed)).toBe(0);
  }
});

test("hashes under a key of its own", () => {
  const bytes = Uint8Array.of(1, 2, 3);
  const hashes = Array.from({ length: 4 }, () => new Overflow().hash(bytes, 0, 3));
  expect(new Set(hashes).size).toBeGreaterThan(1);
});
