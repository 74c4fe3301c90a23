import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { QueryCellResult } from "../src/query/result.ts";
import { lab, labHere, start } from "./lab-process.ts";

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "lab-query-cli-"));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

interface Report {
  readonly interrupted: boolean;
  readonly environment: { readonly seed: number };
  readonly cells: readonly QueryCellResult[];
}

function readReport(file: string): Report {
  return JSON.parse(readFileSync(file, "utf8")) as Report;
}

const FEW = ["--scale", "2", "--hours", "0.1", "--queries", "2", "--repeats", "1"];

test("puts queries to stores in every place and writes what was measured as JSON", async () => {
  const file = join(dir, "query.json");
  const which = ["--only", "lastpoint,high-cpu-all", "--dir", dir, "--json", file];
  const { code, stdout, stderr } = await lab("query", ...FEW, ...which);
  expect(stderr.trimEnd().split("\n")).toHaveLength(3);
  expect(code).toBe(0);
  expect(stdout).toMatch(/3 of 3 stores gave the same answers, which are what\s+the data says/);
  expect(stdout).toMatch(/lastpoint +head +20\.0 /);
  expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
  const report = readReport(file);
  expect(report).toMatchObject({ interrupted: false, environment: { seed: 1 } });
  expect(report.cells.map(({ spec, status }) => [spec.id, status])).toEqual([
    ["head", "ok"],
    ["blocks", "ok"],
    ["mixed", "ok"],
  ]);
  for (const { kinds } of report.cells) {
    expect(kinds.map(({ kind, queries }) => [kind, queries])).toEqual([
      ["lastpoint", 2],
      ["high-cpu-all", 2],
    ]);
  }
  expect(readdirSync(dir).filter((name) => name.startsWith("varve-lab-"))).toEqual([]);
});

test("crosses places with variants of slots", async () => {
  const which = ["--only", "lastpoint", "--store", "head", "--postings", "lazy,eager"];
  const { code, stdout } = await lab("query", ...FEW, ...which, "--dir", dir);
  expect(code).toBe(0);
  expect(stdout).toMatch(/head lazy/);
  expect(stdout).toMatch(/head eager/);
});

describe("answers what makes no sense with one line on stderr and exit code 2", () => {
  test.each([
    ["a query that does not exist", ["--only", "nope"], /no query "nope".*lastpoint/],
    ["a place that does not exist", ["--store", "moon"], /no place "moon".*head, blocks, mixed/],
    ["no hosts", ["--scale", "0"], /at least 1/],
    ["no time", ["--hours", "0"], /positive number, such as 24 or 0\.5/],
    ["a variant that does not exist", ["--postings", "x"], /no variant "x"/],
    ["a directory that is not there", ["--dir", "/no/dir"], /no such directory/],
    ["a file that is not there", ["--series", "/no/file"], /\/no\/file: cannot be read/],
    ["a report that cannot be written", ["--json", "/no/dir/x"], /cannot write/],
  ])("%s", async (_, args, reason) => {
    const { code, stdout, stderr } = await labHere("query", ...args);
    expect(stderr).toMatch(reason);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(stdout).toBe("");
    expect(code).toBe(2);
  });

  test("a file whose label sets queries cannot ask for, or that has one twice", async () => {
    const file = join(dir, "bad.json");
    writeFileSync(file, '{"__name__":"up","zone":"a"}\n');
    const hostless = await labHere("query", "--series", file);
    expect(hostless).toMatchObject({ code: 2, stdout: "" });
    expect(hostless.stderr).toMatch(/no label of hostname, instance/);
    writeFileSync(file, '{"__name__":"up","job":"a"}\n{"job":"a","__name__":"up"}\n');
    expect((await labHere("query", "--series", file)).stderr).toMatch(/a label set comes twice/);
  });
});

test("ends at Ctrl-C with what was measured, removes its stores, and exits with 130", async () => {
  const file = join(dir, "interrupted.json");
  const many = [...FEW.slice(0, -1), "500", "--only", "lastpoint", "--store", "head"];
  const { child, ended } = start("query", ...many, "--dir", dir, "--json", file);
  await new Promise<void>((resolve) => {
    child.stderr!.on("data", (text: string) => {
      if (text.includes("[  1/500]")) resolve();
    });
  });
  child.kill("SIGINT");
  const { code, stdout } = await ended;
  expect(code).toBe(130);
  expect(stdout).toContain("Interrupted");
  expect(readReport(file)).toMatchObject({ interrupted: true, cells: [{ status: "ok" }] });
  expect(readdirSync(dir).filter((name) => name.startsWith("varve-lab-"))).toEqual([]);
});
