import { reserveMemory } from "@varve/bytes";
import { certify, checked } from "@varve/conformance";
import { AssertionError, NO_REGION, type Allocator } from "@varve/contracts";
import { describe, expect, test } from "vitest";
import { heapAllocator } from "../src/heap.ts";
import { runModel } from "./model.ts";

certify(heapAllocator(), { test });
certify(checked(heapAllocator()), { test });

const memory = reserveMemory({ bytesMax: 2 ** 16 });

async function open(bytesMax = 2 ** 20): Promise<Allocator> {
  return heapAllocator().open({ memory, bytesMax });
}

describe("heap", () => {
  test("agrees with a plain list over 6,000 random steps", async () => {
    const seed = Date.now();
    const options = { seed, steps: 6000, bytesMax: 2 ** 20, regionBytesMax: 2 ** 14 };
    expect(runModel(await open(), options).refused, `seed ${seed}`).toBeGreaterThan(0);
  });

  test("gives each region an array of its own, with exactly the bytes asked for", async () => {
    const allocator = await open();
    const first = allocator.acquire(100);
    const second = allocator.acquire(1);
    expect(allocator.bytes(first)).toEqual(new Uint8Array(100));
    expect([allocator.at(first), allocator.capacity(first)]).toEqual([0, 100]);
    expect(allocator.bytes(first).buffer).not.toBe(allocator.bytes(second).buffer);
  });

  test("uses up its bound to the byte", async () => {
    const allocator = await open(100);
    const first = allocator.acquire(60);
    expect(allocator.acquire(41)).toBe(NO_REGION);
    expect(allocator.acquire(40)).not.toBe(NO_REGION);
    allocator.release(first);
    expect(allocator.stats).toMatchObject({ live: 1, liveBytes: 40, hits: 0, retainedBytes: 0 });
  });

  test("gives a number out again, but never its array", async () => {
    const allocator = await open();
    const region = allocator.acquire(8);
    const before = allocator.bytes(region);
    allocator.release(region);
    expect(allocator.acquire(8)).toBe(region);
    expect(allocator.bytes(region)).not.toBe(before);
  });

  test("asserts on numbers that are no live region, and on sizes that are none", async () => {
    const allocator = await open();
    const region = allocator.acquire(8);
    allocator.release(region);
    for (const wrong of [NO_REGION, region, 999, -1, 0.5]) {
      expect(() => allocator.release(wrong)).toThrow(AssertionError);
      expect(() => allocator.bytes(wrong)).toThrow(AssertionError);
      expect(() => allocator.at(wrong)).toThrow(AssertionError);
      expect(() => allocator.capacity(wrong)).toThrow(AssertionError);
    }
    for (const bytes of [0, -1, Number.NaN]) {
      expect(() => allocator.acquire(bytes)).toThrow(AssertionError);
    }
  });
});
