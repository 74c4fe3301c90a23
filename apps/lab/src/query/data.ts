import { StorageError, type Labels } from "@varve/contracts";
import {
  countDistinct,
  CPU_FIELDS,
  DEVOPS_INTERVAL_MS,
  DEVOPS_START_MS,
  devopsSamples,
  devopsSeries,
  identityOf,
  queryDomain,
  readSeriesFile,
  type QueryData,
  type QueryDomain,
} from "@varve/workload";
import { scrapesOf, type QueryDataSpec } from "./spec.ts";

/** The data of a spec, and what queries can ask for. */
export interface MadeData {
  readonly data: QueryData;
  readonly domain: QueryDomain;
  /** The middle of the time: aligned to midnight, so that blocks of any usual duration can end there. */
  readonly middle: number;
}

/** Makes the data. Throws INPUT for a file whose label sets queries cannot ask for. */
export async function makeQueryData(spec: QueryDataSpec): Promise<MadeData> {
  const labelSets = await labelSetsOf(spec);
  const scrapes = scrapesOf(spec);
  const middle = DEVOPS_START_MS;
  const from = middle - Math.floor(scrapes / 2) * DEVOPS_INTERVAL_MS;
  const until = from + scrapes * DEVOPS_INTERVAL_MS;
  const domain = queryDomain(labelSets, { from, until, stepMs: DEVOPS_INTERVAL_MS });
  const grid = devopsSamples({ seed: spec.seed, series: labelSets.length, scrapes, from });
  return { data: { labelSets, identities: labelSets.map(identityOf), grid }, domain, middle };
}

/** The label sets of a spec; of a file, each distinct one. */
export async function labelSetsOf(spec: QueryDataSpec): Promise<readonly Labels[]> {
  const { seed, hosts, seriesFile } = spec;
  if (seriesFile === undefined) {
    return [...devopsSeries({ seed, series: hosts * CPU_FIELDS.length })];
  }
  const labelSets = await readSeriesFile(seriesFile);
  if (countDistinct(labelSets) === labelSets.length) return labelSets;
  throw new StorageError("INPUT", `${seriesFile}: a label set comes twice; give each once`, {
    facts: { path: seriesFile },
  });
}
