import type { CellResult } from "../src/cell/result.ts";
import type { CellSpec } from "../src/cell/spec.ts";
import { emptyResult } from "../src/cell/merge.ts";
import type { RunCells, SeedOptions } from "../src/seed/cells.ts";
import type { Latency, LatencyOverFloor, Reproduction } from "../src/seed/report.ts";
import { spreadOf } from "../src/stats/spread.ts";

/** Options of an investigation that measures nothing. */
export const OPTIONS: SeedOptions = {
  quick: true,
  seed: 1,
  rounds: 1,
  repeats: 3,
  rowsPerRound: 1000,
};

/** A runner that answers with rates made up by the test. */
export function fakeRunner(perSecond: (spec: CellSpec) => readonly number[]): {
  readonly run: RunCells;
  readonly specs: CellSpec[];
} {
  const specs: CellSpec[] = [];
  return {
    specs,
    run: async (given) => {
      specs.push(...given);
      return given.map((spec) => cellResult(spec, perSecond(spec)));
    },
  };
}

/** A cell that was measured. */
export function cellResult(spec: CellSpec, samples: readonly number[]): CellResult {
  return {
    ...emptyResult(spec, "ok", [], samples.length),
    samples,
    rate: spreadOf(samples),
    acceptedRate: spreadOf(samples),
  };
}

/** A composition with the rates and the tail given. */
export function reproduction(given: {
  readonly newPerSecond: number;
  readonly updatePerSecond: number;
  readonly p99Us: number;
  readonly floorP99Us: number;
}): Reproduction {
  const { newPerSecond, updatePerSecond, p99Us, floorP99Us } = given;
  const latency: LatencyOverFloor = { ...tail(p99Us), noiseFloor: tail(floorP99Us) };
  const spread = spreadOf([1, 2, 3]);
  const perKind = { new: spread, update: spread, updateSpread: spread };
  return {
    plan: {} as Reproduction["plan"],
    rowsPerClose: 1,
    acknowledges: "accepted",
    newPerSecond,
    updatePerSecond,
    updateSpreadPerSecond: updatePerSecond,
    ratio: updatePerSecond / newPerSecond,
    perSecond: perKind,
    acceptedPerSecond: perKind,
    latency: { new: latency, update: latency, updateSpread: latency },
    million: { ...latency, rows: 1_000_000, bounded: false, newPerSecond },
  };
}

function tail(p99Us: number): Latency {
  return { p50Us: 1, p99Us, p999Us: p99Us * 2, maxUs: p99Us * 10 };
}
