import { makeRandom } from "@varve/bytes";
import { NO_REGION, type Allocator, type Region } from "@varve/contracts";
import { expect } from "vitest";

export interface ModelOptions {
  readonly seed: number;
  readonly steps: number;
  readonly bytesMax: number;
  /** Largest region asked for, in bytes. */
  readonly regionBytesMax: number;
}

/**
 * Thousands of random acquisitions and releases against a plain list of what is live.
 *
 * Every live region is filled with a pattern of its own, so that an overlap shows, and the counters are kept twice.
 */
export function runModel(
  allocator: Allocator,
  options: ModelOptions,
): { readonly refused: number } {
  const { seed, steps, bytesMax, regionBytesMax } = options;
  const random = makeRandom(seed);
  const live: { region: Region; bytes: number; pattern: number }[] = [];
  const many = new Uint32Array(40);
  const message = `seed ${seed}`;
  let acquired = 0;
  let batches = 0;
  let refused = 0;

  const add = (region: Region, bytes: number): void => {
    acquired += 1;
    const capacity = allocator.capacity(region);
    const at = allocator.at(region);
    if (capacity < bytes) expect(capacity, message).toBeGreaterThanOrEqual(bytes);
    const pattern = random.below(256);
    allocator.bytes(region).fill(pattern, at, at + capacity);
    live.push({ region, bytes, pattern });
  };
  const check = ({ region, pattern }: (typeof live)[number]): void => {
    const at = allocator.at(region);
    const bytes = allocator.bytes(region);
    for (let i = at; i < at + allocator.capacity(region); i += 1) {
      if (bytes[i] !== pattern) expect(bytes[i], `${message}: byte ${i - at}`).toBe(pattern);
    }
  };

  for (let step = 0; step < steps; step += 1) {
    // Sizes of all magnitudes; phases of growth and of shrinking.
    const bytes = 1 + random.below(2 ** (1 + random.below(Math.log2(regionBytesMax))));
    const shrinking = (step >>> 9) % 2 === 1;
    const choice = random.unit();
    if (choice < (shrinking ? 0.7 : 0.3) && live.length > 0) {
      const at = random.below(live.length);
      const taken = live[at]!;
      check(taken);
      allocator.release(taken.region);
      live[at] = live.at(-1)!;
      live.pop();
    } else if (choice > 0.95) {
      const count = random.below(many.length);
      const got = allocator.acquireMany(bytes, count, many);
      batches += 1;
      if (got < count) refused += 1;
      for (let i = 0; i < got; i += 1) add(many[i]!, bytes);
    } else {
      const region = allocator.acquire(bytes);
      if (region === NO_REGION) refused += 1;
      else add(region, bytes);
    }
    const { stats } = allocator;
    if (stats.liveBytes + stats.retainedBytes > bytesMax) {
      expect(stats.liveBytes + stats.retainedBytes, message).toBeLessThanOrEqual(bytesMax);
    }
    if (step % 97 === 0) {
      expect(new Set(live.map(({ region }) => region)).size, message).toBe(live.length);
      const liveBytes = live.reduce((sum, { region }) => sum + allocator.capacity(region), 0);
      expect(stats, message).toMatchObject({ live: live.length, liveBytes, acquired, batches });
    }
  }
  for (const each of live) check(each);
  for (const { region } of live) allocator.release(region);
  expect(allocator.stats, message).toMatchObject({ live: 0, liveBytes: 0 });
  return { refused };
}
