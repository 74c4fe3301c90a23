import { keyOf, makeRandom } from "@varve/bytes";
import { StorageError, type Labels } from "@varve/contracts";
import type { FullCellSpec } from "./spec.ts";

/**
 * The distinct label sets of a workload, as plain objects. Throws INPUT when a file has fewer distinct ones than
 * the workload needs: a series written again would be an update, so nothing wraps around.
 */
export async function labelSets(spec: FullCellSpec): Promise<Labels[]> {
  const { series, seed, seriesFile } = spec.workload;
  const sets = generate(seed, series);
  if (sets.length < series) {
    throw new StorageError(
      "INPUT",
      `${seriesFile ?? "the generator"} has ${sets.length} distinct label sets, and ${series} are needed: ask for fewer rows or series`,
    );
  }
  return sets;
}

/** A stand-in. */
function generate(seed: number, series: number): Labels[] {
  const random = makeRandom(seed);
  const sets: Labels[] = [];
  for (let i = 0; i < series; i += 1) {
    sets.push({
      __name__: `cpu_usage_${i % 10}`,
      hostname: `host_${Math.floor(i / 10)}`,
      region: `region-${random.below(9)}`,
      datacenter: `region-1${random.below(9)}`,
      rack: `${random.below(100)}`,
      os: "Ubuntu16.10",
      arch: "x64",
      team: "SF",
      service: `${random.below(20)}`,
      service_version: "1",
      service_environment: "production",
    });
  }
  return sets;
}

/** Drops label sets that came before. Labels in another order, or with empty values besides, are the same set. */
export function distinct(sets: Iterable<Labels>, countMax: number): Labels[] {
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
