import type { CellResult, Latency } from "../cell/result.ts";
import * as format from "./format.ts";
import { table } from "./table.ts";

/** The time of one call beside the noise floor of the same process, a pair of lines a cell. */
export function latencyTable(results: readonly CellResult[]): string {
  const rows = results.flatMap(({ spec, latency, noiseFloor }) =>
    latency === null || noiseFloor === null
      ? []
      : [line(spec.id, latency), line("  noise floor", noiseFloor)],
  );
  return table(
    [
      { head: "time of one call", wraps: true },
      { head: "P50", align: "right" },
      { head: "P99", align: "right" },
      { head: "P99.9", align: "right" },
      { head: "max", align: "right" },
      { head: "calls", align: "right" },
    ],
    rows,
  );
}

function line(name: string, { p50, p99, p999, max, calls }: Latency): string[] {
  return [name, ...[p50, p99, p999, max].map(format.micros), calls.toLocaleString("en-US")];
}
