import {
  AnswerDigest,
  devopsSamples,
  devopsSeries,
  expectedAnswer,
  identityOf,
  makeQueries,
  QUERY_KINDS,
  queryDomain,
} from "@varve/workload";
import { expect, test } from "vitest";

const IDENTITY = identityOf({ a: "1" });

function digestOf(rows: readonly (readonly [time: number, value: number])[], identity = IDENTITY) {
  const digest = new AnswerDigest();
  for (const [time, value] of rows) digest.addRow(identity[0]!, identity[1]!, time, value);
  return digest.answer();
}

test("is the same whatever the order of rows, and of labels", () => {
  const rows = [
    [1, 5],
    [2, 6],
    [3, 7],
  ] as const;
  expect(digestOf(rows)).toEqual(digestOf(rows.toReversed()));
  expect(identityOf({ a: "1", b: "2" })).toEqual(identityOf({ b: "2", a: "1" }));
});

test.each([
  ["a value's lowest bit", [[1, 5 + 2 ** -50]]],
  ["the sign of zero", [[1, -0]], [[1, 0]]],
  ["a time", [[2, 5]]],
  [
    "a row that comes twice",
    [
      [1, 5],
      [1, 5],
    ],
  ],
  ["a row that is missing", []],
  [
    "values that change places",
    [
      [1, 6],
      [2, 5],
    ],
    [
      [1, 5],
      [2, 6],
    ],
  ],
] as const)(
  "changes with %s",
  (_, rows, others: readonly (readonly [number, number])[] = [[1, 5]]) => {
    expect(digestOf(rows).checksum).not.toBe(digestOf(others).checksum);
  },
);

test("changes with the series, and tells bits of NaN apart", () => {
  expect(digestOf([[1, 5]], identityOf({ a: "2" }))).not.toEqual(digestOf([[1, 5]]));
  expect(identityOf({ ab: "c" })).not.toEqual(identityOf({ a: "bc" }));
  const stale = new Float64Array(Uint32Array.of(2, 0x7ff00000).buffer);
  const normal = new Float64Array(Uint32Array.of(1, 0x7ff80000).buffer);
  const [one, other] = [new AnswerDigest(), new AnswerDigest()];
  one.add(IDENTITY, Float64Array.of(1), stale);
  other.add(IDENTITY, Float64Array.of(1), normal);
  expect(one.answer()).not.toEqual(other.answer());
});

test("expects of every kind what a look at each row on its own finds", () => {
  const labelSets = [...devopsSeries({ seed: 2, series: 100 })];
  const grid = devopsSamples({ seed: 2, series: 100, scrapes: 400 });
  const range = { from: grid.times[0]!, until: grid.times[399]! + 1, stepMs: grid.stepMs };
  const domain = queryDomain(labelSets, range);
  const identities = labelSets.map(identityOf);
  for (const kind of QUERY_KINDS) {
    for (const query of makeQueries(kind, domain, { seed: 2, count: 3 })) {
      const digest = new AnswerDigest();
      labelSets.forEach((labels, i) => {
        if (query.metrics !== null && !query.metrics.includes(labels.__name__)) return;
        if (query.hosts !== null && !query.hosts.includes(labels.hostname)) return;
        const inRange = [...grid.times].flatMap((time, at) =>
          time >= query.from && time < query.until ? [[time, grid.values[i * 400 + at]!]] : [],
        );
        const newest = query.keep === "newest" ? inRange.slice(-1) : inRange;
        const kept = newest.filter(([, value]) => query.keep !== "above" || value! > 90);
        for (const [time, value] of kept) {
          digest.addRow(identities[i]![0]!, identities[i]![1]!, time!, value!);
        }
      });
      expect(expectedAnswer(query, { labelSets, identities, grid })).toEqual(digest.answer());
    }
  }
});
