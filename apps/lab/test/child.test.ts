import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runChild } from "../src/cell/child.ts";
import type { CellSpec } from "../src/cell/spec.ts";

const SPEC: CellSpec = {
  id: "tiny",
  plan: {},
  workload: { kind: "new", rows: 100 },
  measure: { rounds: 1, warmupRounds: 0 },
};
const DEADLINE_MS = 20_000;

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "lab-test-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const CRASH = fileURLToPath(new URL("./children/crash.ts", import.meta.url));
const HANG = fileURLToPath(new URL("./children/hang.ts", import.meta.url));

test("runs a cell in a process of its own and hands back its result", async () => {
  const result = await runChild({
    spec: SPEC,
    repeat: 2,
    dir: join(dir, "cell"),
    deadlineMs: DEADLINE_MS,
  });
  expect(result).toMatchObject({ status: "ok", spec: SPEC, gate: { passed: true } });
  expect(result?.rounds.map(({ repeat }) => repeat)).toEqual([2]);
  expect(result?.peakRssBytes).toBeGreaterThan(0);
});

test("fails a cell whose child crashes, with what it said last, and removes its stores", async () => {
  const stores = join(dir, "cell");
  mkdirSync(stores);
  writeFileSync(join(stores, "left-behind"), "");
  const result = await runChild({
    spec: SPEC,
    repeat: 0,
    dir: stores,
    deadlineMs: DEADLINE_MS,
    program: CRASH,
  });
  expect(result).toMatchObject({ status: "failed", rate: null });
  expect(result?.reasons).toEqual(["the process ended with code 3: the disk is on fire"]);
  expect(existsSync(stores)).toBe(false);
});

test("kills a child at its deadline and fails the cell", async () => {
  const result = await runChild({
    spec: SPEC,
    repeat: 0,
    dir: join(dir, "cell"),
    deadlineMs: 500,
    program: HANG,
  });
  expect(result).toMatchObject({
    status: "failed",
    reasons: ["took longer than 0.5 s and was killed"],
  });
});

test("answers null when it is stopped before there is a result", async () => {
  const stop = new AbortController();
  const spec: CellSpec = { ...SPEC, workload: { kind: "ingest", rows: 2_000_000 } };
  const running = runChild({
    spec,
    repeat: 0,
    dir: join(dir, "cell"),
    deadlineMs: DEADLINE_MS,
    signal: stop.signal,
  });
  stop.abort();
  expect(await running).toBeNull();
});
