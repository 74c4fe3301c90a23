import { makeRandom } from "@varve/bytes";
import { describe, expect, test } from "vitest";
import { FreeSpans } from "../src/free-spans.ts";

/** Lines that a request of so many lines or fewer is rounded up to, as `spanBytes` does. */
function classLines(random: ReturnType<typeof makeRandom>): number {
  if (random.chance(0.5)) return 1 + random.below(64);
  return random.pick([96, 128, 192, 256, 384, 512, 768, 1024]);
}

describe("free spans", () => {
  test.each([1, 2, 3, 4])("agree with a plain list of lines (seed %i)", (seed) => {
    const random = makeRandom(seed);
    const spans = new FreeSpans();
    const isFree = new Uint8Array(6000);
    const live: { at: number; lines: number }[] = [{ at: 1, lines: 5998 }];
    for (let step = 0; step < 4000; step += 1) {
      const why = `seed ${seed}, step ${step}`;
      if (live.length > 0 && random.chance(0.5)) {
        const [span] = live.splice(random.below(live.length), 1);
        spans.add(span!.at, span!.lines);
        isFree.fill(1, span!.at, span!.at + span!.lines);
      } else {
        const lines = classLines(random);
        const at = spans.take(lines);
        if (at === 0) expect(longestRun(isFree), why).toBeLessThan(lines * 1.5);
        else {
          expect(
            isFree.subarray(at, at + lines).every((free) => free === 1),
            why,
          ).toBe(true);
          isFree.fill(0, at, at + lines);
          live.push({ at, lines });
        }
      }
      if (step % 50 === 0) expect(spans.count, why).toBe(countRuns(isFree));
    }
    for (const { at, lines } of live) spans.add(at, lines);
    expect(spans.count, `seed ${seed}`).toBe(1);
    expect(spans.takeEndingAt(5999)).toBe(1);
    expect(spans.count).toBe(0);
  });

  test("cut the smallest span that holds a request, and serve none when none does", () => {
    const spans = new FreeSpans();
    expect(spans.take(1)).toBe(0);
    spans.add(1000, 2 ** 20);
    spans.add(100, 96);
    spans.add(10, 8);
    expect(spans.take(6)).toBe(10);
    expect(spans.take(2)).toBe(16);
    expect(spans.take(96)).toBe(100);
    expect(spans.take(2 ** 20)).toBe(1000);
    expect(spans.count).toBe(0);
    expect(spans.takeEndingAt(5)).toBe(5);
  });

  test("reach from one line to all lines of the largest memory", () => {
    const spans = new FreeSpans();
    spans.add(1, 2 ** 26 - 1);
    expect(spans.take(1)).toBe(1);
    expect(spans.take(3 * 2 ** 24)).toBe(2);
    expect(spans.take(2 ** 24)).toBe(0); // Two lines are gone.
    expect(spans.take(3 * 2 ** 22)).toBe(2 + 3 * 2 ** 24);
  });
});

function countRuns(isFree: Uint8Array): number {
  let runs = 0;
  for (let i = 1; i < isFree.length; i += 1) if (isFree[i] === 1 && isFree[i - 1] === 0) runs += 1;
  return runs;
}

function longestRun(isFree: Uint8Array): number {
  let longest = 0;
  let run = 0;
  for (const free of isFree) {
    run = free === 1 ? run + 1 : 0;
    if (run > longest) longest = run;
  }
  return longest;
}
