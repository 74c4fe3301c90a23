import type { Labels } from "@varve/contracts";
import type { Engine } from "@varve/engine";
import { countDistinct } from "@varve/workload";
import { expectedSeries, Fingerprint } from "./fingerprint.ts";
import type { GateReport } from "./result.ts";
import type { CellInput } from "./rows.ts";

/** What a store has to hold after a round, computed from the inputs alone. */
export interface Expectation {
  /** Distinct label sets among those that have rows. */
  readonly series: number;
  readonly rows: number;
  readonly fingerprint: string;
}

/** What a store was found to hold. */
export interface Reading {
  /** Series that the engine says it has. */
  readonly seriesCreated: number;
  /** Series and rows that `select` gave. */
  readonly series: number;
  readonly rows: number;
  readonly fingerprint: string;
}

/** Computes what a round has to leave behind. */
export function expectationOf(input: CellInput): Expectation {
  const fingerprint = new Fingerprint();
  const series = countDistinct(addAll());
  return {
    series,
    rows: fingerprint.rows,
    fingerprint: fingerprint.toString(),
  };

  function* addAll(): Generator<Labels> {
    for (const { labels, times, values } of expectedSeries(input)) {
      fingerprint.add(labels, times, values);
      yield labels;
    }
  }
}

/** Reads everything that the store holds. */
export async function readStore(engine: Engine): Promise<Reading> {
  const fingerprint = new Fingerprint();
  for await (const { labels, times, values } of engine.select({})) {
    fingerprint.add(labels, times, values);
  }
  return {
    seriesCreated: engine.stats().series,
    series: fingerprint.series,
    rows: fingerprint.rows,
    fingerprint: fingerprint.toString(),
  };
}

/** Compares. The reasons are empty when the store holds exactly what was written. */
export function judge(
  expected: Expectation,
  found: Reading,
  readAfter: GateReport["readAfter"],
): { readonly report: GateReport; readonly reasons: string[] } {
  const reasons: string[] = [];
  if (found.seriesCreated !== expected.series) {
    reasons.push(`the index holds ${found.seriesCreated} series, ${expected.series} were written`);
  }
  if (found.series !== expected.series) {
    reasons.push(`${found.series} distinct series were read back, ${expected.series} were written`);
  }
  if (found.rows !== expected.rows) {
    reasons.push(`${found.rows} rows were read back, ${expected.rows} were written`);
  }
  if (found.fingerprint !== expected.fingerprint) {
    reasons.push(
      `what was read back has the fingerprint ${found.fingerprint}, what was written ${expected.fingerprint}`,
    );
  }
  const report: GateReport = {
    passed: reasons.length === 0,
    seriesExpected: expected.series,
    seriesCreated: found.seriesCreated,
    rowsExpected: expected.rows,
    rowsRead: found.rows,
    fingerprintExpected: expected.fingerprint,
    fingerprintRead: found.fingerprint,
    readAfter,
  };
  return { report, reasons };
}
