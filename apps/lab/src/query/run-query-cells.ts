import { fileURLToPath } from "node:url";
import { inChild } from "../cell/in-child.ts";
import { takeTurns, type TurnOptions } from "../cell/turns.ts";
import { planOf } from "../plan-of.ts";
import { mergeQueryRepeats } from "./merge.ts";
import { emptyQueryResult, type QueryCellResult } from "./result.ts";
import type { QueryCellSpec } from "./spec.ts";

const PROGRAM = fileURLToPath(
  import.meta.url.endsWith(".ts")
    ? new URL("./query-main.ts", import.meta.url)
    : new URL("./query-main.js", import.meta.url),
);

/**
 * Runs query cells: a child process for each cell and repeat, one at a time, in interleaved order. The answer has a result
 * for each spec, in their order. Throws INPUT when a spec names what the catalog does not have, before anything runs.
 */
export async function runQueryCells(
  specs: readonly QueryCellSpec[],
  options: TurnOptions<QueryCellSpec, QueryCellResult> = {},
): Promise<QueryCellResult[]> {
  const { repeats = 3 } = options;
  for (const spec of specs) planOf(spec.plan);
  const finished = await takeTurns(
    specs,
    async (turn): Promise<QueryCellResult | null> => {
      const child = { ...turn, program: PROGRAM };
      const end = await inChild<QueryCellSpec, QueryCellResult>(child);
      if (end.kind === "result") return end.result;
      if (end.kind === "stopped") return null;
      return emptyQueryResult(turn.spec, "failed", [end.reason], 1);
    },
    options,
  );
  return specs.map((spec, cell) => {
    const results = finished[cell]!;
    if (results.length > 0) return mergeQueryRepeats(spec, results, repeats);
    return emptyQueryResult(spec, "n/a", ["interrupted before it was measured"], repeats);
  });
}
