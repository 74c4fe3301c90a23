import { reserveMemory } from "@varve/bytes";
import { certify, checked } from "@varve/conformance";
import { AssertionError, NO_REGION, type Allocator } from "@varve/contracts";
import { describe, expect, test } from "vitest";
import { poolAllocator, type PoolAllocatorOptions } from "../src/pool.ts";
import { runModel } from "./model.ts";

certify(poolAllocator(), { test });
certify(checked(poolAllocator()), { test });

const memory = reserveMemory({ bytesMax: 2 ** 16 });

async function open(bytesMax = 2 ** 20, options: PoolAllocatorOptions = {}): Promise<Allocator> {
  return poolAllocator(options).open({ memory, bytesMax });
}

describe("pool", () => {
  test.each([0, 2 ** 14, 2 ** 20])(
    "agrees with a plain list over 6,000 random steps, keeping up to %i bytes",
    async (retainedBytesMax) => {
      const seed = Date.now();
      const options = { seed, steps: 6000, bytesMax: 2 ** 20, regionBytesMax: 2 ** 14 };
      const allocator = await open(2 ** 20, { retainedBytesMax });
      expect(runModel(allocator, options).refused, `seed ${seed}`).toBeGreaterThan(0);
      expect(allocator.stats.retainedBytes).toBeLessThanOrEqual(retainedBytesMax);
    },
  );

  test("hands an array out again to a request of the same class, and counts the hit", async () => {
    const allocator = await open();
    const region = allocator.acquire(100);
    const array = allocator.bytes(region);
    expect(allocator.capacity(region)).toBe(128);
    allocator.release(region);
    expect(allocator.stats).toMatchObject({ live: 0, retainedBytes: 128, hits: 0 });
    const again = allocator.acquire(127);
    expect(allocator.bytes(again)).toBe(array);
    expect(allocator.stats).toMatchObject({ live: 1, retainedBytes: 0, hits: 1 });
    expect(allocator.bytes(allocator.acquire(100))).not.toBe(array);
    expect(allocator.stats.hits).toBe(1);
  });

  test("keeps no more than its bound on retained bytes", async () => {
    const allocator = await open(2 ** 20, { retainedBytesMax: 300 });
    const regions = [1, 2, 3, 4].map(() => allocator.acquire(128));
    for (const region of regions) allocator.release(region);
    expect(allocator.stats).toMatchObject({ live: 0, retainedBytes: 256 });
  });

  test("lets kept arrays go when a request of another class needs their room", async () => {
    const allocator = await open(1024, { retainedBytesMax: 1024 });
    const regions = Array.from({ length: 16 }, () => allocator.acquire(64));
    expect(allocator.acquire(64)).toBe(NO_REGION);
    for (const region of regions.slice(0, 8)) allocator.release(region);
    expect(allocator.stats.retainedBytes).toBe(512);
    expect(allocator.acquire(513)).toBe(NO_REGION);
    expect(allocator.stats.retainedBytes).toBe(512);
    expect(allocator.acquire(448)).not.toBe(NO_REGION);
    expect(allocator.stats).toMatchObject({ liveBytes: 960, retainedBytes: 64 });
  });

  test("asserts on numbers that are no live region, kept ones included", async () => {
    const allocator = await open();
    const region = allocator.acquire(8);
    allocator.release(region);
    for (const wrong of [NO_REGION, region, 999, -1, 0.5]) {
      expect(() => allocator.release(wrong)).toThrow(AssertionError);
      expect(() => allocator.bytes(wrong)).toThrow(AssertionError);
      expect(() => allocator.at(wrong)).toThrow(AssertionError);
      expect(() => allocator.capacity(wrong)).toThrow(AssertionError);
    }
    expect(() => allocator.acquire(0)).toThrow(AssertionError);
    expect(allocator.acquire(2 ** 31)).toBe(NO_REGION);
  });
});
