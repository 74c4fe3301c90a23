import type { TimingMode } from "@varve/engine";
import { resolve } from "node:path";
import pc from "picocolors";
import { runCells } from "../cell/run-cells.ts";
import type { CellResult } from "../cell/result.ts";
import type { CellSpec, CellWorkload, WorkloadKind } from "../cell/spec.ts";
import { distinctInFile } from "../cell/label-sets.ts";
import type { PresetName } from "../plan-spec.ts";
import { latencyTable } from "../report/latency-table.ts";
import { memoryTable } from "../report/memory-table.ts";
import { phaseTables } from "../report/phase-table.ts";
import { environmentOf, environmentLines, type Environment } from "../report/environment.ts";
import { checkWritable, writeJson, type CellsReport } from "../report/json.ts";
import { withProgress } from "../report/progress.ts";
import { wrap } from "../report/table.ts";
import { EXIT, usageError } from "./failure.ts";
import { interruptible } from "./interrupt.ts";
import { checkStoreDir } from "./parse.ts";

/** The options that all commands share which run cells. */
export interface CellOptions {
  readonly rows?: number;
  readonly seriesCount?: number;
  readonly series?: string;
  readonly batch: number;
  readonly rowsPerClose?: number;
  readonly plan: PresetName;
  readonly repeats: number;
  readonly rounds: number;
  readonly warmup: number;
  readonly latency: boolean;
  readonly memory: boolean;
  readonly timing: TimingMode;
  readonly seed: number;
  readonly dir?: string;
  readonly deadline: number;
  readonly json?: string;
}

/** Rows of a round unless an option says otherwise. */
const ROWS = 10_000;

/** Throws INPUT for what cannot work, before anything runs. */
export function checkOptions(options: CellOptions): void {
  checkStoreDir(options.dir);
  if (options.json !== undefined) checkWritable(options.json);
}

/** Makes the workloads of the kinds asked for. Throws INPUT when the file does not have as many series. */
export async function workloadsOf(
  kinds: readonly WorkloadKind[],
  options: CellOptions,
): Promise<CellWorkload[]> {
  const { rows, seriesCount, series: file, batch, seed } = options;
  const inFile = file === undefined ? undefined : await distinctInFile(file);
  return kinds.map((kind) => {
    const wantedRows = rows ?? inFile ?? ROWS;
    const wantedSeries = kind === "new" ? wantedRows : (seriesCount ?? inFile ?? ROWS);
    if (inFile !== undefined && wantedSeries > inFile && kind !== "update") {
      throw usageError(
        `${file} has ${inFile} distinct label sets, and ${kind} rows need ${wantedSeries}: ` +
          `ask for fewer with --${kind === "new" ? "rows" : "series-count"}`,
      );
    }
    return {
      kind,
      rows: wantedRows,
      series: wantedSeries,
      seed,
      batchRows: batch,
      ...(file === undefined ? {} : { seriesFile: resolve(file) }),
    };
  });
}

/** What a run of cells came to, and how the process should end. */
export interface Measured {
  readonly results: readonly CellResult[];
  readonly environment: Environment;
  readonly interrupted: boolean;
  readonly exitCode: number;
}

/** Runs cells with a progress display, and writes the JSON file, also when the run was interrupted. */
export async function measure(
  title: string,
  specs: readonly CellSpec[],
  options: CellOptions,
  extra: Readonly<Record<string, unknown>> = {},
): Promise<Measured> {
  const { repeats, dir, seed, deadline, json } = options;
  const environment = environmentOf({ dir, seed });
  const { value: results, exitCode } = await interruptible((signal) =>
    withProgress(title, (onEvent) =>
      runCells(specs, { repeats, dir, seed, deadlineMs: deadline * 1000, signal, onEvent }),
    ),
  );
  const interrupted = exitCode !== EXIT.ok;
  const report: CellsReport = {
    command: process.argv.slice(2).join(" "),
    interrupted,
    environment,
    cells: results,
  };
  if (json !== undefined) writeJson(json, { ...report, ...extra });
  const isFailed = results.some(({ status }) => status === "failed");
  return {
    results,
    environment,
    interrupted,
    exitCode: interrupted ? exitCode : isFailed ? EXIT.failed : EXIT.ok,
  };
}

/** What stands below every table: where, with what, and how far to trust it. */
export function footer(measured: Measured, options: CellOptions): string[] {
  const { results, environment, interrupted } = measured;
  const lines: string[] = [];
  for (const result of results) {
    if (result.status !== "ok") {
      lines.push(`${result.spec.id}: ${result.status}: ${result.reasons.join("; ")}`);
    }
  }
  const fingerprints = new Set(
    results.flatMap(({ gate }) => (gate?.passed ? [gate.fingerprintRead] : [])),
  );
  const ok = results.filter(({ status }) => status === "ok").length;
  if (ok > 0) {
    const bits = [...fingerprints].map((each) => each.slice(0, 8)).join(", ");
    lines.push(
      `${ok} of ${results.length} cells wrote what they should and read it back (${bits}).`,
    );
  }
  if (options.timing !== "off") {
    lines.push(
      "The phases were timed: rates contain the clock's cost. Take rates from a run with timing off.",
    );
  }
  if (interrupted) lines.push("Interrupted: what was measured until then.");
  lines.push(...environmentLines(environment));
  if (options.json !== undefined) lines.push(`Everything that was measured is in ${options.json}.`);
  return lines;
}

/** The parts of a cell's spec that the shared options decide. */
export function commonSpec(options: CellOptions): Pick<CellSpec, "engine" | "measure"> {
  const { timing, rowsPerClose, rounds, warmup: warmupRounds, latency, memory } = options;
  return {
    engine: { timing, ...(rowsPerClose === undefined ? {} : { rowsPerClose }) },
    measure: { rounds, warmupRounds, latency, allocations: memory },
  };
}

/** Prints the tables that were asked for beside the rates. */
export function printExtras(results: readonly CellResult[], options: CellOptions): void {
  const ok = results.filter(({ status }) => status === "ok");
  if (ok.length === 0) return;
  if (options.latency) console.log(`\n${latencyTable(ok)}`);
  if (options.memory) console.log(`\n${memoryTable(ok)}`);
  for (const each of phaseTables(ok)) console.log(`\n${each}`);
}

/** Prints a table's legend and footer, wrapped. */
export function printNotes(...notes: readonly (readonly string[])[]): void {
  const lines = notes.flat().map((line) => wrap(line, "  "));
  console.log(`\n${pc.dim(lines.join("\n"))}`);
}
