import { makeRandom, reserveMemory } from "@varve/bytes";
import { certify, checked } from "@varve/conformance";
import type { SeriesHasher, WriteBatch } from "@varve/contracts";
import { xxh64Id } from "@varve/series-id/xxh64";
import { xxh64WasmId } from "@varve/series-id/xxh64-wasm";
import { expect, test } from "vitest";
import { batchOf, describeHashing, hashesOf, openHasher } from "./hashing.ts";
import { describeXxh64 } from "./xxh64-tests.ts";

certify(xxh64WasmId(), { test });
certify(checked(xxh64WasmId()), { test });

describeHashing(xxh64WasmId);
describeXxh64(xxh64WasmId);

const SEED = { low: 0xfedcba98, high: 0x76543210 };

test("hashes random batches and ranges as xxh64 does, byte for byte", () => {
  const random = makeRandom(4711);
  for (let round = 0; round < 300; round += 1) {
    const keys = Array.from({ length: 1 + random.below(40) }, () =>
      new Uint8Array(random.below(random.pick([4, 40, 400]))).map(() => random.below(256)),
    );
    const seed = { low: random.word(), high: random.word() };
    const from = random.below(keys.length + 1);
    const until = from + random.below(keys.length + 1 - from);
    const [got, expected] = [xxh64WasmId(), xxh64Id()].map((variant) => {
      const batch = batchOf(keys);
      batch.hashes.fill(7);
      openHasher(variant, seed).hash(batch, from, until);
      const hashes = batch.hashes.slice();
      batch.dispose();
      return hashes;
    });
    expect(got, `round ${round}`).toEqual(expected);
  }
});

test("reads keys in place, and no byte before the first or behind the last one of the memory", () => {
  const memory = reserveMemory({ bytesMax: 65_536 });
  const hasher = xxh64WasmId().open({ memory, seed: SEED }) as SeriesHasher;
  memory.take(1024); // Keeps columns away from the key.
  const columns = batchOf([new Uint8Array(1)], memory);
  const random = makeRandom(5);
  for (let length = 0; length <= 300; length += 1) {
    const key = new Uint8Array(length).map(() => random.below(256));
    const [expected] = hashesOf(openHasher(xxh64Id(), SEED), [key]);
    for (const at of [0, memory.bytesMax - length]) {
      const before = memory.bytes(at, length).slice();
      memory.bytes(at, length).set(key);
      // Places are all that the kernel takes: whoever asked this batch for bytes would find none.
      const batch = {
        memory,
        keys: { byteOffset: at },
        keyAt: { byteOffset: columns.keyAt.byteOffset },
        hashes: { byteOffset: columns.hashes.byteOffset },
      } as WriteBatch;
      columns.keyAt[1] = length;
      hasher.hash(batch, 0, 1);
      memory.bytes(at, length).set(before);
      const [low, high] = columns.hashes;
      expect((BigInt(high!) << 32n) | BigInt(low!), `${length} bytes at ${at}`).toBe(expected);
    }
  }
});

test("hashes a batch that lies in another memory, and touches nothing of its own", () => {
  const own = reserveMemory({ bytesMax: 65_536 });
  const hasher = xxh64WasmId().open({ memory: own, seed: SEED }) as SeriesHasher;
  const keys = Array.from({ length: 70 }, (_, length) => new Uint8Array(length).fill(length));
  expect(hashesOf(hasher, keys)).toEqual(hashesOf(openHasher(xxh64Id(), SEED), keys));
  expect(own.bytes(0, own.bytesMax).every((byte) => byte === 0)).toBe(true);
  expect(hashesOf(hasher, keys, own)).toEqual(hashesOf(hasher, keys));
});

test("promises StableHash", () => {
  expect(xxh64WasmId()).toMatchObject({
    slot: "series-id",
    name: "xxh64-wasm",
    traits: { stable: true },
  });
});

test("refuses to open without a memory", () => {
  expect(() => xxh64WasmId().open({ seed: SEED })).toThrow(
    expect.objectContaining({ code: "PLAN" }),
  );
});
