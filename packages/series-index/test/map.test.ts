import { certify, checked } from "@varve/conformance";
import { isStorageError } from "@varve/contracts";
import { describe, expect, test } from "vitest";
import { mapIndex } from "../src/map.ts";
import { fill, goodHash, keyOfRef, openWorld, poorHash, runModel, zeroHash } from "./world.ts";

certify(mapIndex(), { test });
certify(checked(mapIndex()), { test });

describe("map", () => {
  test.each([
    ["good", goodHash],
    ["poor", poorHash],
    ["constant", zeroHash],
  ])("agrees with a plain map through thousands of operations, hashes %s", async (_, hash) => {
    const names = hash === goodHash ? 2000 : 200;
    for (const seed of [1, 2, 3]) {
      await using _world = await runModel(mapIndex(), { seed, hash, names, operations: 1500 });
    }
  });

  test("stops at seriesMax and agrees with a plain map there", async () => {
    await using _ = await runModel(mapIndex(), { seed: 4, hash: goodHash, seriesMax: 100 });
  });

  test("spreads over several maps when one is full, and still agrees with a plain map", async () => {
    const variant = mapIndex({ mapEntriesMax: 64 });
    await using world = await runModel(variant, { seed: 5, hash: goodHash });
    expect(world.index.stats.growths).toBeGreaterThan(2);
  });

  test("counts keys that share a hash", async () => {
    await using world = await openWorld(mapIndex());
    fill(world.batch, ["a", "b", "c"], zeroHash);
    world.index.insert(world.batch, 0, 3);
    expect(world.index.stats.collisions).toBe(2);
    world.index.drop(Uint32Array.of(1), 1);
    expect([1, 2, 3].map((ref) => keyOfRef(world.index, ref))).toEqual([undefined, "b", "c"]);
    fill(world.batch, ["a", "b", "c"], zeroHash);
    world.index.find(world.batch, 0, 3);
    expect([...world.batch.refs.subarray(0, 3)]).toEqual([0, 2, 3]);
  });

  test("says CLOSED after it is disposed", async () => {
    const world = await openWorld(mapIndex());
    await world.index[Symbol.asyncDispose]();
    expect(() => world.index.find(world.batch, 0, 0)).toThrow("closed");
    await expect(world.index.commit(1)).rejects.toSatisfy((e) => isStorageError(e, "CLOSED"));
  });
});
