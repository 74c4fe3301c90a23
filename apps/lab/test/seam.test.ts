import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runSeamCell } from "../src/seam/run-seam-cell.ts";
import { compareWays, type SeamComparison, withEqualBytes } from "../src/seam/run-seam-cells.ts";
import {
  SEAM_LOGS,
  SEAM_PATHS,
  SEAM_WAYS,
  type SeamResult,
  type SeamSpec,
} from "../src/seam/spec.ts";
import { spreadOf } from "../src/stats/spread.ts";
import { lab, labHere } from "./lab-process.ts";

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "lab-seam-"));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const SPECS = SEAM_LOGS.flatMap((log) =>
  SEAM_PATHS.flatMap((path) =>
    SEAM_WAYS.map((way): SeamSpec => ({
      id: `${log} ${path}, ${way}`,
      log,
      path,
      way,
      appends: 40,
      recordBytes: 100,
      rounds: 2,
      warmupRounds: 1,
    })),
  ),
);

test("every way of a log leaves the same bytes, in every round, with its appends and with their calls alone", async () => {
  const bytes = new Map<string, Set<string>>();
  for (const [i, spec] of SPECS.entries()) {
    const { signal } = new AbortController();
    const result = await runSeamCell(spec, { dir: join(dir, String(i)), signal });
    expect(result).toMatchObject({ status: "ok", reasons: [] });
    expect(result.samples).toHaveLength(1);
    bytes.set(spec.log, (bytes.get(spec.log) ?? new Set()).add(result.bytes));
  }
  expect([...bytes.values()].map((each) => each.size)).toEqual([1, 1]);
  expect(new Set([...bytes.values()].flatMap((each) => [...each])).size).toBe(2);
});

test("a cell that left other bytes has no figures", () => {
  const results = SPECS.map((spec) => resultOf(spec, 100));
  results[2] = { ...results[2]!, bytes: "other" };
  const judged = withEqualBytes(results);
  expect(judged[2]).toMatchObject({ status: "failed", samples: [], rate: null });
  expect(judged.filter(({ status }) => status === "ok")).toHaveLength(SPECS.length - 1);
  expect(compareWays(judged)).toHaveLength(SEAM_LOGS.length * SEAM_PATHS.length - 1);
});

test("a disk that costs more than the machine's noise is called slower", () => {
  const cheap = compareWays(SPECS.map((spec) => resultOf(spec, 100)));
  expect(words(cheap)).toEqual(cheap.map(() => ["no difference", "no difference"]));
  const dear = compareWays(SPECS.map((spec) => resultOf(spec, spec.way === "inlined" ? 100 : 95)));
  expect(words(dear)).toEqual(dear.map(() => ["slower", "no difference"]));
  expect(dear[0]!.nanoseconds.disk / dear[0]!.nanoseconds.inlined).toBeCloseTo(100 / 95, 2);
});

test("measures what the seam costs, and writes it as JSON", async () => {
  const file = join(dir, "seam.json");
  const few = ["--appends", "400", "--repeats", "1", "--rounds", "1", "--warmup", "0"];
  const { code, stdout, stderr } = await lab("seam", ...few, "--dir", dir, "--json", file);
  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(/sync calls .*too few/);
  expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
  const report = JSON.parse(readFileSync(file, "utf8")) as {
    readonly comparisons: readonly SeamComparison[];
    readonly cells: readonly SeamResult[];
  };
  expect(report).toMatchObject({ interrupted: false, environment: { seed: 1 } });
  expect(report.comparisons.map(({ log, path }) => `${log} ${path}`)).toEqual([
    "sync appends",
    "sync calls",
    "batched appends",
    "batched calls",
  ]);
  expect(report.cells.map(({ status, spec }) => [status, spec.appends])).toEqual([
    ...SPECS.slice(0, 6).map(() => ["ok", 10]),
    ...SPECS.slice(6).map(() => ["ok", 400]),
  ]);
  expect(readdirSync(dir).filter((name) => name.startsWith("varve-lab-"))).toEqual([]);
});

test("refuses what makes no sense with one line and exit code 2", async () => {
  for (const [args, reason] of [
    [["--appends", "0"], /at least 1/],
    [["--dir", "/no/dir"], /no such directory/],
    [["--json", "/no/dir/x"], /cannot write/],
  ] as const) {
    const { code, stdout, stderr } = await labHere("seam", ...args);
    expect(stderr).toMatch(reason);
    expect([code, stdout]).toEqual([2, ""]);
  }
});

/** Rates around one of nine repeats. */
function resultOf(spec: SeamSpec, rate: number): SeamResult {
  const samples = Array.from({ length: 9 }, (_, i) => rate + (i - 4) * 0.1);
  return { spec, status: "ok", reasons: [], samples, rate: spreadOf(samples), bytes: spec.log };
}

function words(comparisons: readonly SeamComparison[]): [string, string][] {
  return comparisons.map(({ seam, noise }) => [seam.word, noise.word]);
}
