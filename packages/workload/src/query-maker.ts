import { StorageError, type Labels } from "@varve/contracts";
import { wordAt } from "./draw.ts";
import { quote } from "./lines.ts";
import {
  QUERY_KINDS,
  QUERY_SHAPES,
  type QueryKind,
  type QueryShape,
  type SampleQuery,
} from "./query.ts";

/** What queries can ask for: made from the label sets and the range of the data. */
export interface QueryDomain {
  readonly hostLabel: string;
  /** Values of `__name__` and of `hostLabel`, in the order in which label sets bring them. */
  readonly metrics: readonly string[];
  readonly hosts: readonly string[];
  /** All samples lie in from <= time < until. */
  readonly from: number;
  readonly until: number;
  readonly stepMs: number;
}

export interface QueryDraws {
  /** A safe integer. The same seed gives the same queries. */
  readonly seed: number;
  /** How many queries to make. */
  readonly count: number;
}

/** Labels that may tell hosts apart, the best first. */
const HOST_LABELS = ["hostname", "instance", "host", "pod", "job"];
/** Where the draws of queries begin: those of hosts lie far below, those of walks far above. */
const FIRST_DRAW = 2 ** 40;
/** Draws that a query has to itself, and those of a kind. */
const DRAWS_PER_QUERY = 64;
const DRAWS_PER_KIND = 2 ** 32;

/**
 * Finds what queries can ask for. Hosts are told apart by the first of `hostname`, `instance`, `host`, `pod` and `job` that
 * every label set has. Throws INPUT when there is none, or when a label set has no `__name__`.
 */
export function queryDomain(
  labelSets: readonly Labels[],
  range: { readonly from: number; readonly until: number; readonly stepMs: number },
): QueryDomain {
  const nameless = labelSets.find((labels) => (labels["__name__"] ?? "") === "");
  if (labelSets.length === 0 || nameless !== undefined) {
    const shown = quote(JSON.stringify(nameless ?? {}));
    throw new StorageError("INPUT", `queries ask for metrics: ${shown} has no __name__`);
  }
  const hostLabel = HOST_LABELS.find((name) =>
    labelSets.every((labels) => (labels[name] ?? "") !== ""),
  );
  if (hostLabel === undefined) {
    throw new StorageError(
      "INPUT",
      `queries ask for hosts: no label of ${HOST_LABELS.join(", ")} is in every label set`,
    );
  }
  const metrics = new Set(labelSets.map((labels) => labels["__name__"]!));
  const hosts = new Set(labelSets.map((labels) => labels[hostLabel]!));
  return { hostLabel, metrics: [...metrics], hosts: [...hosts], ...range };
}

/**
 * Makes queries of one kind: the first metrics there are, as in TSBS, and random hosts and ranges; a range that is longer
 * than the data is all of it. `lastpoint` looks back from the end. Kinds draw apart: leaving one out changes no other.
 */
export function makeQueries(
  kind: QueryKind,
  domain: QueryDomain,
  { seed, count }: QueryDraws,
): SampleQuery[] {
  const shape: QueryShape = QUERY_SHAPES[kind];
  const metrics = shape.metrics < domain.metrics.length ? shape.metrics : null;
  const rangeMs = Math.min(shape.rangeMs, domain.until - domain.from);
  const first = FIRST_DRAW + QUERY_KINDS.indexOf(kind) * DRAWS_PER_KIND;
  return Array.from({ length: count }, (_, i): SampleQuery => {
    const draw = (at: number): number => wordAt(seed, first + i * DRAWS_PER_QUERY + at);
    const steps = Math.floor((domain.until - domain.from - rangeMs) / domain.stepMs);
    const isLast = shape.keep === "newest";
    const skipped = draw(0) % (steps + 1);
    const from = isLast ? domain.until - rangeMs : domain.from + skipped * domain.stepMs;
    return {
      kind,
      hostLabel: domain.hostLabel,
      metrics: metrics === null ? null : domain.metrics.slice(0, metrics),
      hosts: pickHosts(domain.hosts, shape.hosts, draw),
      from,
      until: from + rangeMs,
      keep: shape.keep,
    };
  });
}

/** Some of the hosts, each once; null for all. */
function pickHosts(
  hosts: readonly string[],
  count: number,
  draw: (at: number) => number,
): readonly string[] | null {
  if (count >= hosts.length) return null;
  const picked = new Set<string>();
  // A host that is drawn again gives way to the next that is not.
  for (let i = 1; picked.size < count; i += 1) {
    let at = draw(i) % hosts.length;
    while (picked.has(hosts[at]!)) at = (at + 1) % hosts.length;
    picked.add(hosts[at]!);
  }
  return [...picked];
}
