import { makeBatch, makeRandom, reserveMemory } from "@varve/bytes";
import { isStorageError } from "@varve/contracts";
import { describe, expect, test } from "vitest";
import type { openAddressedIndex } from "../src/open-addressed.ts";
import { SEGMENT_SLOTS } from "../src/segments.ts";
import {
  fill,
  goodHash,
  keyOfRef,
  needsOf,
  openWorld,
  poorHash,
  runModel,
  zeroHash,
} from "./world.ts";

/** What every open-addressed variant promises beside the contract. */
export function testOpenAddressed(makeIndex: typeof openAddressedIndex): void {
  describe(makeIndex().name, () => {
    test.each([
      ["good", goodHash],
      ["poor", poorHash],
      ["constant", zeroHash],
    ])("agrees with a plain map through thousands of operations, hashes %s", async (_, hash) => {
      for (const seed of [1, 2, 3]) {
        await using world = await runModel(makeIndex(), { seed, hash, operations: 2000 });
        if (hash === goodHash) expect(world.index.stats.growths).toBeGreaterThan(0);
        else expect(world.index.stats.overflowed).toBeGreaterThan(0);
      }
    });

    test("stops at seriesMax and agrees with a plain map there", async () => {
      const options = { seed: 4, hash: goodHash, seriesMax: 100 };
      await using _ = await runModel(makeIndex(), options);
    });

    test("finds 20,000 keys of one hash in the overflow, without a growth for them", async () => {
      await using world = await openWorld(makeIndex(), { rows: 1000 });
      const { batch, index } = world;
      for (let start = 0; start < 20_000; start += 1000) {
        fill(batch, numbered("same", start, 1000), zeroHash);
        expect(index.insert(batch, 0, 1000)).toBe(1000);
      }
      expect(index.stats).toMatchObject({ growths: 0, collisions: 19_999, overflowed: 20_000 - 4 });
      for (let start = 0; start < 20_000; start += 1000) {
        fill(batch, numbered("same", start, 1000), zeroHash);
        index.find(batch, 0, 1000);
        for (let i = 0; i < 1000; i += 1) expect(batch.refs[i]).toBe(start + i + 1);
      }
    });

    test("finds and drops overflowed series after their segment was split", async () => {
      await using world = await openWorld(makeIndex(), { rows: 1000 });
      const { batch, index } = world;
      fill(batch, numbered("same", 0, 200), zeroHash);
      index.insert(batch, 0, 200);
      for (let start = 0; start < 5000; start += 1000) {
        fill(batch, numbered("other", start, 1000));
        index.insert(batch, 0, 1000);
      }
      expect(index.stats.growths).toBeGreaterThan(8);
      index.drop(Uint32Array.of(1, 2, 150, 200), 4); // Two from slots, two from the overflow.
      fill(batch, numbered("same", 0, 200), zeroHash);
      index.find(batch, 0, 200);
      const lost = [0, 1, 149, 199];
      for (let i = 0; i < 200; i += 1) expect(batch.refs[i]).toBe(lost.includes(i) ? 0 : i + 1);
    });

    test("finds every key at every step of its growth", async () => {
      await using world = await openWorld(makeIndex(), { rows: 4096 });
      const { batch, index } = world;
      const keys = numbered("grow", 0, 4096);
      let growths = 0;
      for (let row = 0; row < keys.length; row += 1) {
        fill(batch, [keys[row]!]);
        index.insert(batch, 0, 1);
        if (index.stats.growths === growths) continue;
        growths = index.stats.growths;
        fill(batch, keys);
        index.find(batch, 0, keys.length);
        for (let i = 0; i < keys.length; i += 1) expect(batch.refs[i]).toBe(i <= row ? i + 1 : 0);
      }
      expect(growths).toBeGreaterThan(10);
    });

    test("pays for one segment at most in any insert, through a hundred thousand", async () => {
      await using world = await openWorld(makeIndex(), { rows: 1000 });
      const { batch, index } = world;
      let before = 0;
      for (let start = 0; start < 100_000; start += 1000) {
        fill(batch, numbered("one", start, 1000));
        for (let row = 0; row < 1000; row += 1) {
          index.insert(batch, row, row + 1);
          const { growths } = index.stats;
          expect(growths - before).toBeLessThanOrEqual(1);
          before = growths;
        }
      }
      // Each growth filled a segment first: what all of them moved is linear in the series.
      expect(before * SEGMENT_SLOTS).toBeLessThan(100_000 * 6);
    });

    test("makes room for the expected series up front: no growth until they are there", async () => {
      const options = { seriesExpected: 20_000, rows: 1000 };
      await using world = await openWorld(makeIndex({ prefault: true }), options);
      for (let start = 0; start < 20_000; start += 1000) {
        fill(world.batch, numbered("expected", start, 1000));
        world.index.insert(world.batch, 0, 1000);
      }
      expect(world.index.stats.growths).toBe(0);
      expect(world.index.size).toBe(20_000);
    });

    test("gives LIMIT to new keys when the memory is full, and knows all others", async () => {
      await using world = await openWorld(makeIndex(), { bytesMax: 2 ** 20, rows: 64 });
      const { batch, index } = world;
      let stored = 0;
      for (let start = 0; stored === start; start += 64) {
        fill(batch, numbered("x".repeat(90), start, 64));
        stored += index.insert(batch, 0, 64);
      }
      expect(stored).toBeGreaterThan(1000);
      expect(index.size).toBe(stored);
      expect(index.nextRef).toBe(stored + 1);
      for (let row = 0; row < 64; row += 1) expect(batch.status[row]).toBe(batch.refs[row] ? 0 : 5);
      for (let ref = 1; ref <= stored; ref += 1) expect(keyOfRef(index, ref)).toHaveLength(98);
      index.drop(Uint32Array.of(3, 4), 2); // Their room is used again.
      fill(batch, numbered("x".repeat(90), 7_000_000, 3));
      expect(index.insert(batch, 0, 3)).toBe(2);
      expect([...batch.status.subarray(0, 3)]).toEqual([0, 0, 5]);
    });

    test("throws LIMIT when a replayed key has no room, or the expected capacity has none", async () => {
      await using world = await openWorld(makeIndex(), { bytesMax: 3 * 65_536, rows: 8 });
      fill(world.batch, ["y".repeat(80_000)]);
      world.batch.refs[0] = 9;
      const isLimit = (error: unknown): boolean => isStorageError(error, "LIMIT");
      expect(() => world.index.adopt(world.batch, 0, 1)).toThrow(/memory/);
      const tooMany = openWorld(makeIndex(), { bytesMax: 2 ** 20, seriesExpected: 1e6 });
      await expect(tooMany).rejects.toSatisfy(isLimit);
    });

    test("keeps keys of every length and alignment, longer than a page too", async () => {
      await using world = await openWorld(makeIndex(), { rows: 64 });
      const { batch, index } = world;
      const random = makeRandom(11);
      const lengths = [1, 2, 3, 4, 5, 63, 64, 65, 65_523, 65_524, 65_525, 200_001, 7, 8, 9];
      const keys = lengths.map((length) => {
        let key = "";
        while (key.length < length) key += String.fromCharCode(random.below(256));
        return key;
      });
      fill(batch, keys);
      expect(index.insert(batch, 0, keys.length)).toBe(keys.length);
      for (let shift = 0; shift < 4; shift += 1) {
        fill(batch, ["#".repeat(shift), ...keys]); // Moves every key by a byte.
        index.find(batch, 1, keys.length + 1);
        for (let i = 1; i <= keys.length; i += 1) expect(batch.refs[i]).toBe(i);
      }
      const bytes = new Uint8Array(200_001);
      for (let ref = 1; ref <= keys.length; ref += 1) {
        expect(index.copyKey(ref, bytes, 0)).toBe(lengths[ref - 1]);
        expect(Buffer.from(bytes.subarray(0, lengths[ref - 1])).toString("latin1")).toBe(
          keys[ref - 1],
        );
      }
    });

    test("tells keys apart that differ in any one byte", async () => {
      await using world = await openWorld(makeIndex(), { rows: 64 });
      const key = "abcdefghijklmnopqrstuvwxyz01234";
      const others = Array.from(key, (_, i) => `${key.slice(0, i)}!${key.slice(i + 1)}`);
      fill(world.batch, [key, ...others, key.slice(1), `${key}\0`], zeroHash);
      expect(world.index.insert(world.batch, 0, world.batch.length)).toBe(world.batch.length);
    });

    test("adopts refs at the far end, and gives LIMIT once refs are used up", async () => {
      await using world = await openWorld(makeIndex());
      fill(world.batch, ["last"]);
      world.batch.refs[0] = 0xffffffff;
      world.index.adopt(world.batch, 0, 1);
      expect(keyOfRef(world.index, 0xffffffff)).toBe("last");
      expect(world.index.nextRef).toBe(2 ** 32);
      fill(world.batch, ["last", "one more"]);
      world.index.find(world.batch, 0, 2);
      expect(world.index.insert(world.batch, 0, 2)).toBe(0);
      expect([...world.batch.refs.subarray(0, 2)]).toEqual([0xffffffff, 0]);
      expect(world.batch.status[1]).toBe(5);
    });

    test("reuses the memory of dropped series: churn does not grow it", async () => {
      await using world = await openWorld(makeIndex(), { rows: 1000 });
      const { batch, index } = world;
      let bytes = 0;
      for (let round = 0; round < 60; round += 1) {
        fill(batch, numbered("churn", round * 1000, 1000));
        index.insert(batch, 0, 1000);
        if (round === 20) bytes = index.stats.bytes;
        index.drop(batch.refs, 1000);
      }
      expect(index.size).toBe(0);
      expect(index.nextRef).toBe(60_001);
      expect(index.stats.bytes).toBeLessThanOrEqual(bytes + 32 * 1024);
    });

    test("reads keys from a batch in another memory", async () => {
      await using world = await openWorld(makeIndex());
      const batch = makeBatch(reserveMemory({ bytesMax: 2 ** 17 }), 16);
      fill(batch, ["far", "away"]);
      expect(world.index.insert(batch, 0, 2)).toBe(2);
      fill(world.batch, ["away", "far"]);
      world.index.find(world.batch, 0, 2);
      expect([...world.batch.refs.subarray(0, 2)]).toEqual([2, 1]);
    });

    test("gives all its memory back when it is disposed, and says CLOSED from then on", async () => {
      const memory = reserveMemory({ bytesMax: 2 ** 25 });
      const batch = makeBatch(memory, 1000);
      const taken = memory.bytesTaken;
      const index = await makeIndex({ prefault: true }).open(
        needsOf(memory, { seriesExpected: 2000 }),
      );
      fill(batch, [...numbered("gone", 0, 990), "z".repeat(150_000)]);
      const grown = memory.bytesTaken;
      index.insert(batch, 0, batch.length);
      expect(memory.bytesTaken).toBeGreaterThan(grown);
      await index[Symbol.asyncDispose]();
      await index[Symbol.asyncDispose]();
      batch.dispose();
      expect(memory.bytesTaken).toBeLessThan(taken);
      expect(memory.bytesTaken).toBe(0);
      expect(() => index.insert(batch, 0, 0)).toThrow("closed");
      expect(() => index.drop(new Uint32Array(1), 1)).toThrow("closed");
    });

    test("holds a million series", async () => {
      const memory = reserveMemory({ bytesMax: 2 ** 28 });
      await using index = await makeIndex().open(needsOf(memory));
      const batch = makeBatch(memory, 1000);
      const forEachBatch = (run: (first: number) => void): void => {
        for (let first = 0; first < 1_000_000; first += 1000) {
          fillFast(batch, first);
          run(first);
        }
      };
      forEachBatch(() => expect(index.insert(batch, 0, 1000)).toBe(1000));
      expect(index.size).toBe(1_000_000);
      forEachBatch((first) => {
        index.find(batch, 0, 1000);
        let wrong = 0;
        for (let i = 0; i < 1000; i += 1) if (batch.refs[i] !== first + i + 1) wrong += 1;
        expect(wrong).toBe(0);
      });
    });
  });
}

function numbered(prefix: string, start: number, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}${String(start + i).padStart(8, "0")}`);
}

/** A thousand keys of 24 bytes, without a string each. */
function fillFast(batch: ReturnType<typeof makeBatch>, first: number): void {
  batch.clear();
  batch.length = 1000;
  for (let row = 0; row < 1000; row += 1) {
    const number = first + row;
    const at = row * 24;
    for (let i = 0; i < 24; i += 1) batch.keys[at + i] = number >>> ((i & 3) * 8);
    batch.keyAt[row + 1] = at + 24;
    batch.refs[row] = 0;
    batch.status[row] = 0;
    batch.hashes[2 * row] = Math.imul(number, 0x9e3779b1);
    batch.hashes[2 * row + 1] = Math.imul(number, 0x85ebca6b) ^ (number >>> 3);
  }
}
