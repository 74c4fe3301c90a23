import type { QueryKind } from "@varve/workload";
import pc from "picocolors";
import * as format from "../report/format.ts";
import { table } from "../report/table.ts";
import { spreadOf } from "../stats/spread.ts";
import type { QueryCellResult } from "./result.ts";

/** One line for each kind and cell, the cells of a kind together. */
export function queryTable(
  kinds: readonly QueryKind[],
  results: readonly QueryCellResult[],
): string {
  const rows = kinds.flatMap((kind) =>
    results.map((result, at) => [at === 0 ? pc.bold(kind) : "", ...figures(kind, result)]),
  );
  return table(
    [
      { head: "query", wraps: true },
      { head: "store", wraps: true },
      { head: "rows", align: "right" },
      { head: "median", align: "right" },
      { head: "spread", align: "right" },
      { head: "P99", align: "right" },
      { head: "samples/s", align: "right" },
    ],
    rows,
  );
}

function figures(kind: QueryKind, { spec, status, kinds }: QueryCellResult): string[] {
  const found = kinds.find((each) => each.kind === kind);
  if (found === undefined) return [spec.id, pc.red(status)];
  return [
    spec.id,
    format.count(found.rows / found.queries),
    format.micros(found.medianMs * 1000),
    found.mediansMs.length < 2 ? "" : `±${format.percent(spreadOf(found.mediansMs).relative)}`,
    format.micros(found.p99Ms * 1000),
    format.rate(found.samplesPerSecond),
  ];
}

/** One line for each cell: what was asked. */
export function storeTable(results: readonly QueryCellResult[]): string {
  const rows = results.map(({ spec, status, load, peakRssBytes }) =>
    load === null
      ? [spec.id, pc.red(status)]
      : [
          spec.id,
          format.count(load.samples),
          format.rate(load.samples / load.seconds),
          load.cutSeconds === 0 ? "" : format.micros(load.cutSeconds * 1e6),
          load.blocks === 0 ? "" : String(load.blocks),
          load.blockBytes === 0 ? "" : format.bytes(load.blockBytes),
          format.bytes(peakRssBytes),
        ],
  );
  return table(
    [
      { head: "store", wraps: true },
      { head: "samples", align: "right" },
      { head: "written", align: "right" },
      { head: "cut", align: "right" },
      { head: "blocks", align: "right" },
      { head: "on disk", align: "right" },
      { head: "peak resident", align: "right" },
    ],
    rows,
  );
}
