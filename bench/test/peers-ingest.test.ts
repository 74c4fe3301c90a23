import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { rowsOf } from "../peers/ingest/ingest-rows.ts";
import { LabelText } from "../peers/ingest/label-text.ts";
import { measureTurn } from "../peers/ingest/measure.ts";
import type { Pair } from "../peers/ingest/pairs.ts";
import { planOf } from "../peers/ingest/plan.ts";
import { openIngestStore, type IngestStore } from "../peers/ingest/store.ts";
import { stretchesOf } from "../peers/ingest/stretches.ts";
import type { TurnReport } from "../peers/ingest/turn.ts";
import { type Order, type Sizes, type WorkName, WORK_NAMES } from "../peers/ingest/works.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "peers-ingest-"));
});
afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});

/** Series, scrapes and rows of a run that is over in a moment. */
const SERIES = 1500;
const SIZES: Sizes = { seed: 1, scrapes: 100, newSeries: SERIES, updates: 20_000 };
const EMBEDDED = ["better-sqlite3", "lmdb", "classic-level", "duckdb"] as const;
const UPDATES = ["updates-labels", "updates-handle", "updates-batch"] as const;

function seriesFile(count: number): string {
  const file = join(dir, "series.json");
  const line = (i: number): string => `{"job":"node","instance":"host-${i}","__name__":"up"}\n`;
  writeFileSync(file, Array.from({ length: count }, (_, i) => line(i)).join(""));
  return file;
}

describe.each(["varve", ...EMBEDDED] as const)("%s", (store) => {
  test.each(["new-series", ...UPDATES] as const)("does %s, and holds it", async (work) => {
    const report = await measureTurn({ work, store, sizes: SIZES, dir }, openIngestStore);
    expect(report.rows).toBe(work === "new-series" ? SERIES : SIZES.updates);
    expect(report.seconds).toBeGreaterThan(0);
    const level = { varve: "grouped", duckdb: "synced" } as Readonly<Record<string, string>>;
    expect(report.durability).toBe(level[store] ?? "written");
    expect(report.about).toMatch(new RegExp(`^${store}: .{10}`));
  });
});

test.each(["ref-ingest", "ref-ingest-shards"] as const)("varve does %s", async (work) => {
  const sizes = { ...SIZES, seriesFile: seriesFile(SERIES) };
  const report = await measureTurn({ work, store: "varve", sizes, dir }, openIngestStore);
  expect(report.rows).toBe(SERIES * 100);
});

test("varve does updates over as many series as are asked for", async () => {
  const spec = { work: "updates-many", store: "varve", sizes: SIZES, dir } as const;
  const rounds = Math.round(SIZES.updates! / SERIES);
  expect((await measureTurn(spec, openIngestStore)).rows).toBe(rounds * SERIES);
});

/** A store of which something is not as it should be. */
function spoilt(changes: (store: IngestStore) => Partial<IngestStore>): typeof openIngestStore {
  return async (name, at) => {
    const store = await openIngestStore(name, at);
    const changed = changes(store);
    return new Proxy(store, {
      get(target, key) {
        const value: unknown = Reflect.get(key in changed ? changed : target, key);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  };
}

describe("a store that did something else has no figure", () => {
  test.each([
    [
      "loses a series",
      /holds 1499 series, and 1500 were written/,
      spoilt((store) => ({
        writeLabels: (labels, rows) =>
          store.writeLabels(labels, { ...rows, until: Math.min(rows.until, SERIES - 1) }),
      })),
    ],
    [
      "makes two series one",
      /holds 1499 series, and 1500 were written/,
      spoilt((store) => ({
        writeLabels: (labels, rows) =>
          store.writeLabels(labels.with(SERIES - 1, { ...labels[0]! }), rows),
      })),
    ],
    [
      "writes another time",
      /as the sum of times/,
      spoilt((store) => ({
        writeLabels: (labels, rows) => store.writeLabels(labels, { ...rows, time: rows.time + 1 }),
      })),
    ],
    [
      "writes another value",
      /as the sum of values/,
      spoilt((store) => ({
        writeLabels: (labels, rows) => store.writeLabels(labels, { ...rows, value: 7 }),
      })),
    ],
  ])("%s", async (_, reason, open) => {
    const spec = { work: "new-series", store: "varve", sizes: SIZES, dir } as const;
    await expect(measureTurn(spec, open)).rejects.toThrow(reason);
  });

  test("loses a sample of a known series", async () => {
    const open = spoilt((store) => ({
      writeHandles: (rows) => store.writeHandles({ ...rows, until: rows.until - 1 }),
    }));
    const spec = { work: "updates-handle", store: "lmdb", sizes: SIZES, dir } as const;
    await expect(measureTurn(spec, open)).rejects.toThrow(/holds 29980 samples, and 30000 were/);
  });
});

describe("rows", () => {
  test.each(["scrapes", "shards"] as const)(
    "come once each, in the order of time for every series, by %s",
    (order: Order) => {
      const [series, rounds] = [2300, 250];
      const next = new Uint32Array(series);
      const all = { series, rounds, order, timeOf: (i: number) => i, valueOf: (i: number) => i };
      for (const { from, until, time } of stretchesOf(all)) {
        expect(until - from).toBeLessThanOrEqual(1000);
        for (let i = from; i < until; i += 1) {
          if (next[i] !== time) expect.fail(`series ${i} gets ${time}, and ${next[i]} is next`);
          next[i]! += 1;
        }
      }
      expect(next.every((count) => count === rounds)).toBe(true);
    },
  );

  test("of peers are fewer where there are many", async () => {
    const sizes = { ...SIZES, updates: 3_000_000 };
    const rowsFor = async (store: "varve" | "lmdb"): Promise<number> => {
      const { timed } = await planOf("updates-labels", sizes, store);
      return timed.series * timed.rounds;
    };
    expect([await rowsFor("varve"), await rowsFor("lmdb")]).toEqual([3_000_000, 500_000]);
  });
});

test("writes label sets as one text, whatever their order", () => {
  const text = new LabelText();
  const both = { b: "2", a: "1" };
  expect(text.of({ a: "1", b: "2" })).toBe(text.of(both));
  expect(text.of({ a: "1", c: "2" })).toBe(new LabelText().of({ c: "2", a: "1" }));
  expect(text.of({ a: "12", b: "" })).not.toBe(text.of({ a: "1", b: "2" }));
  expect(new Set([text.of({ a: "1" }), text.of(both), text.of({ a: "2", b: "1" })]).size).toBe(3);
});

describe("a row", () => {
  const turn = (seconds: number, durability: TurnReport["durability"] = "written"): TurnReport => ({
    rows: 100,
    seconds,
    about: "it",
    durability,
  });
  const pairOf = (work: WorkName, rival: Pair["rival"]): Pair => ({
    work,
    rival,
    ours: [1, 1.1, 0.95, 0.9, 1].map((seconds) => turn(seconds)),
    theirs: [3, 3.3, 2.85, 2.7, 3].map((seconds) => turn(seconds)),
    failure: null,
    skipped: null,
  });

  test("says how many times as many rows a second varve writes", () => {
    const [row] = rowsOf([pairOf("new-series", "lmdb")], 5);
    expect(row).toMatchObject({ status: "ok", ours: 100, unit: "rows/s", word: "faster" });
    expect(row!.theirs).toBeCloseTo(100 / 3);
    expect(row!.ratio).toBeCloseTo(3);
    expect(row!.durability).toBe("written at each transaction, not synced");
    expect(rowsOf([pairOf("new-series", "lmdb")], 6)[0]!.status).toBe("interrupted");
  });

  test("names both sides where one does more than the other", () => {
    const pair = pairOf("new-series", "duckdb");
    const theirs = pair.theirs.map((each): TurnReport => ({ ...each, durability: "synced" }));
    expect(rowsOf([{ ...pair, theirs }], 5)[0]).toMatchObject({
      durability:
        "varve: written at each transaction, not synced; duckdb: synced at each transaction",
      isPeerSynced: true,
    });
  });

  test("has no ratio where nobody stands beside varve", () => {
    const [row] = rowsOf([{ ...pairOf("updates-many", "none"), theirs: [] }], 5);
    expect(row).toMatchObject({ status: "ok", peer: "none", ours: 100, theirs: null, ratio: null });
    expect(row!.spread).toBeGreaterThan(0);
  });

  test("has no figure once anything failed, or where there is no peer", () => {
    const [failed] = rowsOf([{ ...pairOf("new-series", "lmdb"), failure: "lmdb: holds 1" }], 5);
    expect(failed).toMatchObject({ status: "failed", ours: null, theirs: null, oursRates: [] });
    const none = {
      ...pairOf("ref-ingest", "promtool"),
      ours: [],
      theirs: [],
      skipped: "none here",
    };
    expect(rowsOf([none], 5)[0]).toMatchObject({ status: "skipped", reason: "none here" });
  });

  test("has a note for every work", () => {
    const rows = rowsOf(
      WORK_NAMES.map((work) => pairOf(work, "varve (noise)")),
      5,
    );
    for (const { note } of rows) expect(note.length).toBeGreaterThan(20);
  });
});
