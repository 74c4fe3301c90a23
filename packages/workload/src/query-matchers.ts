import type { Labels, Matcher } from "@varve/contracts";
import type { SampleQuery } from "./query.ts";

/** What has a meaning of its own in an expression. */
const SPECIAL = /[\\^$.*+?()[\]{}|]/g;

/** The matchers of a query: what Prometheus would write as `{__name__=~"a|b",hostname="c"}`. */
export function matchersOfQuery({ metrics, hosts, hostLabel }: SampleQuery): Matcher[] {
  const matchers: Matcher[] = [];
  if (metrics !== null) matchers.push(oneOf("__name__", metrics));
  if (hosts !== null) matchers.push(oneOf(hostLabel, hosts));
  return matchers;
}

/** Whether a query asks for a series: the plain reading of it, to compare stores with. */
export function asksFor({ metrics, hosts, hostLabel }: SampleQuery, labels: Labels): boolean {
  return (
    (metrics === null || metrics.includes(labels["__name__"] ?? "")) &&
    (hosts === null || hosts.includes(labels[hostLabel] ?? ""))
  );
}

function oneOf(name: string, values: readonly string[]): Matcher {
  const [only, ...others] = values;
  if (only !== undefined && others.length === 0) {
    return { name, kind: "=", value: only, values, matches: (value) => value === only };
  }
  const known = new Set(values);
  const value = values.map((each) => each.replace(SPECIAL, "\\$&")).join("|");
  return { name, kind: "=~", value, values, matches: (each) => known.has(each) };
}
