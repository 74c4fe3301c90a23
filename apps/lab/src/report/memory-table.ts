import type { CellResult } from "../cell/result.ts";
import * as format from "./format.ts";
import { table } from "./table.ts";

/** What a row costs in memory, a cell a line. */
export function memoryTable(results: readonly CellResult[]): string {
  const rows = results.flatMap(({ spec, memory, peakRssBytes, rounds }) => {
    if (memory === null) return [];
    const collections = rounds.reduce((sum, { gc }) => sum + gc.count, 0);
    return [
      [
        spec.id,
        memory.heapBytesPerRow === null ? "" : format.bytes(memory.heapBytesPerRow),
        format.bytes(memory.linearBytesPerRow),
        (collections / rounds.length).toFixed(1),
        format.bytes(peakRssBytes),
      ],
    ];
  });
  return table(
    [
      { head: "memory", wraps: true },
      { head: "heap a row", align: "right" },
      { head: "linear a row", align: "right" },
      { head: "GCs a round", align: "right" },
      { head: "peak resident", align: "right" },
    ],
    rows,
  );
}
