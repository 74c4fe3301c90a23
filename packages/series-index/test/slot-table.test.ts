import { makeRandom, reserveMemory } from "@varve/bytes";
import { describe, expect, test } from "vitest";
import { CROWDED, FULL, NO_SLOT, PLACED, SlotTable } from "../src/slot-table.ts";

function open(series = 0, bytesMax = 2 ** 24) {
  const memory = reserveMemory({ bytesMax });
  const table = new SlotTable(memory, memory.words(0, memory.bytesMax / 4));
  expect(table.open(series)).toBe(true);
  return { memory, table };
}

describe("the slot table", () => {
  test.each([1, 2, 3])("agrees with a plain Map through growth and loss (seed %i)", (seed) => {
    const random = makeRandom(seed);
    const { memory, table } = open();
    const live = new Map<number, { low: number; high: number; key: number }>();
    const find = (ref: number, low: number, high: number): number => {
      const place = table.place(low, high);
      const slot = table.seek(place, low, high, 0);
      return slot !== NO_SLOT && table.ref(slot) === ref ? table.key(slot) : 0;
    };
    let ref = 0;
    let [most, least] = [0, Infinity];
    for (let phase = 0; phase < 12; phase += 1) {
      const goal = phase % 2 === 0 ? 3000 + random.below(4000) : random.below(60);
      while (live.size < goal) {
        const [low, high] = [random.word() | 0, random.word() | 0];
        ref += 1;
        expect(table.put(table.place(low, high), low, high, ref, ref * 2)).toBe(PLACED);
        live.set(ref, { low, high, key: ref * 2 });
      }
      most = Math.max(most, table.bytes);
      const refs = [...live.keys()];
      while (live.size > goal) {
        const i = random.below(refs.length);
        const going = refs[i]!;
        refs[i] = refs.at(-1)!;
        refs.pop();
        const { low, high } = live.get(going)!;
        expect(table.remove(table.place(low, high), going)).toBe(true);
        expect(table.remove(table.place(low, high), going)).toBe(false);
        live.delete(going);
        if (random.chance(0.1) && refs.length > 0) {
          const moved = random.pick(refs);
          const series = live.get(moved)!;
          series.key = 1_000_000 + moved;
          table.move(table.place(series.low, series.high), moved, series.key);
        }
      }
      if (phase % 2 === 1) least = Math.min(least, table.bytes);
      for (const [known, { low, high, key }] of live) {
        if (find(known, low, high) !== key) throw new Error(`seed ${seed}: ref ${known} is lost`);
      }
    }
    expect(most).toBeGreaterThan(10 * 8192);
    expect(least).toBeLessThan(4 * 8192);
    table.dispose();
    expect(memory.bytesTaken).toBe(0);
  });

  test("keeps the room that was made up front", () => {
    const { table } = open(5000);
    const before = table.bytes;
    for (let ref = 1; ref <= 2000; ref += 1) table.put(table.place(ref, 7), ref, 7, ref, ref);
    for (let ref = 1; ref <= 2000; ref += 1) table.remove(table.place(ref, 7), ref);
    expect(table.bytes).toBe(before);
  });

  test("does not part what it just joined: series around any number come and go in place", () => {
    const { table } = open();
    const random = makeRandom(9);
    const put = (ref: number): unknown => table.put(table.place(ref, 1), ref, 1, ref, ref);
    for (let ref = 1; ref <= 4000; ref += 1) put(ref);
    for (let ref = 1; ref <= 2000; ref += 1) table.remove(table.place(ref, 1), ref);
    const splits = table.splits;
    for (let round = 0; round < 20_000; round += 1) {
      const ref = 2001 + random.below(2000);
      table.remove(table.place(ref, 1), ref);
      put(ref);
    }
    expect(table.splits - splits).toBeLessThanOrEqual(1);
  });

  test("joins no segments whose series would lie too far from home", () => {
    const { table } = open();
    // Sixty-odd series of one hash in one segment, and others that force splits around them.
    for (let ref = 1; ref <= 64; ref += 1)
      expect(table.put(table.place(5, 5), 5, 5, ref, ref)).toBe(PLACED);
    expect(table.put(table.place(5, 5), 5, 5, 65, 65)).toBe(CROWDED);
    for (let ref = 100; ref < 3100; ref += 1) table.put(table.place(ref, 1), ref, 1, ref, ref);
    for (let ref = 100; ref < 3100; ref += 1) table.remove(table.place(ref, 1), ref);
    for (let ref = 1; ref <= 64; ref += 1) expect(table.remove(table.place(5, 5), ref)).toBe(true);
    expect(table.mayOverflow(table.place(5, 5))).toBe(true);
    table.clearOverflowed();
    expect(table.mayOverflow(table.place(5, 5))).toBe(false);
  });

  test("is FULL when a crowded segment cannot be parted for want of memory", () => {
    const { table } = open(0, 65_536);
    let placed = 0;
    let last: number = PLACED;
    for (let ref = 1; last === PLACED; ref += 1) {
      last = table.put(table.place(ref, ref), ref, ref, ref, ref);
      placed += 1;
    }
    expect(last).toBe(FULL);
    expect(placed).toBeGreaterThan(1000);
    for (let ref = 1; ref < placed; ref += 1) {
      expect(table.seek(table.place(ref, ref), ref, ref, 0)).not.toBe(NO_SLOT);
    }
  });
});
