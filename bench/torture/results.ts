import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import type { RowResult, Tier } from "./row.ts";

/** What is written to a file after every row, so that a run can be interrupted and goes on. */
export interface TortureResults {
  readonly tier: Tier;
  /** With `+` when sources differ from it; null outside of a repository. */
  readonly commit: string | null;
  readonly node: string;
  readonly os: string;
  readonly rows: readonly RowResult[];
}

/** The results in a file; null when there are none. */
export function readResults(path: string): TortureResults | null {
  if (!existsSync(path)) return null;
  return JSON.parse(readFileSync(path, "utf8")) as TortureResults;
}

/** Replaces the file in one step. */
export function writeResults(path: string, results: TortureResults): void {
  writeFileSync(`${path}.tmp`, `${JSON.stringify(results, null, 2)}\n`);
  renameSync(`${path}.tmp`, path);
}

/** Puts a row's result in the place of an earlier one, in the order of `ids`. */
export function withRow(
  results: TortureResults,
  row: RowResult,
  ids: readonly string[],
): TortureResults {
  const rows = [...results.rows.filter(({ id }) => id !== row.id), row];
  rows.sort((a, b) => ids.indexOf(a.id) - ids.indexOf(b.id));
  return { ...results, rows };
}

/** Whether a row came to an end without a finding. */
export function isClean({ lost, wrong, hangs }: RowResult): boolean {
  return lost + wrong + hangs === 0;
}
