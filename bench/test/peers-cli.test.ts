import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { PeerRow } from "../peers/rows.ts";
import { interruptAt, peersHere, start } from "./peers-process.ts";

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "peers-cli-"));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Time for a run of several processes on a busy machine, in milliseconds. */
const RUN_MS = 90_000;

interface Report {
  readonly interrupted: boolean;
  readonly rows: readonly PeerRow[];
  readonly stores: Readonly<Record<string, { readonly diskBytes: number }>>;
  readonly environment: { readonly seed: number; readonly cpu: string };
}

function readReport(file: string): Report {
  return JSON.parse(readFileSync(file, "utf8")) as Report;
}

function storesLeft(): string[] {
  return readdirSync(dir).filter((name) => name.startsWith("varve-peers-"));
}

test(
  "holds varve against every peer, proves their answers equal, and writes what was measured",
  async () => {
    const file = join(dir, "peers.json");
    const series = join(dir, "series.json");
    const labels = (host: number): string => `{"__name__":"up","instance":"é${host}"}\n`;
    writeFileSync(series, [0, 1, 2].map(labels).join(""));
    const which = ["--series", series, "--hours", "0.1", "--queries", "2"];
    const only = ["--only", "lastpoint,high-cpu-1", "--json", file, "--dir", dir];
    const { code, stdout, stderr } = await start("query", ...which, ...only).ended;
    expect(stderr).toMatch(/^\[23\/23\] high-cpu-1, varve and duckdb, repeat 5$/m);
    expect(stdout).toContain(
      "In 4 of 4 rows both gave the same answers, which are what the data says.",
    );
    expect(stdout).toMatch(/^lastpoint +better-sqlite3 +3 +[\d.]+ ms +[\d.]+ ms/m);
    expect(code).toBe(0);
    const { interrupted, rows, stores, environment } = readReport(file);
    expect({ interrupted, seed: environment.seed }).toEqual({ interrupted: false, seed: 1 });
    expect(rows.map(({ work, peer, status }) => [work, peer, status])).toEqual([
      ["lastpoint", "better-sqlite3", "ok"],
      ["lastpoint", "duckdb", "ok"],
      ["high-cpu-1", "better-sqlite3", "ok"],
      ["high-cpu-1", "duckdb", "ok"],
    ]);
    for (const row of rows) {
      expect(row.ratio).toBeCloseTo(row.theirs! / row.ours!, 9);
      expect(row.spread).toBeGreaterThanOrEqual(0);
      expect(row.durability).toMatch(/^durable \(varve: .+; .+: .+\)$/);
      expect([row.oursMs.length, row.theirsMs.length]).toEqual([5, 5]);
    }
    expect(Object.keys(stores)).toEqual(["varve", "better-sqlite3", "duckdb"]);
    for (const { diskBytes } of Object.values(stores)) expect(diskBytes).toBeGreaterThan(0);
    expect(storesLeft()).toEqual([]);
  },
  RUN_MS,
);

test(
  "ends at Ctrl-C with what was measured, removes its stores, and exits with 130",
  async () => {
    const file = join(dir, "interrupted.json");
    const few = ["--scale", "2", "--hours", "0.1", "--repeats", "100000"];
    const only = ["--only", "lastpoint,better-sqlite3", "--dir", dir, "--json", file];
    const { code, stdout } = await interruptAt("repeat 3,", start("query", ...few, ...only));
    expect(code).toBe(130);
    expect(stdout).toContain("Interrupted");
    const { interrupted, rows } = readReport(file);
    expect(interrupted).toBe(true);
    expect(rows).toMatchObject([
      { work: "lastpoint", peer: "better-sqlite3", status: "interrupted" },
    ]);
    expect(rows[0]!.oursMs.length).toBeGreaterThanOrEqual(3);
    expect(storesLeft()).toEqual([]);
  },
  RUN_MS,
);

describe("answers what makes no sense with one line on stderr and exit code 2", () => {
  test.each([
    ["a query or peer that does not exist", ["--only", "nope"], /no query or peer "nope".*duckdb/],
    ["no hosts", ["--scale", "0"], /at least 1/],
    ["no time", ["--hours", "0"], /positive number, such as 24 or 0\.5/],
    ["too few repeats", ["--repeats", "4"], /at least 5/],
    [
      "a flag that does not exist",
      ["--nope"],
      /unknown option '--nope'.*; see pnpm run peers query/,
    ],
    ["a directory that is not there", ["--dir", "/no/dir"], /--dir \/no\/dir: .*no directory/],
    ["a file that is not there", ["--series", "/no/file"], /\/no\/file: cannot be read/],
    ["a report that cannot be written", ["--json", "/no/dir/x"], /--json \/no\/dir\/x/],
  ])("%s", async (_, args, reason) => {
    const { code, stdout, stderr } = await peersHere("query", ...args);
    expect(stderr).toMatch(reason);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(stdout).toBe("");
    expect(code).toBe(2);
  });

  test("a command that does not exist", async () => {
    const { code, stderr } = await peersHere("nope");
    expect(stderr).toMatch(/^peers: unknown command 'nope'.*\n$/);
    expect(code).toBe(2);
  });

  test("a file that has a label set twice", async () => {
    const file = join(dir, "twice.json");
    writeFileSync(file, '{"__name__":"up","job":"a"}\n{"job":"a","__name__":"up"}\n');
    const { code, stderr } = await peersHere("query", "--series", file);
    expect(stderr).toMatch(/^peers: .*a label set comes twice.*\n$/);
    expect(code).toBe(2);
  });
});

test("explains itself with examples", async () => {
  const { code, stdout } = await peersHere("query", "--help");
  expect(code).toBe(0);
  expect(stdout).toContain("Examples:\n  $ pnpm run peers query\n");
});
