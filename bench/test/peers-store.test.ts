import { answerOf } from "@varve/lab";
import { expectedAnswer, QUERY_KINDS } from "@varve/workload";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { makeData } from "../peers/data.ts";
import { addTurns, makePairs, type ExpectedWork } from "../peers/pairs.ts";
import { rowsOf } from "../peers/rows.ts";
import { splitSeries } from "../peers/split-series.ts";
import { openPeer, RIVALS } from "../peers/store.ts";
import { makeWork } from "../peers/work.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "peers-store-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const SEED = 3;

describe.each(["varve", ...RIVALS] as const)("%s", (name) => {
  test(`answers every kind as the data says, in the order of time, seed ${SEED}`, async () => {
    const { data, domain } = await makeData({ seed: SEED, hosts: 12, hours: 1.5 });
    const kinds = QUERY_KINDS;
    await using store = await openPeer(name, dir);
    await store.load(data);
    for (const { queries } of makeWork({ kinds, queriesMax: 5, seed: SEED }, domain)) {
      for (const query of queries) {
        const answer = await store.ask(query);
        expect(answerOf(answer), query.kind).toEqual(expectedAnswer(query, data));
        for (const { times } of answer.series) expect(times).toEqual(times.toSorted());
      }
    }
  });

  test("answers with nothing when no series or no sample is there", async () => {
    const { data, domain } = await makeData({ seed: SEED, hosts: 2, hours: 0.1 });
    await using store = await openPeer(name, dir);
    await store.load(data);
    const [{ queries }] = makeWork({ kinds: ["lastpoint"], queriesMax: 1, seed: SEED }, domain) as [
      ExpectedWork,
    ];
    const later = { ...queries[0]!, from: domain.until, until: domain.until + 1 };
    for (const keep of ["all", "newest", "above"] as const) {
      expect((await store.ask({ ...later, keep })).series).toEqual([]);
    }
    expect((await store.ask({ ...queries[0]!, hosts: ["nobody"] })).series).toEqual([]);
  });
});

const FOUND: [number, string][] = [
  [3, '{"a":"3"}'],
  [5, '{"a":"5"}'],
];

test("parts rows into series across chunks, and grows for long ones", () => {
  const splitter = splitSeries(FOUND);
  const times = Float64Array.from({ length: 5000 }, (_, i) => i);
  splitter.add(new Uint32Array(5000).fill(3), times, times);
  splitter.add(Uint32Array.of(3, 5), Float64Array.of(5000, 1), Float64Array.of(-0, 2));
  const { series, samples } = splitter.end();
  expect(samples).toBe(5002);
  expect(series.map(({ labels, times }) => [labels["a"], times.length])).toEqual([
    ["3", 5001],
    ["5", 1],
  ]);
  expect(series[0]!.values.at(-1)).toBe(-0);
});

test("refuses rows whose series do not lie together", () => {
  const splitter = splitSeries(FOUND);
  const two = Float64Array.of(1, 1);
  expect(() => splitter.add(Uint32Array.of(5, 3), two, two)).toThrow(/got 3 after 5/);
});

const WORK: ExpectedWork = {
  kind: "lastpoint",
  queries: [],
  answers: [{ rows: 2, checksum: "aa" }],
};
const right = (ms: number) => ({ timesMs: [ms], answers: WORK.answers });

test("compares medians of turns, and says what the spread allows", () => {
  const [pair] = makePairs(["lastpoint"], ["duckdb"]);
  for (const ms of [10, 11, 10, 9, 10]) {
    addTurns(pair!, WORK, { ours: right(ms), theirs: right(ms * 3) });
  }
  const [row] = rowsOf({ pairs: [pair!], works: [WORK], stores: {} }, 5);
  expect(row).toMatchObject({ status: "ok", ours: 10, theirs: 30, word: "faster", rows: 2 });
  expect(row!.ratio).toBeCloseTo(3);
  expect(rowsOf({ pairs: [pair!], works: [WORK], stores: {} }, 6)[0]!.status).toBe("interrupted");
});

test("fails a row for good when one of both answers something else, and shows no figure of it", () => {
  for (const wrong of [{ rows: 3, checksum: "aa" }, { rows: 2, checksum: "ab" }, undefined]) {
    const [pair] = makePairs(["lastpoint"], ["duckdb"]);
    const liar = { timesMs: [1], answers: wrong === undefined ? [] : [wrong] };
    addTurns(pair!, WORK, { ours: right(1), theirs: right(2) });
    addTurns(pair!, WORK, { ours: right(1), theirs: liar });
    addTurns(pair!, WORK, { ours: right(1), theirs: right(2) });
    const [row] = rowsOf({ pairs: [pair!], works: [WORK], stores: {} }, 3);
    expect(row).toMatchObject({ status: "failed", ours: null, ratio: null, oursMs: [] });
    expect(row!.reason).toMatch(
      /^duckdb answered query 1 of lastpoint with .* the data has 2 \(aa\)$/,
    );
  }
});
