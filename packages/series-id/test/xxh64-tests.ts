import { keyOf, makeRandom } from "@varve/bytes";
import type { HashSeed, Labels, Variant } from "@varve/contracts";
import { describe, expect, test } from "vitest";
import loadXxhash from "xxhash-wasm";
import { hashesOf, openHasher } from "./hashing.ts";

const ZERO: HashSeed = { low: 0, high: 0 };

/** Label sets and their StableHash, published in Prometheus' model/labels/sharding_test.go. */
const VECTORS: readonly (readonly [Labels, bigint])[] = [
  [{}, 0xef46db3751d8e999n],
  [{ hello: "world" }, 0x347c8ee7a9e29708n],
  [{ label: "value", __name__: "metric" }, 0xcbab40540f26097dn],
];

const library = await loadXxhash();

/** What is xxh64 of every key, under every seed. */
export function describeXxh64(make: () => Variant<"series-id">): void {
  describe("xxh64", () => {
    test.each(VECTORS)("with seed 0, of %j is Prometheus' StableHash", (labels, hash) => {
      expect(hashesOf(openHasher(make(), ZERO), [keyOf(labels)])).toEqual([hash]);
    });

    test("is the library's, for random keys of every length under random seeds", () => {
      const random = makeRandom(64);
      for (let round = 0; round < 20; round += 1) {
        const seed = { low: random.word(), high: random.word() };
        const keys = Array.from({ length: 301 }, (_, length) =>
          new Uint8Array(length).map(() => random.below(256)),
        );
        const whole = (BigInt(seed.high) << 32n) | BigInt(seed.low);
        const expected = keys.map((key) => library.h64Raw(key, whole));
        expect(hashesOf(openHasher(make(), seed), keys), `round ${round}`).toEqual(expected);
      }
    });

    test("is the library's, for bytes and seeds whose sums carry", () => {
      const seeds = [0, 1, 0x7fffffff, 0x80000000, 0xffffffff];
      const keys = [0, 0x7f, 0x80, 0xff].flatMap((byte) =>
        Array.from({ length: 70 }, (_, length) => new Uint8Array(length).fill(byte)),
      );
      for (const low of seeds) {
        for (const high of seeds) {
          const expected = keys.map((key) =>
            library.h64Raw(key, (BigInt(high) << 32n) | BigInt(low)),
          );
          const got = hashesOf(openHasher(make(), { low, high }), keys);
          expect(got, `seed ${high} ${low}`).toEqual(expected);
        }
      }
    });

    test("is the library's, of a key of 300 KB", () => {
      const key = new Uint8Array(300_000).map((_, i) => i % 251);
      expect(hashesOf(openHasher(make(), ZERO), [key])).toEqual([library.h64Raw(key, 0n)]);
    });

    test("takes the words of a seed as bits, signed or not", () => {
      const keys = [keyOf({ a: "b" })];
      const signed = hashesOf(openHasher(make(), { low: -1, high: -2 }), keys);
      const unsigned = { low: 0xffffffff, high: 0xfffffffe };
      expect(signed).toEqual(hashesOf(openHasher(make(), unsigned), keys));
    });

    test("of two hashers that are open at once do not mix", () => {
      const keys = [keyOf({ a: "b" }), new Uint8Array(40)];
      const one = openHasher(make(), { low: 1, high: 0 });
      const two = openHasher(make(), { low: 2, high: 0 });
      const first = hashesOf(one, keys);
      expect(hashesOf(two, keys)).not.toEqual(first);
      expect(hashesOf(one, keys)).toEqual(first);
    });
  });
}
