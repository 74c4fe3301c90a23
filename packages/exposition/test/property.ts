import fc from "fast-check";
import { test as vitestTest } from "vitest";

export { fc };

/** Runs of a property: enough to find what a change breaks, few enough to wait for. */
const RUNS = 400;

/** A test over drawn arguments. A failure prints fast-check's seed and path. */
export function test<T extends [unknown, ...unknown[]]>(
  title: string,
  arbitraries: { [K in keyof T]: fc.Arbitrary<T[K]> },
  body: (...args: T) => void | Promise<void>,
  numRuns = RUNS,
): void {
  vitestTest(title, async () => {
    await fc.assert(
      fc.asyncProperty(...arbitraries, async (...args: T) => body(...args)),
      { numRuns },
    );
  });
}
