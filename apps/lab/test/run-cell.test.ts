import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { CATALOG, type Catalog } from "../src/catalog.ts";
import type { CellResult } from "../src/cell/result.ts";
import { runCell } from "../src/cell/run-cell.ts";
import { WORKLOAD_KINDS, type CellSpec } from "../src/cell/spec.ts";
import { LYING_CATALOG } from "./liars.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "lab-test-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const TINY: CellSpec = {
  id: "tiny",
  plan: {},
  workload: { kind: "new", rows: 300 },
  measure: { rounds: 2, warmupRounds: 0 },
};

function run(change: Partial<CellSpec> = {}, catalog?: Catalog): Promise<CellResult> {
  return runCell({ ...TINY, ...change }, { dir: join(dir, "cell"), catalog });
}

test("measures rounds into fresh stores and reads the last one back", async () => {
  const result = await run();
  expect(result).toMatchObject({ status: "ok", reasons: [], samplesAre: "rounds" });
  expect(result.rounds.map(({ rows }) => rows)).toEqual([300, 300]);
  expect(result.gate).toMatchObject({
    passed: true,
    seriesCreated: 300,
    rowsRead: 300,
    readAfter: "reopen",
    reopen: { series: 300, samples: 300 },
  });
  expect(result.gate?.fingerprintRead).toBe(result.gate?.fingerprintExpected);
  expect(result.counters).toMatchObject({ wal: { batches: 75 }, blocks: { samples: 300 } });
});

test("leaves nothing behind", async () => {
  await run();
  expect(readdirSync(dir)).toEqual([]);
});

test("counts the flush into the rate, and tells what was accepted before it apart", async () => {
  const { rounds } = await run();
  for (const round of rounds) {
    expect(round.seconds).toBeGreaterThan(round.acceptedSeconds);
    expect(round.rowsPerSecond).toBeCloseTo(300 / round.seconds);
  }
});

describe.each(WORKLOAD_KINDS)("rows of kind %s", (kind) => {
  test.each([
    ["single writes of labels", {}],
    ["batches of labels", { batchRows: 64 }],
    ["single writes of prepared labels", { by: "prepared" as const }],
    [
      "batches of prepared labels in random order",
      { by: "prepared" as const, batchRows: 7, order: "random" as const },
    ],
  ])("come back whole as %s", async (_, how) => {
    const workload = { kind, rows: 400, series: 40, yieldEveryRows: 100, ...how };
    const result = await run({ workload });
    expect(result.reasons).toEqual([]);
    const series = { new: 400, update: 1, "update-spread": 40, ingest: 40 }[kind];
    const before = { new: 0, update: 1, "update-spread": 40, ingest: 0 }[kind];
    expect(result.gate).toMatchObject({ seriesCreated: series, rowsRead: 400 + before });
    expect(result.counters?.blocks.samples).toBe(400);
  });
});

test("reads back before the close when the log keeps nothing, and says so", async () => {
  const result = await run({ plan: { base: "in-memory" } });
  expect(result).toMatchObject({
    status: "ok",
    gate: { passed: true, readAfter: "flush", rowsRead: 300 },
    durability: { atReturn: "accepted", atEnd: "memory" },
  });
});

test.each([
  ["recommended", 0, { atReturn: "accepted", atEnd: "durable" }],
  ["durable", 0, { atReturn: "durable", atEnd: "durable" }],
  ["durable", 16, { atReturn: "durable", atEnd: "durable" }],
] as const)(
  "says what level the plan %s with batches of %i paid for",
  async (base, batchRows, level) => {
    const result = await run({ plan: { base }, workload: { kind: "new", rows: 20, batchRows } });
    expect(result.durability).toEqual(level);
  },
);

test("says that single writes through an open batch return accepted, whatever the log does at its close", async () => {
  const result = await run({ plan: { base: "durable" }, engine: { rowsPerClose: 10 } });
  expect(result.durability).toEqual({ atReturn: "accepted", atEnd: "durable" });
});

test("times each call beside a loop of equal median length", async () => {
  const { latency, noiseFloor } = await run({
    workload: { kind: "new", rows: 2000 },
    measure: { rounds: 1, latency: true, latencyRounds: 2 },
  });
  expect(latency).toMatchObject({ calls: 4000, rowsPerCall: 1 });
  expect(noiseFloor?.calls).toBe(4000);
  for (const each of [latency!, noiseFloor!]) {
    expect(each.p50).toBeGreaterThan(0);
    expect(each.p99).toBeGreaterThanOrEqual(each.p50);
    expect(each.p999).toBeGreaterThanOrEqual(each.p99);
    expect(each.max).toBeGreaterThanOrEqual(each.p999);
  }
  expect(noiseFloor!.p50 / latency!.p50).toBeGreaterThan(0.5);
  expect(noiseFloor!.p50 / latency!.p50).toBeLessThan(2);
});

test("times a batch as one call", async () => {
  const workload = { kind: "new", rows: 100, batchRows: 32 } as const;
  const { latency } = await run({ workload, measure: { rounds: 1, latency: true } });
  expect(latency).toMatchObject({ calls: 4, rowsPerCall: 32 });
});

test("reports phases when timing is on, and none when it is off", async () => {
  const timed = await run({ engine: { timing: "full" }, workload: { kind: "update", rows: 300 } });
  expect(timed.timing).toMatchObject({ mode: "full", rowsPlaced: 600 });
  expect(timed.timing?.phases.find(({ name }) => name === "find")?.nsPerRow).toBeGreaterThan(0);
  expect((await run()).timing).toBeNull();
});

test("counts the bytes allocated a row when asked", async () => {
  const { memory } = await run({ measure: { rounds: 1, allocations: true } });
  expect(memory?.heapBytesPerRow).toBeGreaterThan(0);
  expect((await run()).memory?.heapBytesPerRow).toBeNull();
});

describe("a cell that lies is failed, never fast", () => {
  test.each([
    ["drops rows", { record: "dropping" }, /294 rows were read back, 300 were written/],
    ["changes a value's lowest bit", { record: "bit-flipping" }, /fingerprint/],
    ["merges series", { "series-index": "merging" }, /series|CONFLICT/],
  ] as const)("%s", async (_, plan, reason) => {
    const result = await run({ plan }, LYING_CATALOG);
    expect(result.status).toBe("failed");
    expect(result.reasons.join("; ")).toMatch(reason);
  });

  test("merges series whose samples agree, so that nothing is refused", async () => {
    // Batches of one row count each row as accepted or repeated; only the number of series tells.
    const seriesFile = join(dir, "series.json");
    const sets = Array.from({ length: 101 }, (_, i) => JSON.stringify({ host: `h${i}` }));
    writeFileSync(seriesFile, sets.join("\n"));
    const results = await Promise.all(
      [1, 2, 3].map((seed) =>
        runCell(
          {
            ...TINY,
            plan: { "series-index": "merging" },
            workload: { kind: "new", rows: 101, seed, batchRows: 1, seriesFile },
          },
          { dir: join(dir, `cell-${seed}`), catalog: LYING_CATALOG },
        ),
      ),
    );
    for (const { status, reasons } of results) {
      expect(status).toBe("failed");
      expect(reasons.join()).toMatch(/the index holds \d+ series, 101 were written/);
    }
  });
});

test("answers n/a, and why, for a plan whose parts cannot work together", async () => {
  const { xor } = CATALOG.chunk;
  const needy: Catalog = {
    ...CATALOG,
    chunk: {
      linear: {
        ...xor!,
        make: () => {
          const variant = xor!.make();
          return { ...variant, name: "linear", traits: { ...variant.traits, needsLinear: true } };
        },
      },
    },
  };
  const result = await run({ plan: { allocator: "heap", chunk: "linear" } }, needy);
  expect(result).toMatchObject({ status: "n/a", rounds: [], rate: null });
  expect(result.reasons[0]).toMatch(/PLAN: .*linear/);
});

test("fails with the error's code when the store refuses", async () => {
  const result = await run({ engine: { seriesMax: 100 } });
  expect(result).toMatchObject({ status: "failed", rounds: [] });
  expect(result.reasons[0]).toMatch(/^LIMIT: /);
});

test("reads label sets from a file, each distinct one once", async () => {
  const seriesFile = join(dir, "series.json");
  writeFileSync(seriesFile, '{"a":"1","b":"2"}\n{"b":"2","a":"1"}\n{"a":"2"}\n');
  const two = await run({ workload: { kind: "new", rows: 2, seriesFile } });
  expect(two).toMatchObject({ status: "ok", gate: { seriesCreated: 2 } });
  const three = await run({ workload: { kind: "new", rows: 3, seriesFile } });
  expect(three.status).toBe("failed");
  expect(three.reasons[0]).toMatch(/has 2 distinct label sets, and 3 are needed/);
});

test("throws the abort of its signal and leaves nothing behind", async () => {
  const stop = new AbortController();
  const workload = { kind: "ingest", rows: 50_000, yieldEveryRows: 100 } as const;
  const running = runCell({ ...TINY, workload }, { dir: join(dir, "cell"), signal: stop.signal });
  setImmediate(() => stop.abort(new Error("enough")));
  await expect(running).rejects.toThrow("enough");
  expect(readdirSync(dir)).toEqual([]);
});
