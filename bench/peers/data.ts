import { StorageError } from "@varve/contracts";
import type { QueryDataSpec } from "@varve/lab";
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
  type QueryDomain,
} from "@varve/workload";
import type { LoadData } from "./store.ts";

/** The data of a run, and what queries can ask for. */
export interface PeerData {
  readonly data: LoadData;
  readonly domain: QueryDomain;
}

/** Makes the data: the same in every process. Throws INPUT for a file whose label sets queries cannot ask for. */
export async function makeData(spec: QueryDataSpec): Promise<PeerData> {
  const { seed, hosts, hours, seriesFile } = spec;
  const labelSets =
    seriesFile === undefined
      ? [...devopsSeries({ seed, series: hosts * CPU_FIELDS.length })]
      : await readSeriesFile(seriesFile);
  if (seriesFile !== undefined && countDistinct(labelSets) !== labelSets.length) {
    const message = `${seriesFile}: a label set comes twice; give each once`;
    throw new StorageError("INPUT", message, { facts: { path: seriesFile } });
  }
  const scrapes = Math.max(1, Math.round((hours * 3_600_000) / DEVOPS_INTERVAL_MS));
  const [from, stepMs] = [DEVOPS_START_MS, DEVOPS_INTERVAL_MS];
  const domain = queryDomain(labelSets, { from, until: from + scrapes * stepMs, stepMs });
  const grid = devopsSamples({ seed, series: labelSets.length, scrapes, from });
  const identities = labelSets.map(identityOf);
  return { data: { labelSets, identities, grid, hostLabel: domain.hostLabel }, domain };
}
