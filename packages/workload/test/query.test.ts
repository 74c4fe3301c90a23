import {
  asksFor,
  devopsSeries,
  LOOKBACK_MS,
  makeQueries,
  matchersOfQuery,
  QUERY_KINDS,
  QUERY_SHAPES,
  queryDomain,
  type QueryKind,
} from "@varve/workload";
import { describe, expect, test } from "vitest";

const HOUR_MS = 3_600_000;
const RANGE = { from: 1_000_000, until: 1_000_000 + 24 * HOUR_MS, stepMs: 10_000 };
const LABEL_SETS = [...devopsSeries({ seed: 1, series: 200 })];
const DOMAIN = queryDomain(LABEL_SETS, RANGE);

/** How many series and how long a range the queries of each kind ask for, of 20 hosts and 10 metrics. */
const ASKED: Readonly<Record<QueryKind, readonly [series: number, hours: number]>> = {
  "single-groupby-1-1-1": [1, 1],
  "single-groupby-1-1-12": [1, 12],
  "single-groupby-1-8-1": [8, 1],
  "single-groupby-5-1-1": [5, 1],
  "single-groupby-5-8-1": [40, 1],
  "double-groupby-1": [20, 12],
  "double-groupby-5": [100, 12],
  "double-groupby-all": [200, 12],
  lastpoint: [200, LOOKBACK_MS / HOUR_MS],
  "high-cpu-1": [1, 12],
  "high-cpu-all": [20, 12],
};

describe.each(QUERY_KINDS)("queries of %s", (kind) => {
  const queries = makeQueries(kind, DOMAIN, { seed: 5, count: 50 });

  test("ask for as many series and as long a range as the name says, inside the data", () => {
    const [series, hours] = ASKED[kind];
    for (const query of queries) {
      expect(LABEL_SETS.filter((labels) => asksFor(query, labels))).toHaveLength(series);
      expect(query.until - query.from).toBe(hours * HOUR_MS);
      expect(query.from).toBeGreaterThanOrEqual(RANGE.from);
      expect(query.until).toBeLessThanOrEqual(RANGE.until);
      expect((query.from - RANGE.from) % RANGE.stepMs).toBe(0);
    }
  });

  test("have matchers that select the same series", () => {
    for (const query of queries) {
      const matchers = matchersOfQuery(query);
      for (const labels of LABEL_SETS as readonly Readonly<Record<string, string>>[]) {
        const isMatch = matchers.every((each) => each.matches(labels[each.name] ?? ""));
        expect(isMatch).toBe(asksFor(query, labels));
      }
    }
  });

  test("can be had again from their seed, and differ from one another where they may", () => {
    expect(makeQueries(kind, DOMAIN, { seed: 5, count: 50 })).toEqual(queries);
    expect(makeQueries(kind, DOMAIN, { seed: 5, count: 5 })).toEqual(queries.slice(0, 5));
    const distinct = new Set(queries.map((query) => JSON.stringify(query))).size;
    if (kind === "lastpoint") expect(distinct).toBe(1);
    else expect(distinct).toBeGreaterThan(45);
  });
});

test("ask for all that there is when there is less than they want", () => {
  const few = queryDomain(LABEL_SETS.slice(0, 3), { ...RANGE, until: RANGE.from + 60_000 });
  for (const kind of QUERY_KINDS) {
    const [query] = makeQueries(kind, few, { seed: 1, count: 1 });
    expect(query).toMatchObject({ from: RANGE.from, until: RANGE.from + 60_000, hosts: null });
    expect(query!.keep).toBe(QUERY_SHAPES[kind].keep);
  }
});

test("write values that would mean something in an expression so that they do not", () => {
  const sets = ["a.b", "a|b", "c"].map((host) => ({ __name__: "up", instance: host }));
  const domain = queryDomain(sets, RANGE);
  expect(domain.hostLabel).toBe("instance");
  const query = {
    ...makeQueries("lastpoint", domain, { seed: 1, count: 1 })[0]!,
    hosts: ["a.b", "a|b"],
  };
  expect(matchersOfQuery(query)).toMatchObject([
    { name: "instance", kind: "=~", value: "a\\.b|a\\|b", values: ["a.b", "a|b"] },
  ]);
});

test("refuse label sets without metrics or without hosts", () => {
  const refuse = (sets: readonly Readonly<Record<string, string>>[]) => () =>
    queryDomain(sets, RANGE);
  expect(refuse([])).toThrow("has no __name__");
  expect(refuse([{ hostname: "a" }])).toThrow('{\\"hostname\\":\\"a\\"}" has no __name__');
  expect(refuse([{ __name__: "a", zone: "b" }])).toThrow("no label of hostname, instance");
  expect(refuse([{ __name__: "a", hostname: "b" }, { __name__: "a" }])).toThrow(
    "in every label set",
  );
});
