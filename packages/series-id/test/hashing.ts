import { keyOf, makeBatch, makeRandom, reserveMemory, type RowBatch } from "@varve/bytes";
import type { HashSeed, Labels, Memory, SeriesHasher, Variant } from "@varve/contracts";
import { describe, expect, test } from "vitest";

const SEED: HashSeed = { low: 0x12345678, high: 0x9abcdef0 };

/** Where the batches of tests lie, and what hashers are opened with. */
const MEMORY = reserveMemory({ bytesMax: 2 ** 28 });

/** Opens a hasher, which is synchronous in this package. */
export function openHasher(variant: Variant<"series-id">, seed: HashSeed = SEED): SeriesHasher {
  return variant.open({ memory: MEMORY, seed }) as SeriesHasher;
}

/** A batch with a row for each key. */
export function batchOf(keys: readonly Uint8Array[], memory: Memory = MEMORY): RowBatch {
  const batch = makeBatch(memory, Math.max(1, keys.length));
  for (const key of keys) {
    const row = batch.add(0, 0);
    batch.reserveKey(row, key.length);
    batch.keys.set(key, batch.keyAt[row]!);
    batch.keyAt[row + 1] = batch.keyAt[row]! + key.length;
  }
  return batch;
}

/** The hashes of keys, as bigints. */
export function hashesOf(
  hasher: SeriesHasher,
  keys: readonly Uint8Array[],
  memory: Memory = MEMORY,
): bigint[] {
  const batch = batchOf(keys, memory);
  hasher.hash(batch, 0, keys.length);
  const hashes = keys.map(
    (_, row) => (BigInt(batch.hashes[2 * row + 1]!) << 32n) | BigInt(batch.hashes[2 * row]!),
  );
  batch.dispose();
  return hashes;
}

/** What a table needs of any hash, whatever the seed. */
export function describeHashing(make: () => Variant<"series-id">): void {
  describe("hashes", () => {
    test("depend on the key's bytes alone, not on where they lie", () => {
      const key = keyOf({ __name__: "up", job: "node" });
      const others = [keyOf({ a: "b" }), keyOf({ abc: "defg" }), new Uint8Array(0)];
      const [alone] = hashesOf(openHasher(make()), [key]);
      const moved = hashesOf(openHasher(make()), [...others, key, key]);
      expect(moved.slice(3)).toEqual([alone, alone]);
    });

    test("are filled for the rows of the range and for no other", () => {
      const batch = batchOf(["a", "b", "c", "d"].map((host) => keyOf({ host })));
      batch.hashes.fill(7);
      openHasher(make()).hash(batch, 1, 3);
      expect([...batch.hashes.subarray(0, 2), ...batch.hashes.subarray(6, 8)]).toEqual([
        7, 7, 7, 7,
      ]);
      expect([...batch.hashes.subarray(2, 6)]).not.toContain(7);
    });

    test("differ from seed to seed, in each half of the seed", () => {
      const keys = [keyOf({ a: "b" }), new Uint8Array(0)];
      const seeds = [SEED, { ...SEED, low: 1 }, { ...SEED, high: 1 }, { low: 0, high: 0 }];
      const all = seeds.flatMap((seed) => hashesOf(openHasher(make(), seed), keys));
      expect(new Set(all).size).toBe(all.length);
    });

    test("of 200,000 keys that differ in two numbers do not collide, and spread evenly", () => {
      const keys: Uint8Array[] = [];
      for (let i = 0; i < 200_000; i += 1) {
        const labels = { __name__: `metric_${i % 20}`, hostname: `host_${Math.floor(i / 20)}` };
        keys.push(keyOf(labels));
      }
      const hashes = hashesOf(openHasher(make()), keys);
      expect(new Set(hashes).size).toBe(hashes.length);
      // Low bits of either word, and high bits of the first, each into 4,096 buckets of 48.8.
      expect(excess(hashes, (hash) => Number(hash & 0xfffn))).toBeLessThan(6);
      expect(excess(hashes, (hash) => Number((hash >> 32n) & 0xfffn))).toBeLessThan(6);
      expect(excess(hashes, (hash) => Number((hash >> 20n) & 0xfffn))).toBeLessThan(6);
    });

    test("of keys that differ in any two bytes do not collide", () => {
      const base = keyOf({ __name__: "abcdefghijkl", host: "mnopqrst" });
      const [first, last] = ["a".charCodeAt(0), "z".charCodeAt(0)];
      for (const [i, j] of [
        [9, 13],
        [10, 14],
        [11, 15],
        [12, 16],
        [12, 28],
      ] as const) {
        const keys: Uint8Array[] = [];
        for (let a = first; a <= last; a += 1) {
          for (let b = first; b <= last; b += 1)
            keys.push(
              Uint8Array.from(base)
                .fill(a, i, i + 1)
                .fill(b, j, j + 1),
            );
        }
        const words = hashesOf(openHasher(make()), keys).map((hash) => hash & 0xffffffffn);
        expect(new Set(words).size).toBeGreaterThanOrEqual(keys.length - 1);
      }
    });

    test("change in about half of their bits when one bit of a value changes", () => {
      const random = makeRandom(77);
      const keys: Uint8Array[] = [];
      for (let i = 0; i < 500; i += 1) {
        const labels: Labels = { host: `h${random.word()}`, job: `j${random.word()}` };
        const key = keyOf(labels);
        const flipped = Uint8Array.from(key);
        // The low bits of digits and letters, which leave ASCII printable.
        flipped[5 + random.below(5)]! ^= 1 << random.below(3);
        keys.push(key, flipped);
      }
      const hashes = hashesOf(openHasher(make()), keys);
      const flips = new Uint32Array(64);
      for (let i = 0; i < hashes.length; i += 2) {
        const changed = hashes[i]! ^ hashes[i + 1]!;
        for (let bit = 0; bit < 64; bit += 1) flips[bit]! += Number((changed >> BigInt(bit)) & 1n);
      }
      // 500 coins: 250 +- 11.2; six deviations.
      expect(Math.min(...flips)).toBeGreaterThan(250 - 67);
      expect(Math.max(...flips)).toBeLessThan(250 + 67);
    });
  });
}

/** How many standard deviations the chi-square of a distribution lies above what chance gives. */
function excess(hashes: readonly bigint[], bucketOf: (hash: bigint) => number): number {
  const buckets = new Float64Array(4096);
  for (const hash of hashes) buckets[bucketOf(hash)]! += 1;
  const mean = hashes.length / buckets.length;
  const chi = buckets.reduce((sum, count) => sum + (count - mean) ** 2 / mean, 0);
  return (chi - 4095) / Math.sqrt(2 * 4095);
}
