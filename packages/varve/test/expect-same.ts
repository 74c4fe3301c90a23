import { expect } from "vitest";
import type { Content } from "./helpers.ts";

/** Fails with the first series in which two contents differ, instead of printing all of both. */
export function expectSame(actual: Content, expected: Content, what: string): void {
  expect(firstDifference(actual, expected), what).toBe("");
}

/** Says where contents differ first; "" where they do not. */
export function firstDifference(actual: Content, expected: Content): string {
  for (const name of new Set([...expected.keys(), ...actual.keys()])) {
    const [ours, theirs] = [actual.get(name), expected.get(name)];
    if (ours === undefined) return `${name} is missing, with ${theirs!.length} samples`;
    if (theirs === undefined) return `${name} is there, with ${ours.length} samples`;
    for (let i = 0; i < Math.max(ours.length, theirs.length); i += 1) {
      if (ours[i]?.[0] === theirs[i]?.[0] && ours[i]?.[1] === theirs[i]?.[1]) continue;
      return `${name} has ${show(ours[i])} for ${show(theirs[i])} at ${i} of ${theirs.length}`;
    }
  }
  return "";
}

function show(sample: readonly [number, string] | undefined): string {
  return sample === undefined ? "nothing" : sample.join(" ");
}
