import { makeRandom } from "@varve/bytes";
import { describe, expect, test } from "vitest";
import { narrow } from "../src/internal/intersect.ts";
import { Lists } from "../src/internal/lists.ts";
import { PairTable } from "../src/internal/pair-table.ts";
import { RefBits } from "../src/internal/ref-bits.ts";
import { RunPool } from "../src/internal/run-pool.ts";
import { ValueArena } from "../src/internal/value-arena.ts";

const SEEDS = [1, 2, 3];

function refsOf(lists: Lists, pair: number): number[] {
  const refs = new Uint32Array(lists.length(pair));
  expect(lists.copy(pair, refs, 0)).toBe(refs.length);
  return [...refs];
}

describe("ref bits", () => {
  test.each(SEEDS)("do as a Set does, up to the highest ref (seed %i)", (seed) => {
    const random = makeRandom(seed);
    const bits = new RefBits();
    const model = new Set<number>();
    const bases = [1, 32_760, 65_530, 2 ** 31 - 40, 2 ** 32 - 70];
    for (let i = 0; i < 5000; i += 1) {
      const ref = random.pick(bases) + random.below(64);
      expect(bits.has(ref)).toBe(model.has(ref));
      if (random.chance(0.5))
        expect(bits.add(ref)).toBe(!model.has(ref) && model.add(ref) === model);
      else expect(bits.delete(ref)).toBe(model.delete(ref));
      expect(bits.count).toBe(model.size);
    }
    const found: number[] = [];
    for (let ref = bits.next(1); ref !== 0; ref = bits.next(ref + 1)) found.push(ref);
    expect(found).toEqual([...model].sort((a, b) => a - b));
    for (const ref of model) bits.delete(ref);
    expect([bits.count, bits.next(0)]).toEqual([0, 0]);
    const other = new RefBits();
    other.add(2 ** 32 - 1);
    other.delete(2 ** 32 - 1);
    expect(bits.bytes).toBe(other.bytes); // Only the list of pages stays.
  });
});

describe("the run pool", () => {
  test.each(SEEDS)("hands out runs that never overlap, and gives pages back (seed %i)", (seed) => {
    const random = makeRandom(seed);
    const pool = new RunPool();
    const live = new Map<number, { log2: number; mark: number }>();
    for (let i = 0; i < 4000; i += 1) {
      if (random.chance(0.55) || live.size === 0) {
        const log2 = random.below(15);
        const address = pool.acquire(log2);
        expect(live.has(address)).toBe(false);
        const at = pool.offset(address);
        pool.words(address).fill(i + 1, at, at + 2 ** log2);
        live.set(address, { log2, mark: i + 1 });
      } else {
        const address = random.pick([...live.keys()]);
        const { log2, mark } = live.get(address)!;
        const at = pool.offset(address);
        const words = pool.words(address).subarray(at, at + 2 ** log2);
        expect(words.every((word) => word === mark)).toBe(true);
        pool.release(address);
        live.delete(address);
      }
      if (i === 2000) pool.closePages();
    }
    for (const address of live.keys()) pool.release(address);
    expect(pool.bytes).toBeLessThan(16 * 70_000); // At most a page a size stays.
  });
});

describe("the pair table", () => {
  test.each(SEEDS)(
    "finds every pair under its hash through growth and removal (seed %i)",
    (seed) => {
      const random = makeRandom(seed);
      const table = new PairTable();
      const empty = table.bytes;
      const model = new Map<number, Set<number>>();
      const pairs = new Map<number, number>();
      for (let i = 0; i < 6000; i += 1) {
        const hash = (random.below(4) * 2 ** 30 + random.below(300)) >>> 0; // Few shards, many collisions.
        const grows = i < 4000 ? 0.6 : 0.1;
        if (random.chance(grows)) {
          table.add(hash, i * 8);
          pairs.set(i * 8, hash);
          const same = model.get(hash) ?? new Set();
          model.set(hash, same.add(i * 8));
        } else if (pairs.size > 0) {
          const [pair, owner] = random.pick([...pairs]);
          table.delete(owner, pair);
          pairs.delete(pair);
          model.get(owner)!.delete(pair);
        }
        const found = new Set<number>();
        for (let pair = table.first(hash); pair >= 0; pair = table.next(hash)) found.add(pair);
        expect(found).toEqual(model.get(hash) ?? new Set());
      }
      expect(table.count).toBe(pairs.size);
      for (const [pair, hash] of pairs) table.delete(hash, pair);
      expect(table.count).toBe(0);
      expect(table.bytes).toBeLessThan(empty + 4 * 256);
    },
  );
});

describe("the value arena", () => {
  test("keeps values of any length, longer than a page too, and copies what lives", () => {
    const values = new ValueArena();
    const texts = [0, 1, 10, 65_534, 65_535, 65_536, 200_000, 3].map((length, i) =>
      new Uint8Array(length).fill(i + 1),
    );
    let at = texts.map((text) => values.append(text, 0, text.length));
    for (let round = 0; round < 3; round += 1) {
      for (const [i, text] of texts.entries()) {
        expect(values.equals(at[i]!, text, 0, text.length)).toBe(true);
        expect(values.end(at[i]!) - values.offset(at[i]!)).toBe(text.length);
        const other = text.slice(1);
        expect(values.equals(at[i]!, other, 0, other.length)).toBe(text.length === 0);
      }
      values.closePages();
      at = at.map((address) => values.move(address));
      values.dropClosed();
    }
    expect(values.bytes).toBeLessThan(200_001 + 65_537 + 5 * 65_536);
  });
});

describe("lists", () => {
  test.each([1, 3, 4, 5, 8, 9, 1000, 16_383, 16_384, 16_385, 50_000])(
    "keep %i refs through growth, ascending whatever their order was, and through rewriting",
    (count) => {
      for (const isShuffled of [false, true]) {
        const lists = new Lists();
        const pair = lists.addPair(1, 2, 3);
        const refs = Array.from({ length: count }, (_, i) => 3 * i + 1);
        const order = isShuffled ? refs.toSorted((a, b) => (a % 7) - (b % 7)) : refs;
        for (const ref of order) lists.append(pair, ref);
        expect(refsOf(lists, pair)).toEqual(refs);
        const without = new RefBits();
        for (const ref of refs) if (ref % 2 === 0) without.add(ref);
        lists.closePages();
        lists.rewrite(pair, without);
        const left = refs.filter((ref) => ref % 2 !== 0);
        expect(refsOf(lists, pair)).toEqual(left);
        lists.append(pair, 2);
        expect(refsOf(lists, pair)).toEqual([...left, 2].sort((a, b) => a - b));
        for (const ref of refs) without.add(ref);
        without.add(2);
        lists.closePages();
        lists.rewrite(pair, without);
        expect(lists.length(pair)).toBe(0);
        const { bytes } = lists;
        expect(bytes).toBeLessThan(3 * 70_000);
      }
    },
  );
});

describe("narrow", () => {
  test.each(SEEDS)(
    "keeps what a filter keeps, in lists of one piece and of many (seed %i)",
    (seed) => {
      const random = makeRandom(seed);
      for (const length of [0, 1, 3, 100, 16_384, 20_000]) {
        const lists = new Lists();
        const pair = lists.addPair(1, 1, 1);
        const inList = new Set<number>();
        for (let ref = 1; inList.size < length; ref += 1 + random.below(4)) {
          inList.add(ref);
          lists.append(pair, ref);
        }
        for (const chance of [0.001, 0.1, 1]) {
          const refs: number[] = [];
          for (let ref = 1; ref < length * 3 + 10; ref += 1)
            if (random.chance(chance)) refs.push(ref);
          for (const isWanted of [true, false]) {
            const ours = Uint32Array.from(refs);
            const kept = narrow(lists, pair, ours, refs.length, isWanted);
            expect([...ours.subarray(0, kept)]).toEqual(
              refs.filter((ref) => inList.has(ref) === isWanted),
            );
          }
        }
      }
    },
  );
});
