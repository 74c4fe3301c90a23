import type { PhaseReport, TimingReport } from "@varve/engine";
import { median } from "simple-statistics";

/**
 * One report for several rounds of the same rows: time a row is the mean over the rounds, weighed by the rows that
 * each timed; a call's P50 and P99 are the medians of the rounds', its max is the largest. Null when there is none.
 */
export function meanTiming(reports: readonly TimingReport[]): TimingReport | null {
  const first = reports[0];
  if (first === undefined) return null;
  const sum = (of: (report: TimingReport) => number): number =>
    reports.reduce((total, report) => total + of(report), 0);
  const rowsPlaced = sum((report) => report.rowsPlaced);
  const weight = (report: TimingReport): number =>
    rowsPlaced === 0 ? 1 / reports.length : report.rowsPlaced / rowsPlaced;
  return {
    mode: first.mode,
    clockNs: median(reports.map((report) => report.clockNs)),
    rowsPlaced,
    rowsClosed: sum((report) => report.rowsClosed),
    phases: first.phases.map(({ name }, at): PhaseReport => {
      const calls = reports.map((report) => report.phases[at]!.callNs);
      return {
        name,
        nsPerRow: sum((report) => report.phases[at]!.nsPerRow * weight(report)),
        calls: sum((report) => report.phases[at]!.calls),
        callNs: {
          p50: median(calls.map((each) => each.p50)),
          p99: median(calls.map((each) => each.p99)),
          max: Math.max(...calls.map((each) => each.max)),
        },
      };
    }),
  };
}
