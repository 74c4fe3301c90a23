import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import type { IngestRow } from "../peers/ingest/ingest-rows.ts";
import { interruptAt, peersHere, start } from "./peers-process.ts";

let dir: string;
let series: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "peers-ingest-cli-"));
  series = join(dir, "series.json");
  const line = (i: number): string => `{"__name__":"up","instance":"host-${i}"}\n`;
  writeFileSync(series, Array.from({ length: 20 }, (_, i) => line(i)).join(""));
});
afterEach(() => vi.unstubAllEnvs());
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Time for a run of many processes on a busy machine, in milliseconds. */
const RUN_MS = 180_000;

interface Report {
  readonly command: string;
  readonly interrupted: boolean;
  readonly repeats: number;
  readonly sizes: { readonly newSeries: number };
  readonly rows: readonly IngestRow[];
  readonly environment: { readonly seed: number; readonly cpu: string };
}

function readReport(file: string): Report {
  return JSON.parse(readFileSync(file, "utf8")) as Report;
}

function storesLeft(): string[] {
  return readdirSync(dir).filter((name) => name.startsWith("varve-peers-"));
}

test(
  "writes without a command, holds varve against a peer and itself, and says what was measured",
  async () => {
    const file = join(dir, "new.json");
    const which = ["--only", "new-series,lmdb", "--new", "2000"];
    const { code, stdout, stderr } = await start(...which, "--json", file, "--dir", dir).ended;
    expect(stderr).toMatch(/^\[10\/10\] new-series, varve and varve \(noise\), repeat 5$/m);
    expect(stdout).toMatch(/^new-series +lmdb +[\d.]+ [KM]\/s +[\d.]+ [KM]\/s /m);
    for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(100);
    expect(code).toBe(0);
    const { command, interrupted, repeats, sizes, rows, environment } = readReport(file);
    expect({ interrupted, repeats, seed: environment.seed, newSeries: sizes.newSeries }).toEqual({
      interrupted: false,
      repeats: 5,
      seed: 1,
      newSeries: 2000,
    });
    expect(command).toContain("--only new-series,lmdb");
    expect(rows.map(({ work, peer, status }) => [work, peer, status])).toEqual([
      ["new-series", "lmdb", "ok"],
      ["new-series", "varve (noise)", "ok"],
    ]);
    for (const row of rows) {
      expect(row.ratio).toBeCloseTo(row.ours! / row.theirs!, 9);
      expect(row.spread).toBeGreaterThanOrEqual(0);
      expect(row.durability).toMatch(/^(?:varve: )?written in groups, not synced/);
      expect([row.oursRates.length, row.theirsRates.length]).toEqual([5, 5]);
      expect([row.oursRows, row.theirsRows]).toEqual([2000, 2000]);
    }
    expect(storesLeft()).toEqual([]);
  },
  RUN_MS,
);

test(
  "says loudly that promtool is not there, and measures the rest",
  async () => {
    vi.stubEnv("PATH", dir);
    const file = join(dir, "skipped.json");
    const which = ["--only", "ref-ingest,promtool", "--series", series, "--scrapes", "100"];
    const run = start("ingest", ...which, "--json", file, "--dir", dir);
    const { code, stdout, stderr } = await run.ended;
    expect(stderr).toMatch(/^ref-ingest, promtool: SKIPPED: there is no promtool here; install/m);
    expect(stdout).toMatch(/^ref-ingest +promtool +skipped/m);
    expect(code).toBe(0);
    expect(readReport(file).rows).toMatchObject([
      { peer: "promtool", status: "skipped", ours: null, ratio: null },
      { peer: "varve (noise)", status: "ok", oursRows: 2000 },
    ]);
  },
  RUN_MS,
);

test(
  "fails a row whose peer wrote something else, and exits with 1",
  async () => {
    const bin = mkdtempSync(join(dir, "bin-"));
    const liar = join(bin, "promtool");
    const said = [
      "--out --metrics --scrapes",
      ">> completed stage=ingestScrapes duration=1s",
      "total samples: 1999",
      "samples/sec: 1999",
    ];
    const printed = said.map((line) => `echo '${line}'`).join("\n");
    writeFileSync(liar, `#!/bin/sh\n${printed}\n`);
    chmodSync(liar, 0o755);
    vi.stubEnv("PATH", `${bin}:${process.env["PATH"]}`);
    const which = ["--only", "ref-ingest", "--series", series, "--scrapes", "100", "--dir", dir];
    const { code, stdout } = await start(...which).ended;
    expect(stdout).toMatch(/^ref-ingest +promtool +failed$/m);
    expect(stdout).toContain("failed: promtool: promtool wrote 1999 samples, and 2000 were asked");
    expect(stdout).toMatch(/^ref-ingest +varve \(noise\) +[\d.]+ [KM]\/s/m);
    expect(code).toBe(1);
  },
  RUN_MS,
);

test(
  "ends at Ctrl-C with what was measured, removes its stores, and exits with 130",
  async () => {
    const file = join(dir, "interrupted.json");
    const which = ["--only", "new-series,lmdb", "--new", "100", "--repeats", "100000"];
    const { code, stdout } = await interruptAt(
      "repeat 2,",
      start(...which, "--dir", dir, "--json", file),
    );
    expect(code).toBe(130);
    expect(stdout).toContain("Interrupted");
    const { interrupted, rows } = readReport(file);
    expect(interrupted).toBe(true);
    expect(rows[0]).toMatchObject({ peer: "lmdb", status: "interrupted" });
    expect(rows[0]!.oursRates.length).toBeGreaterThanOrEqual(2);
    expect(storesLeft()).toEqual([]);
  },
  RUN_MS,
);

describe("answers what makes no sense with one line on stderr and exit code 2", () => {
  test.each([
    [
      "a work that does not exist",
      ["--only", "nope"],
      /no work or peer "nope".*new-series.*duckdb/,
    ],
    [
      "a peer that has no part in a work",
      ["--only", "new-series,promtool"],
      /promtool takes no part in new-series/,
    ],
    ["no series", ["--new", "0"], /at least 1/],
    ["no scrapes", ["--scrapes", "0"], /at least 1/],
    ["too few repeats", ["--repeats", "4"], /at least 5/],
    [
      "a flag that does not exist",
      ["--nope"],
      /unknown option '--nope'.*; see pnpm run peers ingest/,
    ],
    ["a directory that is not there", ["--dir", "/no/dir"], /--dir \/no\/dir: .*no directory/],
    ["a file that is not there", ["--series", "/no/file"], /\/no\/file: cannot be read/],
    ["a report that cannot be written", ["--json", "/no/dir/x"], /--json \/no\/dir\/x/],
  ])("%s", async (_, args, reason) => {
    const { code, stdout, stderr } = await peersHere(...args);
    expect(stderr).toMatch(reason);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(stdout).toBe("");
    expect(code).toBe(2);
  });

  test.each([
    ["twice", '{"job":"a","b":"1"}\n{"b":"1","job":"a"}\n', /a label set comes twice/],
    ["not at all", "\n", /no label set in it/],
  ])("a file that has a label set %s", async (_, text, reason) => {
    const file = join(dir, "odd.json");
    writeFileSync(file, text);
    const { code, stderr } = await peersHere("--only", "ref-ingest", "--series", file);
    expect(stderr).toMatch(reason);
    expect(code).toBe(2);
  });
});

test("explains itself with examples of both commands", async () => {
  const { code, stdout } = await peersHere("--help");
  expect(code).toBe(0);
  expect(stdout).toMatch(/Examples:\n {2}\$ pnpm run peers --only ref-ingest.*\n.*\n.*peers query/);
  expect((await peersHere("ingest", "--help")).stdout).toContain("--series <file>");
});
