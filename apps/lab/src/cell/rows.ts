import { makeRandom } from "@varve/bytes";
import type { Labels } from "@varve/contracts";
import { DEVOPS_INTERVAL_MS, DEVOPS_START_MS, randomWalk } from "@varve/workload";
import type { FullCellSpec } from "./spec.ts";

/** The rows of a round, made before any clock starts. */
export interface RowColumns {
  readonly length: number;
  /** Place of the row's series in the list of label sets. */
  readonly series: Uint32Array;
  readonly times: Float64Array;
  readonly values: Float64Array;
}

/** Everything that a round writes. */
export interface CellInput {
  /** Distinct label sets. */
  readonly labels: readonly Labels[];
  /** Rows that make the series, before the clock starts; none for kinds that create series inside the timed region. */
  readonly before: RowColumns;
  /** Rows of the timed region. */
  readonly timed: RowColumns;
  /** Series that have a row. */
  readonly seriesCount: number;
}

/** Makes the rows of a workload over label sets that are distinct. */
export function makeRows(spec: FullCellSpec, labels: readonly Labels[]): CellInput {
  const { kind, rows, seed, order } = spec.workload;
  const random = makeRandom(seed);
  const walk = randomWalk({ seed, series: labels.length });
  const scrape = new Float64Array(labels.length);
  const counts = new Uint32Array(labels.length);
  const fill = (length: number, pick: (row: number) => number): RowColumns => {
    const columns: RowColumns = {
      length,
      series: new Uint32Array(length),
      times: new Float64Array(length),
      values: new Float64Array(length),
    };
    for (let row = 0; row < length; row += 1) {
      if (row % labels.length === 0) walk.next(scrape);
      const series = pick(row);
      columns.series[row] = series;
      columns.times[row] = DEVOPS_START_MS + DEVOPS_INTERVAL_MS * counts[series]!;
      counts[series]! += 1;
      columns.values[row] = scrape[series]!;
    }
    return columns;
  };
  const createsInside = kind === "new" || kind === "ingest";
  const before = fill(createsInside ? 0 : labels.length, (row) => row);
  const isRandom = order === "random" && kind !== "new";
  const timed = fill(rows, (row) => (isRandom ? random.below(labels.length) : row % labels.length));
  const seriesCount = counts.reduce((sum, count) => sum + (count > 0 ? 1 : 0), 0);
  return { labels, before, timed, seriesCount };
}
