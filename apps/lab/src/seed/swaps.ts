import type { CellCounters, CellResult } from "../cell/result.ts";
import type { CellSpec } from "../cell/spec.ts";
import { gainOf, measured, rank } from "./analysis.ts";
import { makeCell, type RunCells, type SeedOptions } from "./cells.ts";
import { BASELINE, swapText, withFix, type Composition } from "./composition.ts";
import { shareOf } from "./phases.ts";
import type { FixResult, PhaseTable, SuspectResult } from "./report.ts";
import { OTHER_FIXES, SUSPECTS, type Fix } from "./suspects.ts";

/** Part 3: every suspect, and what no suspect names, each swapped alone against the baseline. */
export async function swapEach(
  run: RunCells,
  options: SeedOptions,
  given: { readonly rows: number; readonly phases: readonly PhaseTable[] },
): Promise<{ suspects: SuspectResult[]; otherFixes: FixResult[] }> {
  const fixes: Fix[] = [
    ...SUSPECTS.flatMap((suspect) => [suspect, ...suspect.parts]),
    ...OTHER_FIXES,
  ];
  const results = await run([
    ...pairOfCells("baseline", BASELINE, options, given.rows),
    ...fixes.flatMap((fix) => pairOfCells(fix.id, withFix(BASELINE, fix), options, given.rows)),
  ]);
  const before: Pair = [results[0]!, results[1]!];
  const byId = new Map(
    fixes.map((fix, i) => {
      const after: Pair = [results[2 * i + 2]!, results[2 * i + 3]!];
      return [fix.id, fixResult(fix, before, after)];
    }),
  );
  const suspects = SUSPECTS.map((suspect) => ({
    ...byId.get(suspect.id)!,
    predicted: suspect.predicted,
    measuredUpstream: suspect.measuredUpstream,
    sharePercent: shareOf(suspect, given.phases),
    parts: suspect.parts.map((part) => byId.get(part.id)!),
  }));
  return { suspects: rank(suspects), otherFixes: OTHER_FIXES.map((fix) => byId.get(fix.id)!) };
}

/** What a composition came to: new series, and updates of one series. */
type Pair = readonly [created: CellResult, updated: CellResult];

/** The two cells of a composition: new series, and updates of one series. */
export function pairOfCells(
  id: string,
  composition: Composition,
  options: SeedOptions,
  newRows: number,
): CellSpec[] {
  const measure = { rounds: options.rounds, warmupRounds: 1, drain: false };
  return (["new", "update"] as const).map((kind) =>
    makeCell({
      id: `${id}/${kind}`,
      composition,
      rows: { kind, rows: kind === "new" ? newRows : options.rowsPerRound },
      measure,
      options,
    }),
  );
}

function fixResult(fix: Fix, before: Pair, after: Pair): FixResult {
  return {
    id: fix.id,
    title: fix.title,
    swap: swapText(fix),
    new: gainOf(before[0], after[0]),
    update: gainOf(before[1], after[1]),
    proof: proofOf(fix, before, after),
  };
}

/** Counters of new series, before and after, that show that the swapped part acted. */
function proofOf(fix: Fix, before: Pair, after: Pair): string {
  const was = measured(before[0]).counters;
  const is = measured(after[0]).counters;
  if (was === null || is === null) return "";
  const turned = (what: string, of: (counters: CellCounters) => number): string =>
    `${what} ${of(was)} → ${of(is)}`;
  if (fix.openBatch === true) return turned("log batches", ({ wal }) => wal.batches);
  const proofs: Record<string, string> = {
    "series-id": turned("hash collisions", ({ index }) => index.collisions),
    "series-index": turned("table growths", ({ index }) => index.growths),
    wal: turned("log writes", ({ wal }) => wal.writes),
    record: turned("record bytes", ({ wal }) => wal.recordBytes),
    allocator: turned("regions acquired", ({ allocator }) => allocator.acquired),
    locks: turned("lock acquisitions", ({ locks }) => locks.acquisitions),
    "block-manager": turned("files created", ({ blocks }) => blocks.filesCreated),
  };
  return fix.slots.flatMap((slot) => proofs[slot] ?? []).join(", ");
}
