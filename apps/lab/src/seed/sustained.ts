import { latencyOf, measured } from "./analysis.ts";
import { makeCell, type RunCells, type SeedOptions } from "./cells.ts";
import { BEST } from "./composition.ts";
import { spreadOf } from "../stats/spread.ts";
import type { CellResult } from "../cell/result.ts";
import type { SustainedResult } from "./report.ts";
import { CATALOG } from "../catalog.ts";

/** Series that fill their chunks together: the hard case, because all chunks become full in the same scrape. */
const SERIES = 1000;
const QUICK_SERIES = 200;
/** Samples a series: past two chunks of 120. */
const SAMPLES = 310;
/** Rows after which background work gets a turn, as between the requests of a server. */
const YIELD_EVERY_ROWS = 1024;

/** Part 5: every block manager in an otherwise best composition, long enough for a moved cost to come back. */
export async function sustain(run: RunCells, options: SeedOptions): Promise<SustainedResult[]> {
  const series = options.quick ? QUICK_SERIES : SERIES;
  const names = Object.keys(CATALOG["block-manager"]);
  const results = await run(
    names.map((name) => {
      const cell = makeCell({
        id: `sustained/${name}`,
        composition: BEST,
        rows: { kind: "ingest", rows: series * SAMPLES, series },
        measure: { rounds: 1, warmupRounds: 0, latency: true },
        options,
      });
      return {
        ...cell,
        plan: { ...cell.plan, "block-manager": name },
        workload: { ...cell.workload, yieldEveryRows: YIELD_EVERY_ROWS },
      };
    }),
  );
  return results.map((result, i) => sustainedOf(names[i]!, series, result));
}

function sustainedOf(blockManager: string, series: number, result: CellResult): SustainedResult {
  const { acceptedRate, counters, rounds, latency, noiseFloor } = measured(result);
  const last = rounds.at(-1)!;
  const drains = spreadOf(rounds.map(({ drainSeconds }) => drainSeconds * 1000));
  return {
    blockManager,
    series,
    samples: last.rows,
    ...latencyOf(latency),
    noiseFloor: latencyOf(noiseFloor),
    writesPerSecond: acceptedRate,
    drainedPerSecond: spreadOf(
      rounds.map(({ rows, seconds, drainSeconds }) => rows / (seconds + drainSeconds)),
    ),
    drainMs: drains.median,
    chunksSealed: counters?.blocks.chunksSealed ?? 0,
    chunksPersisted: counters?.blocks.chunksPersisted ?? 0,
    persistedInAppend: counters?.blocks.persistedInAppend ?? 0,
    filesCreated: counters?.blocks.filesCreated ?? 0,
    writes: counters?.blocks.writes ?? 0,
  };
}
