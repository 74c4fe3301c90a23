import { PHASES } from "@varve/engine";
import type { CellResult } from "../cell/result.ts";
import { table } from "./table.ts";

/** Cells that stand side by side in one table. */
const CELLS_MAX = 4;

/** Where the time of a row goes, in nanoseconds: a phase a line, a cell a column. */
export function phaseTables(results: readonly CellResult[]): string[] {
  const timed = results.filter(({ timing }) => timing !== null);
  const tables: string[] = [];
  for (let from = 0; from < timed.length; from += CELLS_MAX) {
    tables.push(phaseTable(timed.slice(from, from + CELLS_MAX)));
  }
  return tables;
}

function phaseTable(results: readonly CellResult[]): string {
  const nsOf = (result: CellResult, at: number): number => result.timing?.phases[at]?.nsPerRow ?? 0;
  const lines = PHASES.flatMap((name, at) => {
    const times = results.map((result) => nsOf(result, at));
    return times.every((ns) => ns === 0) ? [] : [[name, ...times.map((ns) => ns.toFixed(0))]];
  });
  const totals = results.map((result) =>
    PHASES.reduce((sum, _, at) => sum + nsOf(result, at), 0).toFixed(0),
  );
  return table(
    [
      { head: "phase, ns a row" },
      ...results.map(({ spec }) => ({ head: spec.id, align: "right" as const, wraps: true })),
    ],
    [...lines, ["all", ...totals]],
  );
}
