import type { Slot } from "@varve/contracts";
import type { CellResult } from "../cell/result.ts";
import type { CellSpec, WorkloadKind } from "../cell/spec.ts";
import { latencyOverFloor, measured } from "./analysis.ts";
import { makeCell, type RunCells, type SeedOptions } from "./cells.ts";
import { BASELINE, BEST, type Composition } from "./composition.ts";
import type { LatencyOverFloor, Million, Reproduction, RowKind } from "./report.ts";

/** Rows of the long round. */
const MILLION = 1_000_000;
/** Rows of the long round of a quick run. */
const QUICK_MILLION = 100_000;
/** Time that a long round of the slow composition may take, in seconds: a million new files would take minutes. */
const BOUND_SECONDS = 3;
/** A long round has at least this many rows, in whole rounds. */
const LONG_ROWS_MIN = 20_000;

const KINDS: Readonly<Record<RowKind, WorkloadKind>> = {
  new: "new",
  update: "update",
  updateSpread: "update-spread",
};

/** Part 1: both compositions, new series against updates of one series and of many. */
export async function reproduce(
  run: RunCells,
  options: SeedOptions,
): Promise<{ baseline: Reproduction; best: Reproduction }> {
  const results = await run([
    ...roundCells("baseline", BASELINE, options),
    ...roundCells("best", BEST, options),
  ]);
  const perKind = results.map(measured);
  const bounded = longRows(perKind[0]!.rate.median, options);
  const long = await run(
    [
      longCell("baseline", BASELINE, bounded, options),
      longCell("best", BEST, longMax(options), options),
    ],
    { repeats: 1 },
  );
  return {
    baseline: reproductionOf(perKind.slice(0, 3), long[0]!, options),
    best: reproductionOf(perKind.slice(3), long[1]!, options),
  };
}

function roundCells(id: string, composition: Composition, options: SeedOptions): CellSpec[] {
  const { rounds, rowsPerRound } = options;
  return Object.entries(KINDS).map(([kind, workload]) =>
    makeCell({
      id: `${id}/${kind}`,
      composition,
      rows: { kind: workload, rows: rowsPerRound, series: rowsPerRound },
      measure: { rounds, warmupRounds: 1, latency: true, drain: false },
      options,
    }),
  );
}

function longCell(
  id: string,
  composition: Composition,
  rows: number,
  options: SeedOptions,
): CellSpec {
  return makeCell({
    id: `${id}/long`,
    composition,
    rows: { kind: "new", rows },
    // Counters prove that every series came to be; the rounds before were read back in full.
    measure: { rounds: 1, warmupRounds: 0, latency: true, drain: false, readBack: false },
    options,
  });
}

function longMax(options: SeedOptions): number {
  return options.quick ? QUICK_MILLION : MILLION;
}

/** As many rows as the rate allows in the time, in whole rounds. */
function longRows(perSecond: number, options: SeedOptions): number {
  const rounds = Math.floor((perSecond * BOUND_SECONDS) / options.rowsPerRound);
  const rows = Math.max(LONG_ROWS_MIN, rounds * options.rowsPerRound);
  return Math.min(longMax(options), rows);
}

function reproductionOf(
  results: readonly CellResult[],
  long: CellResult,
  options: SeedOptions,
): Reproduction {
  const [created, updated, spread] = results.map(measured);
  const byKind = <T>(of: (result: ReturnType<typeof measured>) => T): Record<RowKind, T> => ({
    new: of(created!),
    update: of(updated!),
    updateSpread: of(spread!),
  });
  return {
    plan: created!.plan as Readonly<Record<Slot, string>>,
    rowsPerClose: created!.spec.engine?.rowsPerClose ?? 0,
    acknowledges: created!.durability?.atReturn ?? "accepted",
    newPerSecond: created!.rate.median,
    updatePerSecond: updated!.rate.median,
    updateSpreadPerSecond: spread!.rate.median,
    ratio: updated!.rate.median / created!.rate.median,
    perSecond: byKind((result) => result.rate),
    acceptedPerSecond: byKind((result) => result.acceptedRate),
    latency: byKind<LatencyOverFloor>(latencyOverFloor),
    million: millionOf(long, options),
  };
}

function millionOf(long: CellResult, options: SeedOptions): Million {
  const result = measured(long);
  const { rows } = result.spec.workload;
  return {
    rows,
    bounded: rows < longMax(options),
    newPerSecond: result.rate.median,
    ...latencyOverFloor(result),
  };
}
