import { latencyOverFloor, measured } from "./analysis.ts";
import { makeCell, type RunCells, type SeedOptions } from "./cells.ts";
import { BEST, BEST_ROWS_PER_CLOSE } from "./composition.ts";
import type { OpenBatchResult } from "./report.ts";

/** New series that close the open batch. */
const SIZES = [1, 4, 8, 16, 64, 256];

/** New series with open batches of several sizes: the call that closes a batch pays for all of its rows. */
export async function sizeOpenBatch(
  run: RunCells,
  options: SeedOptions,
): Promise<OpenBatchResult[]> {
  const results = await run(
    SIZES.map((newRowsPerClose) => {
      const cell = makeCell({
        id: `new rows a close ${newRowsPerClose}`,
        composition: BEST,
        rows: { kind: "new", rows: options.rowsPerRound },
        measure: { rounds: options.rounds, warmupRounds: 2, latency: true, drain: false },
        options,
      });
      const rowsPerClose = Math.max(BEST_ROWS_PER_CLOSE, newRowsPerClose);
      return { ...cell, engine: { ...cell.engine, rowsPerClose, newRowsPerClose } };
    }),
  );
  return results.map((result, i) => ({
    newRowsPerClose: SIZES[i]!,
    newPerSecond: measured(result).rate,
    ...latencyOverFloor(result),
  }));
}
