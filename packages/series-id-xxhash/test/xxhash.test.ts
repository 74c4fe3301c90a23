import { keyOf, makeBatch, reserveMemory } from "@varve/bytes";
import { certify, checked } from "@varve/conformance";
import type { HashSeed, Labels } from "@varve/contracts";
import { xxhashId } from "@varve/series-id-xxhash";
import { describe, expect, test } from "vitest";
import loadXxhash from "xxhash-wasm";

certify(xxhashId(), { test });
certify(checked(xxhashId()), { test });

const ZERO: HashSeed = { low: 0, high: 0 };

async function hashesOf(seed: HashSeed, keys: readonly Uint8Array[]): Promise<string[]> {
  const hasher = await xxhashId().open({ seed });
  const batch = makeBatch(reserveMemory({ bytesMax: 2 ** 22 }), keys.length);
  for (const key of keys) {
    const row = batch.add(0, 0);
    batch.reserveKey(row, key.length);
    batch.keys.set(key, batch.keyAt[row]!);
    batch.keyAt[row + 1] = batch.keyAt[row]! + key.length;
  }
  hasher.hash(batch, 0, keys.length);
  return keys.map((_, row) => hex(batch.hashes[2 * row + 1]!) + hex(batch.hashes[2 * row]!));
}

function hex(word: number): string {
  return word.toString(16).padStart(8, "0");
}

/** Label sets and their StableHash, published in Prometheus' model/labels/sharding_test.go. */
const VECTORS: readonly (readonly [Labels, string])[] = [
  [{}, "ef46db3751d8e999"],
  [{ hello: "world" }, "347c8ee7a9e29708"],
  [{ label: "value", __name__: "metric" }, "cbab40540f26097d"],
];

test.each(VECTORS)("with seed 0, %j has Prometheus' StableHash", async (labels, hash) => {
  expect(await hashesOf(ZERO, [keyOf(labels)])).toEqual([hash]);
});

test("is the library's h64 of the whole 64-bit seed, for keys of every length", async () => {
  const library = await loadXxhash();
  const keys = Array.from({ length: 300 }, (_, length) => new Uint8Array(length).fill(length));
  const got = await hashesOf({ low: 0x89abcdef, high: 0xf1234567 }, keys);
  const expected = keys.map((key) =>
    library.h64Raw(key, 0xf123456789abcdefn).toString(16).padStart(16, "0"),
  );
  expect(got).toEqual(expected);
});

test("takes the words of a seed as bits, signed or not", async () => {
  const keys = [keyOf({ a: "b" })];
  const signed = await hashesOf({ low: -1, high: -2 }, keys);
  expect(signed).toEqual(await hashesOf({ low: 0xffffffff, high: 0xfffffffe }, keys));
});

test("hashes a key that is larger than the library's memory was", async () => {
  const library = await loadXxhash();
  const key = new Uint8Array(300_000).fill(0x61);
  const expected = library.h64Raw(key, 0n).toString(16).padStart(16, "0");
  expect(await hashesOf(ZERO, [key])).toEqual([expected]);
});

describe("hashes", () => {
  test("are filled for the rows of the range and for no other", async () => {
    const hasher = await xxhashId().open({ seed: ZERO });
    const batch = makeBatch(reserveMemory({ bytesMax: 2 ** 20 }), 4);
    for (let row = 0; row < 4; row += 1) batch.add(0, 0);
    batch.hashes.fill(7);
    hasher.hash(batch, 1, 3);
    expect([...batch.hashes.subarray(0, 2), ...batch.hashes.subarray(6, 8)]).toEqual([7, 7, 7, 7]);
    expect([...batch.hashes.subarray(2, 4)]).toEqual([0x51d8e999, 0xef46db37]);
  });

  test("of two hashers that are open at once do not mix", async () => {
    const keys = [keyOf({ a: "b" })];
    const [one, two] = await Promise.all([
      hashesOf({ low: 1, high: 0 }, keys),
      hashesOf({ low: 2, high: 0 }, keys),
    ]);
    expect(one).not.toEqual(two);
    expect(one).toEqual(await hashesOf({ low: 1, high: 0 }, keys));
  });
});

test("promises StableHash", () => {
  expect(xxhashId()).toMatchObject({
    slot: "series-id",
    name: "xxhash",
    traits: { stable: true },
  });
});
