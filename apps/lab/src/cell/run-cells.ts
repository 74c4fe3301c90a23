import { planOf } from "../plan-of.ts";
import { runChild } from "./child.ts";
import { emptyResult, mergeRepeats } from "./merge.ts";
import type { CellResult } from "./result.ts";
import { fullSpec, type CellSpec } from "./spec.ts";
import { takeTurns, type TurnEvent, type TurnOptions } from "./turns.ts";

/** What happens during a run, for progress displays. */
export type CellEvent = TurnEvent<CellSpec, CellResult>;

export type RunCellsOptions = TurnOptions<CellSpec, CellResult>;

/**
 * Runs cells: a child process for each cell and repeat, one at a time, in interleaved order. The answer has a
 * result for each spec, in the order of the specs, also for those that failed or never had their turn.
 *
 * Throws INPUT when a spec names what the catalog does not have, before anything runs.
 */
export async function runCells(
  specs: readonly CellSpec[],
  options: RunCellsOptions = {},
): Promise<CellResult[]> {
  const { repeats = 3 } = options;
  for (const spec of specs) planOf(spec.plan);
  const finished = await takeTurns(specs, runChild, options);
  return specs.map((spec, cell) => {
    const results = finished[cell]!;
    if (results.length > 0) return mergeRepeats(spec, results, repeats);
    return emptyResult(fullSpec(spec), "n/a", ["interrupted before it was measured"], repeats);
  });
}
