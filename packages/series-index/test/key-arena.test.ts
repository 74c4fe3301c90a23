import { makeRandom, reserveMemory } from "@varve/bytes";
import { describe, expect, test } from "vitest";
import { ARENA_PAGE_BYTES } from "../src/arena-pages.ts";
import { KeyArena, NO_KEY } from "../src/key-arena.ts";

/** An arena whose keys are filled with their ref, and the places that it says they have. */
function open(bytesMax: number) {
  const memory = reserveMemory({ bytesMax });
  const source = new Int32Array(100_000);
  const at = new Map<number, { key: number; length: number }>();
  let moves = 0;
  const arena = new KeyArena(memory, memory.words(0, memory.bytesMax / 4), (ref, place, to) => {
    expect(place).toBe(ref ^ 0x5555);
    at.get(ref)!.key = to;
    moves += 1;
  });
  const add = (ref: number, length: number): boolean => {
    new Uint8Array(source.buffer, 0, length).fill(ref % 251);
    const key = arena.store(ref ^ 0x5555, ref, source, 0, length);
    if (key !== NO_KEY) at.set(ref, { key, length });
    return key !== NO_KEY;
  };
  const remove = (ref: number): void => {
    arena.release(at.get(ref)!.key);
    at.delete(ref);
  };
  const check = (why: string): void => {
    const bytes = new Uint8Array(400_000);
    for (const [ref, { key, length }] of at) {
      if (arena.load(key, bytes, 0) !== length) throw new Error(`${why}: length of ${ref}`);
      for (let i = 0; i < length; i += 1) {
        if (bytes[i] !== ref % 251) throw new Error(`${why}: byte ${i} of ${ref}`);
      }
    }
  };
  return { memory, arena, at, add, remove, check, moves: () => moves };
}

describe("the key arena", () => {
  test.each([1, 2, 3, 4])(
    "keeps every key whole through thousands of changes (seed %i)",
    (seed) => {
      const random = makeRandom(seed);
      // Little memory: keys are moved between pages and slid together within them.
      const { memory, arena, at, add, remove, check } = open((seed % 2 === 0 ? 20 : 6) * 65_536);
      let refused = 0;
      for (let ref = 1; ref < 12_000; ref += 1) {
        const length = 1 + Math.floor(2 ** (random.unit() * (random.chance(0.01) ? 16 : 9)));
        if (!add(ref, length)) refused += 1;
        const refs = [...at.keys()];
        const isCrowded = refs.length > 1200 && (ref >>> 9) % 2 === 0;
        for (let i = 0; i < (isCrowded ? 2 : 1) && random.chance(0.9) && refs.length > i; i += 1) {
          const going = random.pick(refs);
          if (at.has(going)) remove(going);
        }
        if (random.chance(0.2)) arena.tidy();
        if (ref % 500 === 0) check(`seed ${seed}, ref ${ref}`);
      }
      if (seed % 2 === 1) expect(refused, `seed ${seed}`).toBeGreaterThan(0);
      check(`seed ${seed}, at the end`);
      for (const ref of at.keys()) remove(ref);
      expect(arena.bytes).toBe(ARENA_PAGE_BYTES);
      arena.dispose();
      expect(memory.bytesTaken).toBe(0);
    },
  );

  test("takes at most twice what its keys do once it was tidied, and moves no more than was released", () => {
    const { arena, at, add, remove, check, moves } = open(2 ** 23);
    for (let ref = 1; ref <= 20_000; ref += 1) add(ref, 108); // 120 B with its header.
    let removed = 0;
    for (let ref = 1; ref <= 20_000; ref += 1) {
      if (ref % 10 === 0) continue;
      remove(ref);
      removed += 1;
      if (removed % 100 === 0) arena.tidy();
    }
    expect(at.size).toBe(2000);
    expect(arena.bytes).toBeLessThan(2000 * 120 * 2 + 3 * ARENA_PAGE_BYTES);
    expect(moves()).toBeLessThan(removed);
    check("after all");
  });

  test("moves nothing while keys go in the order in which they came", () => {
    const { arena, add, remove, moves } = open(2 ** 23);
    for (let ref = 1; ref <= 60_000; ref += 1) {
      add(ref, 100);
      if (ref > 20_000) remove(ref - 20_000);
      if (ref % 100 === 0) arena.tidy();
    }
    expect(moves()).toBe(0);
    expect(arena.bytes).toBeLessThan(20_000 * 112 + 3 * ARENA_PAGE_BYTES);
  });

  test("does little in a call of tidy, however much there is to do", () => {
    const { arena, add, remove, moves } = open(2 ** 24);
    for (let ref = 1; ref <= 50_000; ref += 1) add(ref, 108);
    for (let ref = 1; ref <= 50_000; ref += 1) {
      if (ref % 5 === 0) continue;
      remove(ref);
      const before = moves();
      arena.tidy();
      expect(moves() - before).toBeLessThanOrEqual(2);
    }
    expect(arena.bytes).toBeLessThan(10_000 * 120 * 2 + 3 * ARENA_PAGE_BYTES);
  });

  test("uses the room of single keys again when the memory is full", () => {
    const { arena, add, remove, check, at } = open(4 * 65_536);
    let ref = 1;
    while (add(ref, 90)) ref += 1;
    const full = at.size;
    for (let round = 0; round < 50; round += 1) {
      for (let i = 0; i < 10; i += 1) remove([...at.keys()][(i * 37) % at.size]!);
      for (let i = 0; i < 10; i += 1) expect(add((ref += 1), 90)).toBe(true);
      expect(add((ref += 1), 90)).toBe(false);
      arena.tidy();
    }
    expect(at.size).toBe(full);
    check("at the end");
  });
});
