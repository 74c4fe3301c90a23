import { keyOf } from "@varve/bytes";
import { StorageError, type Labels } from "@varve/contracts";
import { devopsSeries, readSeriesFile } from "@varve/workload";
import type { FullCellSpec } from "./spec.ts";

/**
 * The distinct label sets of a workload, as plain objects. Throws INPUT when a file has fewer distinct ones than
 * the workload needs: a series written again would be an update, so nothing wraps around.
 */
export async function labelSets(spec: FullCellSpec): Promise<Labels[]> {
  const { series, seed, seriesFile } = spec.workload;
  if (seriesFile === undefined) return [...devopsSeries({ seed, series })];
  const sets = distinct(await readSeriesFile(seriesFile), series);
  if (sets.length === series) return sets;
  throw new StorageError(
    "INPUT",
    `${seriesFile} has ${sets.length} distinct label sets, and ${series} are needed: ask for fewer rows or series`,
    { facts: { path: seriesFile, value: series, limit: sets.length } },
  );
}

/** How many distinct label sets a file has. Throws INPUT when it cannot be read or a line is malformed. */
export async function distinctInFile(path: string): Promise<number> {
  return distinct(await readSeriesFile(path), Number.POSITIVE_INFINITY).length;
}

/** Drops label sets that came before. Labels in another order, or with empty values besides, are the same set. */
function distinct(sets: Iterable<Labels>, countMax: number): Labels[] {
  const seen = new Set<string>();
  const kept: Labels[] = [];
  for (const labels of sets) {
    const key = Buffer.from(keyOf(labels)).toString("latin1");
    if (seen.has(key)) continue;
    seen.add(key);
    kept.push(labels);
    if (kept.length === countMax) break;
  }
  return kept;
}
