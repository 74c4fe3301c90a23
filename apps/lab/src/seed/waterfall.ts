import { byEffect, gainOf, measured } from "./analysis.ts";
import type { RunCells, SeedOptions } from "./cells.ts";
import { BASELINE, swapText, withFix, type Composition } from "./composition.ts";
import type { FixResult, WaterfallStep } from "./report.ts";
import { OTHER_FIXES, SUSPECTS, type Fix } from "./suspects.ts";
import { pairOfCells } from "./swaps.ts";

/** Part 4: the fixes added one at a time, what gained most alone first, ending with the best composition. */
export async function addUp(
  run: RunCells,
  options: SeedOptions,
  given: { readonly rows: number; readonly alone: readonly FixResult[] },
): Promise<WaterfallStep[]> {
  const fixes: readonly Fix[] = [...SUSPECTS, ...OTHER_FIXES];
  const order = byEffect(given.alone).flatMap(({ id }) => fixes.filter((fix) => fix.id === id));
  const steps: { fix: string; swap: string; composition: Composition }[] = [
    { fix: "baseline", swap: "", composition: BASELINE },
  ];
  for (const fix of order) {
    const composition = withFix(steps.at(-1)!.composition, fix);
    steps.push({ fix: fix.title, swap: swapText(fix), composition });
  }
  const results = await run(
    steps.flatMap(({ composition }, i) =>
      pairOfCells(`step ${i}`, composition, options, given.rows),
    ),
  );
  return steps.map(({ fix, swap }, i) => ({
    fix,
    swap,
    newPerSecond: measured(results[2 * i]!).rate,
    updatePerSecond: measured(results[2 * i + 1]!).rate,
    gain: i === 0 ? null : gainOf(results[2 * i - 2]!, results[2 * i]!),
  }));
}
