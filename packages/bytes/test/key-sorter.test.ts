import { describe, expect, test } from "vitest";
import { compareKeys, keyOf, KeySorter, makeColumns, makeRandom, mergeRuns } from "@varve/bytes";

function keysOf(keys: readonly Uint8Array[]) {
  return {
    nextRef: keys.length + 1,
    keyBytes: (ref: number) => keys[ref - 1]?.length ?? 0,
    copyKey(ref: number, into: Uint8Array, at: number): number {
      into.set(keys[ref - 1]!, at);
      return keys[ref - 1]!.length;
    },
  };
}

describe("KeySorter", () => {
  for (const count of [0, 1, 2, 511, 512, 513, 5000]) {
    test(`puts ${count} series into label order`, () => {
      const random = makeRandom(count);
      const texts = new Set<string>();
      while (texts.size < count) {
        texts.add(random.pick(["", "a", "\u{1F600}", "\uE000", "ab"]) + random.below(1e6));
      }
      const keys = [...texts].map((text) =>
        keyOf({ __name__: "m", [`l${String.fromCodePoint(text.codePointAt(0)!)}`]: text }),
      );
      const sorter = new KeySorter(keysOf(keys));
      for (let ref = 1; ref <= count; ref += 1) {
        expect(sorter.add(ref)).toBe(true);
        const { addedKeys, addedFrom, addedUntil } = sorter;
        expect(addedKeys.slice(addedFrom, addedUntil)).toEqual(keys[ref - 1]);
      }
      const wanted = keys
        .map((_, i) => i + 1)
        .toSorted((a, b) => {
          const [x, y] = [keys[a - 1]!, keys[b - 1]!];
          return compareKeys(x, 0, x.length, y, 0, y.length);
        });
      const found: number[] = [];
      while (sorter.next()) {
        expect(sorter.key.slice(0, sorter.keyLength)).toEqual(keys[sorter.ref - 1]);
        found.push(sorter.ref);
      }
      expect(found).toEqual(wanted);
      expect(sorter.next()).toBe(false);
    });
  }

  test("passes over series without a key", () => {
    const sorter = new KeySorter(keysOf([keyOf({ a: "1" })]));
    expect([sorter.add(2), sorter.add(1), sorter.length]).toEqual([false, true, 1]);
  });
});

describe("mergeRuns", () => {
  test("gives the union of two runs in time, where the first run's samples win", () => {
    const random = makeRandom(5);
    for (let round = 0; round < 300; round += 1) {
      const columns = makeColumns({ capacity: 4 });
      const runs = [0, 1, 2].map(() => new Map<number, number>());
      const starts: number[] = [];
      for (const run of runs) {
        starts.push(columns.length);
        for (let i = random.below(6); i > 0; i -= 1) run.set(random.below(12), random.unit());
        const times = [...run.keys()].toSorted((a, b) => a - b);
        columns.reserve(times.length);
        for (const time of times) {
          columns.times[columns.length] = time;
          columns.values[columns.length] = run.get(time)!;
          columns.length += 1;
        }
      }
      mergeRuns(columns, starts[1]!, starts[2]!);
      const wanted = new Map([...runs[2]!, ...runs[1]!]);
      const times = [...wanted.keys()].toSorted((a, b) => a - b);
      expect([...columns.times.subarray(starts[1], columns.length)], `round ${round}`).toEqual(
        times,
      );
      expect([...columns.values.subarray(starts[1], columns.length)]).toEqual(
        times.map((time) => wanted.get(time)),
      );
      expect(starts[1]).toBe(runs[0]!.size);
    }
  });

  test("keeps the bits of a stale marker", () => {
    const columns = makeColumns();
    columns.times.set([2, 1]);
    const bits = new Uint32Array(columns.values.buffer);
    bits.set([2, 0x7ff00000, 0, 0x3ff00000]);
    columns.length = 2;
    mergeRuns(columns, 0, 1);
    expect([...columns.times.subarray(0, 2)]).toEqual([1, 2]);
    expect([...bits.subarray(0, 4)]).toEqual([0, 0x3ff00000, 2, 0x7ff00000]);
  });
});
