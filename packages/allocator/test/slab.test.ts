import { reserveMemory } from "@varve/bytes";
import { certify, checked } from "@varve/conformance";
import {
  AssertionError,
  isStorageError,
  NO_REGION,
  type Allocator,
  type Region,
} from "@varve/contracts";
import { describe, expect, test } from "vitest";
import { classOf, linesOf } from "../src/internal/size-classes.ts";
import { slabAllocator } from "../src/slab.ts";
import { runModel } from "./model.ts";

certify(slabAllocator(), { test });
certify(checked(slabAllocator()), { test });

const MIB = 2 ** 20;

async function open(bytesMax: number, slabBytes?: number, memoryBytesMax = 16 * MIB) {
  const memory = reserveMemory({ bytesMax: memoryBytesMax });
  memory.take(100); // Slabs do not start at round offsets.
  return { memory, allocator: await slabAllocator({ slabBytes }).open({ memory, bytesMax }) };
}

describe("slab", () => {
  test.each([
    [8 * MIB, undefined, 2 ** 16],
    [MIB, undefined, 2 ** 14],
    [MIB, 4096, 2 ** 14],
    [64 * 1024, undefined, 2 ** 12],
    [100_000, 2 ** 18, 2 ** 16],
  ])(
    "agrees with a plain list over 4,000 random steps, with %i bytes in slabs of %s",
    async (bytesMax, slabBytes, regionBytesMax) => {
      const seed = Date.now();
      const { allocator } = await open(bytesMax, slabBytes);
      const { refused } = runModel(allocator, { seed, steps: 4000, bytesMax, regionBytesMax });
      if (bytesMax <= MIB) expect(refused, `seed ${seed}`).toBeGreaterThan(0);
    },
  );

  test("agrees with a plain list when the memory ends before its bound does", async () => {
    const seed = Date.now();
    const { memory, allocator } = await open(8 * MIB, undefined, 2 * MIB);
    const options = { seed, steps: 4000, bytesMax: 8 * MIB, regionBytesMax: 2 ** 16 };
    expect(runModel(allocator, options).refused, `seed ${seed}`).toBeGreaterThan(0);
    expect(memory.bytesTaken).toBe(allocator.stats.retainedBytes + 128);
  });

  test("leaves spans of the memory that others hold alone", async () => {
    const { memory, allocator } = await open(8 * MIB);
    const others: number[] = [];
    for (let i = 0; i < 300; i += 1) {
      const bytes = 64 * (1 + (i % 7));
      const at = memory.take(bytes);
      memory.bytes(at, bytes).fill(i);
      others.push(at);
      const region = allocator.acquire(1 + i * 37);
      allocator
        .bytes(region)
        .fill(0xee, allocator.at(region), allocator.at(region) + allocator.capacity(region));
    }
    others.forEach((at, i) => {
      expect(memory.bytes(at, 64 * (1 + (i % 7))).every((byte) => byte === i % 256)).toBe(true);
    });
  });

  test("gives every region from one array over the memory, at its offset, on a line of 64 bytes", async () => {
    const { memory, allocator } = await open(4 * MIB);
    const first = allocator.acquire(100);
    const second = allocator.acquire(70_000);
    expect(allocator.bytes(first)).toBe(allocator.bytes(second));
    expect(allocator.bytes(first).byteOffset).toBe(0);
    expect(allocator.bytes(first).buffer).toBe(memory.wasm.buffer);
    for (const region of [first, second]) {
      expect(allocator.at(region)).toBe(region * 64);
      expect(allocator.at(region) % 64).toBe(0);
    }
    expect([allocator.capacity(first), allocator.capacity(second)]).toEqual([128, 98_304]);
  });

  test("reaches all of a memory beyond 2 GiB through arrays that start at its GiBs", async () => {
    const GIB = 2 ** 30;
    const memory = reserveMemory({ bytesMax: 65_535 * 65_536 });
    const allocator = await slabAllocator().open({ memory, bytesMax: 4 * GIB });
    memory.take(2 * GIB - 64 - 192 * 1024);
    memory.take(64 * 1024);
    // The first slab ends at 2 GiB or begins a little below it; the next ones lie above.
    for (let i = 0; i < 40; i += 1) {
      const region = allocator.acquire(100_000);
      const bytes = allocator.bytes(region);
      const at = allocator.at(region);
      expect(bytes.byteOffset + at).toBe(region * 64);
      expect(at + allocator.capacity(region)).toBeLessThan(2 ** 31);
      bytes[at] = i;
      expect(memory.bytes(region * 64, 1)[0]).toBe(i);
    }
    expect(Math.max(...Array.from({ length: 3 }, () => allocator.acquire(8) * 64))).toBeGreaterThan(
      2 * GIB,
    );
  });

  test("carves many regions side by side, and takes released ones first", async () => {
    const { allocator } = await open(4 * MIB);
    const into = new Uint32Array(1000);
    expect(allocator.acquireMany(192, 1000, into)).toBe(1000);
    for (let i = 1; i < 1000; i += 1) expect(into[i]! - into[i - 1]!).toBe(3);
    for (const region of into.subarray(0, 10)) allocator.release(region);
    const again = new Uint32Array(12);
    expect(allocator.acquireMany(192, 12, again)).toBe(12);
    expect(new Set(again.subarray(0, 10))).toEqual(new Set(into.subarray(0, 10)));
    expect(allocator.stats).toMatchObject({ live: 1002, hits: 10, batches: 2, acquired: 1012 });
  });

  test("gives empty slabs back when a class finds no room, and only then", async () => {
    const { memory, allocator } = await open(MIB);
    const small: number[] = [];
    for (let region = allocator.acquire(64); region !== NO_REGION; region = allocator.acquire(64)) {
      small.push(region);
    }
    expect(allocator.acquire(4000)).toBe(NO_REGION);
    for (const region of small) allocator.release(region);
    expect(allocator.acquire(2 * MIB)).toBe(NO_REGION); // Nothing given back would make room for this.
    expect(allocator.stats).toMatchObject({ live: 0, liveBytes: 0 });
    expect(allocator.stats.retainedBytes).toBeGreaterThan(0.9 * MIB);
    expect(memory.bytesTaken).toBe(allocator.stats.retainedBytes + 128);
    expect(allocator.acquire(4000)).not.toBe(NO_REGION);
    expect(allocator.stats.retainedBytes).toBeLessThan(0.1 * MIB);
    const gone = small.filter((region) => !isKnown(allocator, region));
    expect(gone.length).toBeGreaterThan(0.9 * small.length);
    expect(() => allocator.release(gone[0]!)).toThrow(AssertionError);
  });

  test("asserts on numbers that lie in no slab, and on a release too many", async () => {
    const { allocator } = await open(MIB);
    const region = allocator.acquire(8);
    for (const wrong of [NO_REGION, 200_000, -1, 2 ** 31]) {
      expect(() => allocator.release(wrong)).toThrow(AssertionError);
      expect(() => allocator.bytes(wrong)).toThrow(AssertionError);
      expect(() => allocator.capacity(wrong)).toThrow(AssertionError);
    }
    allocator.release(region);
    expect(() => allocator.release(region)).toThrow(AssertionError);
    expect(() => allocator.acquire(0)).toThrow(AssertionError);
    expect(allocator.acquire(2 ** 31)).toBe(NO_REGION);
  });

  test.each([0, 1000, 2048, 5000, 2 ** 31])("refuses slabs of %i bytes with PLAN", (slabBytes) => {
    const refusal = (() => {
      try {
        return slabAllocator({ slabBytes });
      } catch (error) {
        return error;
      }
    })();
    expect(isStorageError(refusal, "PLAN")).toBe(true);
  });
});

/** True when the region's number lies in a slab. */
function isKnown(allocator: Allocator, region: Region): boolean {
  try {
    return allocator.capacity(region) > 0;
  } catch (error) {
    if (error instanceof AssertionError) return false;
    throw error;
  }
}

describe("size classes", () => {
  test("are the smallest that fit, and waste at most a third above 128 bytes", () => {
    let previous = 0;
    for (let bytes = 1; bytes < 200_000; bytes += bytes < 5000 ? 1 : 61) {
      const sizeClass = classOf(bytes);
      const size = linesOf(sizeClass) * 64;
      expect(sizeClass).toBeGreaterThanOrEqual(previous);
      if (size < bytes) expect(size).toBeGreaterThanOrEqual(bytes);
      if (sizeClass > 1) expect(linesOf(sizeClass - 1) * 64).toBeLessThan(bytes);
      if (bytes > 128) expect((size - bytes) / size).toBeLessThan(0.34);
      previous = sizeClass;
    }
    expect([classOf(2 ** 30), linesOf(56)]).toEqual([56, 2 ** 24]);
  });
});
