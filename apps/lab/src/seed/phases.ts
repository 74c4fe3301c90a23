import type { TimingReport } from "@varve/engine";
import type { CellResult } from "../cell/result.ts";
import type { CellSpec } from "../cell/spec.ts";
import { CellFailure, measured } from "./analysis.ts";
import { makeCell, type RunCells, type SeedOptions } from "./cells.ts";
import { BASELINE, BEST } from "./composition.ts";
import type { PhaseShare, PhaseTable } from "./report.ts";
import type { Suspect } from "./suspects.ts";

/** Rows of a batch whose every call is timed. */
const BATCH_ROWS = 1000;

type Heading = Pick<PhaseTable, "composition" | "rows" | "call" | "mode">;

/** Part 2: where the time of new rows and of updates goes, in both compositions, singly and in batches. */
export async function splitByPhase(
  run: RunCells,
  options: SeedOptions,
  given: { readonly rows: number },
): Promise<PhaseTable[]> {
  const headings: Heading[] = [];
  for (const call of ["single", "batch"] as const) {
    for (const composition of ["baseline", "best"] as const) {
      for (const rows of ["new", "update"] as const) {
        headings.push({ composition, rows, call, mode: call === "single" ? "sampled" : "full" });
      }
    }
  }
  // Each timed cell has a twin without a clock: what the phases have to add up to.
  const cells = headings.flatMap((heading) => [
    phaseCell(heading, options, given.rows, false),
    phaseCell(heading, options, given.rows, true),
  ]);
  const results = await run(cells);
  return headings.map((heading, i) => tableOf(heading, results[2 * i]!, results[2 * i + 1]!));
}

/** Percent of a new row's time in the baseline's single writes that is a suspect's. */
export function shareOf(suspect: Suspect, tables: readonly PhaseTable[]): number {
  const table = tables.find(
    (each) => each.composition === "baseline" && each.rows === "new" && each.call === "single",
  );
  return (table?.phases ?? [])
    .filter(({ name }) => suspect.phases.includes(name))
    .reduce((sum, { percent }) => sum + percent, 0);
}

function phaseCell(
  heading: Heading,
  options: SeedOptions,
  newRows: number,
  isTimed: boolean,
): CellSpec {
  const { composition, rows, call, mode } = heading;
  const { rowsPerRound, rounds } = options;
  const isSlow = composition === "baseline" && rows === "new";
  return makeCell({
    id: `${composition}/${rows}/${call}/${isTimed ? mode : "untimed"}`,
    composition: composition === "baseline" ? BASELINE : BEST,
    rows: {
      kind: rows,
      rows: isSlow ? newRows : rowsPerRound,
      batchRows: call === "batch" ? BATCH_ROWS : 0,
    },
    measure: { rounds, warmupRounds: 2, allocations: !isTimed, drain: false },
    options,
    timing: isTimed ? mode : undefined,
  });
}

function tableOf(heading: Heading, untimed: CellResult, timed: CellResult): PhaseTable {
  const untimedNs = 1e9 / measured(untimed).acceptedRate.median;
  const { timing, counters } = measured(timed);
  if (timing === null) throw new CellFailure(`${timed.spec.id}: nothing was timed`);
  const timedNs = timing.phases.reduce((sum, { nsPerRow }) => sum + nsPerRow, 0);
  const rows = untimed.rounds.reduce((sum, round) => sum + round.rows, 0);
  const gcMs = untimed.rounds.reduce((sum, round) => sum + round.gc.ms, 0);
  return {
    ...heading,
    rowsTimed: timing.rowsPlaced,
    untimedNs,
    timedNs,
    sumPercent: (100 * timedNs) / untimedNs,
    clockNs: timing.clockNs,
    phases: sharesOf(timing, timedNs),
    heapBytesPerRow: untimed.memory?.heapBytesPerRow ?? 0,
    linearBytesPerRow: untimed.memory?.linearBytesPerRow ?? 0,
    acquired: counters?.allocator.acquired ?? 0,
    poolHits: counters?.allocator.hits ?? 0,
    allocateNs: timing.phases.find(({ name }) => name === "allocate")?.nsPerRow ?? 0,
    gcNs: rows === 0 ? 0 : (gcMs * 1e6) / rows,
  };
}

/** Phases that took any time, the longest first. */
function sharesOf(timing: TimingReport, totalNs: number): PhaseShare[] {
  return timing.phases
    .filter(({ nsPerRow }) => nsPerRow > 0)
    .map(({ name, nsPerRow }) => ({ name, nsPerRow, percent: (100 * nsPerRow) / totalNs }))
    .toSorted((a, b) => b.nsPerRow - a.nsPerRow);
}
