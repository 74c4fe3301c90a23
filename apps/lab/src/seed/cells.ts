import { runCells, type CellEvent } from "../cell/run-cells.ts";
import type { CellResult } from "../cell/result.ts";
import type { CellMeasure, CellSpec, CellWorkload } from "../cell/spec.ts";
import { cellOf, type Composition } from "./composition.ts";

/** Where and how long to measure. */
export interface SeedOptions {
  readonly quick: boolean;
  readonly seed: number;
  /** Rounds of a process; every cell has `repeats` processes. */
  readonly rounds: number;
  readonly repeats: number;
  /** Time that the whole may take: later parts have as few processes a cell as that needs, in milliseconds. */
  readonly budgetMs?: number;
  readonly rowsPerRound: number;
  /** Directory below which stores are made. Default: the system's for temporary files. */
  readonly dir?: string;
  /** Label sets from a file instead of the generator. */
  readonly seriesFile?: string;
  readonly signal?: AbortSignal;
}

/** Runs one part's cells, in turns. */
export type RunCells = (
  specs: readonly CellSpec[],
  options?: { readonly repeats?: number },
) => Promise<CellResult[]>;

/** A runner with the investigation's options, which tells a listener of every child process. */
export function cellRunner(options: SeedOptions, onEvent: (event: CellEvent) => void): RunCells {
  const { repeats, dir, seed, signal } = options;
  return (specs, given = {}) =>
    runCells(specs, { repeats: given.repeats ?? repeats, dir, seed, signal, onEvent });
}

/** What a cell writes, in the words of this investigation. */
export interface Rows extends Pick<CellWorkload, "kind" | "rows"> {
  readonly series?: number;
  readonly batchRows?: number;
}

/** Makes the cell of a composition. */
export function makeCell(given: {
  readonly id: string;
  readonly composition: Composition;
  readonly rows: Rows;
  readonly measure: CellMeasure;
  readonly options: SeedOptions;
  readonly timing?: "sampled" | "full";
}): CellSpec {
  const { id, composition, rows, measure, options, timing } = given;
  const { plan, engine } = cellOf(composition);
  const { seed, seriesFile } = options;
  return {
    id,
    plan,
    engine: timing === undefined ? engine : { ...engine, timing },
    workload: { ...rows, seed, ...(seriesFile === undefined ? {} : { seriesFile }) },
    measure,
  };
}
