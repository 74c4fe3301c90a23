import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { QUERY_KINDS } from "@varve/workload";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Variant } from "@varve/contracts";
import { CATALOG, type Catalog } from "../src/catalog.ts";
import { mergeQueryRepeats } from "../src/query/merge.ts";
import type { QueryCellResult } from "../src/query/result.ts";
import { runQueryCell } from "../src/query/run-query-cell.ts";
import { PLACES, queryCount, type QueryCellSpec } from "../src/query/spec.ts";
import { LYING_CATALOG } from "./liars.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "lab-query-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const TINY: QueryCellSpec = {
  id: "tiny",
  plan: {},
  place: "head",
  data: { seed: 1, hosts: 9, hours: 0.2 },
  kinds: QUERY_KINDS,
  queriesMax: 5,
};

function run(change: Partial<QueryCellSpec> = {}, catalog?: Catalog): Promise<QueryCellResult> {
  return runQueryCell({ ...TINY, ...change }, { dir: join(dir, "cell"), catalog });
}

test("gives the same right answers to every kind wherever the samples lie", async () => {
  const results: QueryCellResult[] = [];
  for (const place of PLACES) results.push(await run({ place }));
  const [head, blocks, mixed] = results;
  for (const { status, reasons, kinds } of results) {
    expect({ status, reasons }).toEqual({ status: "ok", reasons: [] });
    expect(kinds.map(({ kind }) => kind)).toEqual(QUERY_KINDS);
    expect(kinds.map(({ checksum }) => checksum)).toEqual(
      head!.kinds.map(({ checksum }) => checksum),
    );
    for (const { medianMs, p99Ms, maxMs, samplesPerSecond, samples, rows } of kinds) {
      expect(medianMs).toBeGreaterThan(0);
      expect(p99Ms).toBeGreaterThanOrEqual(medianMs);
      expect(maxMs).toBeGreaterThanOrEqual(p99Ms);
      expect(samplesPerSecond).toBeGreaterThan(0);
      expect(samples).toBeGreaterThanOrEqual(rows);
    }
  }
  expect(head!.load).toMatchObject({ series: 90, samples: 6480, blocks: 0, cutSeconds: 0 });
  expect(blocks!.load?.blocks).toBeGreaterThan(mixed!.load!.blocks);
  expect(mixed!.load?.blocks).toBeGreaterThan(0);
  expect(readdirSync(dir)).toEqual([]);
});

test("counts rows of the answer and samples that were read for it", async () => {
  const { kinds } = await run({ kinds: ["single-groupby-5-8-1", "lastpoint", "high-cpu-all"] });
  const [single, last, high] = kinds;
  expect(single).toMatchObject({ queries: 5, rows: 5 * 40 * 72, samples: 5 * 40 * 72 });
  expect(last).toMatchObject({ queries: 5, rows: 5 * 90, samples: 5 * 90 * 30 });
  expect(high!.samples).toBe(5 * 9 * 72);
  expect(high!.rows).toBeLessThan(high!.samples);
});

test("fails a store that answers something else, and shows no figure of it", async () => {
  const result = await run({ plan: { postings: "missing" } }, LYING_CATALOG);
  expect(result).toMatchObject({ status: "failed", kinds: [], rate: null });
  expect(result.reasons[0]).toMatch(
    /^query 1 of single-groupby-1-1-1 was answered with 0 rows .*, and the data has 72 /,
  );
});

test("fails a store that refuses rows", async () => {
  const { map } = CATALOG["series-index"];
  const full = {
    ...map!,
    make: (): Variant<"series-index"> => {
      const made = map!.make();
      return { ...made, name: "full", open: (needs) => made.open({ ...needs, seriesMax: 3 }) };
    },
  };
  const catalog = { ...CATALOG, "series-index": { ...CATALOG["series-index"], full } };
  const result = await run({ plan: { "series-index": "full" } }, catalog);
  expect(result).toMatchObject({ status: "failed", kinds: [] });
  expect(result.reasons[0]).toMatch(/rows of \d+ were refused/);
});

test("takes label sets from a file, and refuses one that queries cannot ask for", async () => {
  const seriesFile = join(dir, "series.json");
  writeFileSync(seriesFile, '{"__name__":"up","job":"a"}\n{"__name__":"up","job":"b"}\n');
  const data = { ...TINY.data, seriesFile };
  expect(await run({ data })).toMatchObject({ status: "ok", load: { series: 2, samples: 144 } });
  writeFileSync(seriesFile, '{"__name__":"up"}\n');
  const refused = await run({ data });
  expect(refused.status).toBe("failed");
  expect(refused.reasons[0]).toMatch(/^INPUT: queries ask for hosts/);
});

test("throws the abort of its signal and leaves nothing behind", async () => {
  const stop = new AbortController();
  const data = { seed: 1, hosts: 20, hours: 2 };
  const running = runQueryCell({ ...TINY, data }, { dir: join(dir, "cell"), signal: stop.signal });
  setTimeout(() => stop.abort(new Error("enough")), 50);
  await expect(running).rejects.toThrow("enough");
  expect(readdirSync(dir)).toEqual([]);
});

test("puts fewer queries of kinds that read much, but enough for a median", () => {
  const size = { metrics: 10, hosts: 100, rangeMs: 24 * 3_600_000 };
  const counts = QUERY_KINDS.map((kind) => [kind, queryCount(kind, size, 200)]);
  expect(Object.fromEntries(counts)).toMatchObject({
    "single-groupby-1-1-1": 200,
    "double-groupby-1": 23,
    "double-groupby-all": 5,
    "high-cpu-1": 200,
  });
  expect(queryCount("double-groupby-all", size, 3)).toBe(3);
});

test("merges repeats by their medians, unless one of them failed", async () => {
  const one = await run({ kinds: ["lastpoint"] });
  const slower = {
    ...one,
    kinds: one.kinds.map((each) => ({ ...each, mediansMs: [each.medianMs + 2], maxMs: 1e6 })),
  };
  const [kind] = mergeQueryRepeats(TINY, [one, slower], 2).kinds;
  expect(kind!.medianMs).toBeCloseTo(one.kinds[0]!.medianMs + 1);
  expect(kind).toMatchObject({ maxMs: 1e6, checksum: one.kinds[0]!.checksum });
  const failed = { ...one, status: "failed" as const, reasons: ["why"] };
  expect(mergeQueryRepeats(TINY, [one, failed], 2)).toMatchObject({
    status: "failed",
    reasons: ["why"],
    kinds: [],
    repeats: { wanted: 2, finished: 2 },
  });
});
