import { makeRandom, reserveMemory } from "@varve/bytes";
import type { Memory } from "@varve/contracts";
import { describe, expect, test } from "vitest";
import { RefColumn } from "../src/ref-column.ts";

function open(bytesMax = 2 ** 24): { readonly memory: Memory; readonly column: RefColumn } {
  const memory = reserveMemory({ bytesMax });
  return { memory, column: new RefColumn(memory, memory.words(0, memory.bytesMax / 4)) };
}

describe("the column of keys by ref", () => {
  test.each([1, 2, 3])("agrees with a plain Map while series come and go (seed %i)", (seed) => {
    const random = makeRandom(seed);
    const { memory, column } = open();
    const keys = new Map<number, number>();
    let next = 1;
    for (let step = 0; step < 30_000; step += 1) {
      // Phases of growth and of loss, so that pages become lists, empty, and fill again.
      const action = random.unit();
      const isGrowing = (step >>> 11) % 2 === 0;
      const ref = 1 + random.below(next + 100);
      if (action < (isGrowing ? 0.6 : 0.1)) {
        // Mostly the next ref, as in life; sometimes any, as a replay may tell it.
        const fresh = random.chance(0.9) ? next : ref;
        if (keys.has(fresh)) continue;
        expect(column.ensure(fresh)).toBe(true);
        column.set(fresh, step + 1);
        keys.set(fresh, step + 1);
        next = Math.max(next, fresh + 1);
      } else if (action < 0.7 && keys.has(ref)) {
        column.move(ref, 1_000_000 + step);
        keys.set(ref, 1_000_000 + step);
      } else if (keys.has(ref)) {
        column.clear(ref);
        keys.delete(ref);
      }
      if (column.get(ref) !== (keys.get(ref) ?? 0)) {
        expect(column.get(ref), `seed ${seed}, step ${step}`).toBe(keys.get(ref) ?? 0);
      }
    }
    for (let ref = 0; ref < next + 2000; ref += 1) {
      expect(column.get(ref), `seed ${seed}, ref ${ref}`).toBe(keys.get(ref) ?? 0);
    }
    column.dispose();
    expect(memory.bytesTaken).toBe(0);
  });

  test("costs 256 bytes for a thousand refs of which a few are left, and nothing for none", () => {
    const { memory, column } = open();
    for (let ref = 1; ref <= 100_000; ref += 1) {
      column.ensure(ref);
      column.set(ref, ref);
    }
    expect(memory.bytesTaken).toBeGreaterThan(400_000);
    const stays = (ref: number): boolean => ref % 100 === 0 && ref <= 50_000;
    for (let ref = 1; ref <= 100_000; ref += 1) if (!stays(ref)) column.clear(ref);
    expect(memory.bytesTaken).toBe(49 * 256);
    expect(column.bytes).toBeLessThan(49 * 256 + 1000);
    for (let ref = 1; ref <= 100_000; ref += 1) expect(column.get(ref)).toBe(stays(ref) ? ref : 0);
  });

  test("says so when the memory is full, and keeps a page that has no room to become a list", () => {
    const { memory, column } = open(65_536);
    let last = 0;
    for (let ref = 1; column.ensure(ref); ref += 1) column.set((last = ref), ref);
    while (memory.take(64) !== 0);
    for (let ref = 1024; ref < 2020; ref += 1) column.clear(ref);
    for (let ref = 1024; ref <= last; ref += 1) expect(column.get(ref)).toBe(ref < 2020 ? 0 : ref);
    expect(column.ensure(2 ** 32 - 1)).toBe(false);
    expect(column.get(2 ** 32 - 1)).toBe(0);
  });

  test("reaches to the last ref", () => {
    const { column } = open();
    column.ensure(2 ** 32 - 1);
    column.set(2 ** 32 - 1, 7);
    for (const ref of [2 ** 32 - 3, 2 ** 32 - 2]) {
      column.ensure(ref);
      column.set(ref, ref & 255);
    }
    column.clear(2 ** 32 - 2);
    expect([3, 2, 1].map((i) => column.get(2 ** 32 - i))).toEqual([253, 0, 7]);
  });
});
