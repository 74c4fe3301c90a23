import { compareKeys, keyOf } from "@varve/bytes";
import type { Labels } from "@varve/contracts";
import type { SampleQuery } from "@varve/workload";
import type { LoadData } from "./store.ts";

/** A row of the table of series, as the SQL stores keep it; the n-th has the id n, from 1 on. */
export interface SeriesRow {
  readonly metric: string;
  readonly host: string;
  /** All labels, as JSON. */
  readonly labels: string;
  /** Which series of the data it is. */
  readonly at: number;
}

/** What the table has for a query: an id, and labels as JSON. */
export type FoundSeries = [id: number, labels: string];

/** The table of series. What queries ask for has columns of its own, so that an index can find it. */
export const SERIES_TABLE =
  "create table series (id integer primary key, metric text not null, host text not null, labels text not null)";

/**
 * Numbers series in label order: those of a metric have ids side by side, so that a table sorted by id keeps together what
 * most queries ask for.
 */
export function seriesRows({ labelSets, hostLabel }: LoadData): SeriesRow[] {
  const keys = labelSets.map((labels) => keyOf(labels));
  const order = [...keys.keys()].sort((a, b) => {
    const [left, right] = [keys[a]!, keys[b]!];
    return compareKeys(left, 0, left.length, right, 0, right.length);
  });
  return order.map((at): SeriesRow => {
    const labels = labelSets[at]!;
    const [metric, host] = [labels["__name__"]!, labels[hostLabel]!];
    return { metric, host, labels: JSON.stringify(labels), at };
  });
}

/** The statement that finds the series of a query in the order of their ids, and what to bind to it. */
export function seriesSql({ metrics, hosts }: SampleQuery): { sql: string; values: string[] } {
  const conditions: string[] = [];
  if (metrics !== null) conditions.push(`metric in (${marks(metrics)})`);
  if (hosts !== null) conditions.push(`host in (${marks(hosts)})`);
  const where = conditions.length === 0 ? "" : `where ${conditions.join(" and ")}`;
  return {
    sql: `select id, labels from series ${where} order by id`,
    values: [...(metrics ?? []), ...(hosts ?? [])],
  };
}

/** Labels as the table has them. */
export function parseLabels(text: string): Labels {
  return JSON.parse(text) as Labels;
}

function marks(values: readonly string[]): string {
  return values.map(() => "?").join();
}
