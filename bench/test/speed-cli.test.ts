import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { main } from "../speed/cli.ts";
import type { SpeedRow } from "../speed/rows.ts";
import { interruptAt, runHere, startProgram } from "./peers-process.ts";

const MAIN = fileURLToPath(new URL("../speed/main.ts", import.meta.url));
/** Time for a run of many processes on a busy machine, in milliseconds. */
const RUN_MS = 180_000;

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "speed-cli-"));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

interface Report {
  readonly command: string;
  readonly interrupted: boolean;
  readonly repeats: number;
  readonly environment: { readonly seed: number };
  readonly rows: readonly SpeedRow[];
  readonly turns: readonly { readonly work: string; readonly figures: readonly object[] }[];
}

function readReport(file: string): Report {
  return JSON.parse(readFileSync(file, "utf8")) as Report;
}

test(
  "measures each turn in a process of its own, and writes all of it",
  async () => {
    const file = join(dir, "limits.json");
    const args = ["--tiny", "--only", "limits", "--seed", "7", "--json", file, "--dir", dir];
    const { code, stdout, stderr } = await startProgram(MAIN, args).ended;
    expect(stderr).toMatch(/^\[5\/5\] limits, machine, repeat 5 \(after \d+ s\)$/m);
    expect(stdout).toMatch(/^ {2}a cache miss: one probe +[\d.]+ ns +±\d+ %$/m);
    expect(code).toBe(0);
    const { command, interrupted, repeats, environment, rows, turns } = readReport(file);
    expect({ interrupted, repeats, seed: environment.seed }).toEqual({
      interrupted: false,
      repeats: 5,
      seed: 7,
    });
    expect(command).toContain("--only limits");
    for (const row of rows) {
      expect(row).toMatchObject({ work: "limits", status: "ok", must: null, aim: null });
      expect(row.value).toBeGreaterThan(0);
      expect(row.values).toHaveLength(5);
    }
    expect(turns.map(({ figures }) => figures.length)).toEqual([5]);
    expect(readdirSync(dir).filter((name) => name.startsWith("varve-speed-"))).toEqual([]);
  },
  RUN_MS,
);

test(
  "ends at Ctrl-C with what was measured, removes its stores, and exits with 130",
  async () => {
    const file = join(dir, "interrupted.json");
    const args = [
      "--tiny",
      "--only",
      "limits",
      "--repeats",
      "100000",
      "--json",
      file,
      "--dir",
      dir,
    ];
    const { code, stdout } = await interruptAt("repeat 2 ", startProgram(MAIN, args));
    expect(code).toBe(130);
    expect(stdout).toContain("Interrupted");
    const { interrupted, rows } = readReport(file);
    expect(interrupted).toBe(true);
    expect(rows[0]).toMatchObject({ status: "interrupted" });
    expect(rows[0]!.values.length).toBeGreaterThanOrEqual(1);
    expect(readdirSync(dir).filter((name) => name.startsWith("varve-speed-"))).toEqual([]);
  },
  RUN_MS,
);

describe("answers what makes no sense with one line on stderr and exit code 2", () => {
  test.each([
    ["a work that does not exist", ["--only", "nope"], /there is no work "nope".*updates.*limits/],
    ["too few repeats", ["--repeats", "4"], /at least 5/],
    ["no minutes", ["--minutes", "0"], /positive number/],
    ["no samples", ["--replay-samples", "0"], /at least 1/],
    ["growth of nothing", ["--growth-max", "10000"], /--growth-max is at least 100000/],
    ["a flag that does not exist", ["--nope"], /unknown option '--nope'.*; see pnpm bench:speed/],
    ["a directory that is not there", ["--dir", "/no/dir"], /--dir \/no\/dir: .*no directory/],
    ["a report that cannot be written", ["--json", "/no/dir/x"], /--json \/no\/dir\/x/],
  ])("%s", async (_, args, reason) => {
    const { code, stdout, stderr } = await runHere(main, args);
    expect(stderr).toMatch(reason);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(stdout).toBe("");
    expect(code).toBe(2);
  });
});

test("explains itself with examples", async () => {
  const { code, stdout } = await runHere(main, ["--help"]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/Examples:\n {2}\$ pnpm bench:speed --json/);
  expect(stdout).toContain("--replay-samples <n>");
});
