import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { CellsReport } from "../src/report/json.ts";
import { lab, labHere, start } from "./lab-process.ts";

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "lab-cli-"));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function readReport(name: string): CellsReport {
  return JSON.parse(readFileSync(join(dir, name), "utf8")) as CellsReport;
}

test("lists every slot, its variants and the plans in 80 columns", async () => {
  const { code, stdout } = await lab("list", "--options");
  expect(code).toBe(0);
  for (const word of ["series-index", "open-addressed", "lmdb", "recommended", "acknowledges"]) {
    expect(stdout).toContain(word);
  }
  expect(stdout).not.toContain("\u001b");
  expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
});

test.each(["list", "certify", "race", "matrix", "query", "seam", "seed"])(
  "shows help of %s with examples",
  async (command) => {
    const { code, stdout } = await labHere(command, "--help");
    expect(code).toBe(0);
    expect(stdout).toMatch(/Examples:\n\s+\$ varve-lab/);
  },
);

describe("answers what makes no sense with one line on stderr and exit code 2", () => {
  test.each([
    ["no slot", ["race"], /missing required argument 'slot'/],
    ["a slot that does not exist", ["race", "nope"], /'nope' is invalid/],
    ["a command that does not exist", ["frob"], /unknown command 'frob'/],
    ["a flag that does not exist", ["race", "wal", "--bogus"], /unknown option '--bogus'/],
    ["a number that is none", ["race", "wal", "--rows", "many"], /'many' is invalid.*whole number/],
    ["no rows", ["race", "wal", "--rows", "0"], /at least 1/],
    ["a variant that does not exist", ["matrix", "--wal=fast"], /no variant "fast".*batched/],
    ["an option that does not exist", ["matrix", "--wal=batched:x=1"], /no option "x".*delayMsMax/],
    ["a workload that does not exist", ["matrix", "--wal=sync", "--workload=x"], /no workload "x"/],
    ["a matrix without an axis", ["matrix"], /name the variants of a slot/],
    [
      "two variants of a slot that is not raced",
      ["race", "wal", "--locks=none,mutex"],
      /one variant/,
    ],
    [
      "a file that is not there",
      ["race", "wal", "--series", "/no/file"],
      /\/no\/file: cannot be read/,
    ],
    ["a directory that is not there", ["race", "wal", "--dir", "/no/dir"], /no such directory/],
    ["a report that cannot be written", ["race", "wal", "--json", "/no/dir/x"], /cannot write/],
    ["a variant to certify that does not exist", ["certify", "wal", "fast"], /no variant "fast"/],
  ])("%s", async (_, args, reason) => {
    const { code, stdout, stderr } = await labHere(...args);
    expect(stderr).toMatch(reason);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(stderr).toMatch(/^varve-lab: /);
    expect(stdout).toBe("");
    expect(code).toBe(2);
  });

  test("a malformed line of a series file, with its number", async () => {
    const file = join(dir, "bad.json");
    writeFileSync(file, '{"a":"1"}\n{"a":\n');
    const { code, stderr } = await lab("race", "wal", "--series", file);
    expect(stderr).toContain(`${file}:2: `);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(code).toBe(2);
  });

  test("more new series than the file has", async () => {
    const file = join(dir, "two.json");
    writeFileSync(file, '{"a":"1"}\n{"a":"2"}\n');
    const { code, stderr } = await labHere("race", "wal", "--series", file, "--rows", "3");
    expect(stderr).toMatch(/has 2 distinct label sets/);
    expect(code).toBe(2);
  });
});

test("fills every cell of a matrix and writes what was measured as JSON", async () => {
  const file = join(dir, "matrix.json");
  const axes = ["--series-index=map,open-addressed", "--workload", "new,update"];
  const few = ["--rows", "50", "--repeats", "1", "--rounds", "1", "--warmup", "0"];
  const { code, stdout, stderr } = await lab(
    "matrix",
    ...axes,
    ...few,
    "--dir",
    dir,
    "--json",
    file,
  );
  expect(code).toBe(0);
  expect(stderr.trimEnd().split("\n")).toHaveLength(4);
  expect(stdout).toMatch(/4 of 4 cells wrote what they should/);
  expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
  const report = readReport("matrix.json");
  expect(report).toMatchObject({
    interrupted: false,
    environment: { node: process.version, seed: 1, dir },
  });
  expect(report.command).toMatch(/^matrix --series-index=map,open-addressed/);
  expect(report.cells.map(({ spec, status }) => [spec.id, status])).toEqual([
    ["map new", "ok"],
    ["open-addressed new", "ok"],
    ["map update", "ok"],
    ["open-addressed update", "ok"],
  ]);
  for (const cell of report.cells) {
    expect(cell.rate?.median).toBeGreaterThan(0);
    expect(cell.gate?.passed).toBe(true);
    expect(cell.durability).toEqual({ atReturn: "accepted", atEnd: "durable" });
    expect(cell.plan?.wal).toBe("batched");
  }
  expect(readdirSync(dir).filter((name) => name.startsWith("varve-lab-"))).toEqual([]);
});

test("certifies a variant", async () => {
  const file = join(dir, "certify.json");
  const { code, stdout } = await lab("certify", "series-id", "fnv1a", "--json", file);
  expect(stdout).toMatch(/series-id\s+fnv1a\s+all \d+\s+all \d+/);
  expect(code).toBe(0);
  const { cases } = JSON.parse(readFileSync(file, "utf8")) as { cases: { id: string }[] };
  expect(cases.length).toBeGreaterThan(0);
  expect(cases[0]!.id).toMatch(/^series-id\//);
});

test.each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)(
  "ends at %s with what was measured, removes its stores, and exits with %i",
  async (signal, expected) => {
    const file = join(dir, `${signal}.json`);
    const rows = ["--rows", "100", "--repeats", "500", "--rounds", "1", "--warmup", "0"];
    const indexes = ["--no-certify", "--series-index", "map,open-addressed"];
    const places = ["--dir", dir, "--json", file];
    const { child, ended } = start("race", "series-index", ...indexes, ...rows, ...places);
    await new Promise<void>((resolve) => {
      child.stderr!.on("data", (text: string) => {
        if (text.includes("[   1/1000]")) resolve();
      });
    });
    child.kill(signal);
    const { code, stdout, stderr } = await ended;
    expect(stderr).toContain("ending with what was measured");
    expect(stdout).toContain("Interrupted");
    expect(code).toBe(expected);
    expect(existsSync(file)).toBe(true);
    const report = readReport(`${signal}.json`);
    expect(report.interrupted).toBe(true);
    const finished = report.cells.reduce((sum, { repeats }) => sum + repeats.finished, 0);
    expect(finished).toBeGreaterThanOrEqual(1);
    expect(finished).toBeLessThan(100);
    expect(readdirSync(dir).filter((name) => name.startsWith("varve-lab-"))).toEqual([]);
  },
);

test("ends at once at the second SIGINT, and still removes its stores", async () => {
  const slow = ["--rows", "1M", "--repeats", "1", "--wal", "sync"];
  const { child, ended } = start("race", "wal", "--no-certify", ...slow, "--dir", dir);
  await new Promise<void>((resolve) => {
    const poll = setInterval(() => {
      const [run] = readdirSync(dir).filter((name) => name.startsWith("varve-lab-"));
      if (run === undefined || readdirSync(join(dir, run)).length === 0) return;
      clearInterval(poll);
      resolve();
    }, 20);
  });
  child.stderr!.once("data", () => child.kill("SIGINT"));
  child.kill("SIGINT");
  expect((await ended).code).toBe(130);
  expect(readdirSync(dir).filter((name) => name.startsWith("varve-lab-"))).toEqual([]);
});
