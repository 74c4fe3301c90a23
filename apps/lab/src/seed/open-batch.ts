import { latencyOverFloor, measured } from "./analysis.ts";
import { makeCell, type RunCells, type SeedOptions } from "./cells.ts";
import { BEST, BEST_ROWS_PER_CLOSE } from "./composition.ts";
import type { OpenBatchResult } from "./report.ts";

/** Sizes of the open batch, in rows. */
const SIZES = [1, 8, 16, BEST_ROWS_PER_CLOSE, 256];

/** New series with open batches of several sizes: the call that closes a batch pays for all of its rows. */
export async function sizeOpenBatch(
  run: RunCells,
  options: SeedOptions,
): Promise<OpenBatchResult[]> {
  const results = await run(
    SIZES.map((rowsPerClose) => {
      const cell = makeCell({
        id: `rows a close ${rowsPerClose}`,
        composition: BEST,
        rows: { kind: "new", rows: options.rowsPerRound },
        measure: { rounds: options.rounds, warmupRounds: 2, latency: true, drain: false },
        options,
      });
      return { ...cell, engine: { ...cell.engine, rowsPerClose } };
    }),
  );
  return results.map((result, i) => ({
    rowsPerClose: SIZES[i]!,
    newPerSecond: measured(result).rate,
    ...latencyOverFloor(result),
  }));
}
