import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { environmentOf } from "../environment.ts";
import { optionsOf } from "../blocks/options.ts";
import { RecordFile, RecordReader } from "../blocks/records.ts";
import { runWorks } from "../blocks/run.ts";
import { TINY, WORKS } from "../blocks/spec.ts";
import { tableOf } from "../blocks/table.ts";

const dir = mkdtempSync(join(tmpdir(), "varve-bench-test-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test("every work on blocks runs tiny, checks what it read, and leaves no file", async () => {
  const said: string[] = [];
  const results = await runWorks({
    works: WORKS,
    sizes: TINY,
    seed: 7,
    dir,
    execArgv: ["--conditions=@varve/source"],
    onProgress: (text) => said.push(text),
  });
  expect(results.write).toMatchObject({ series: TINY.series, samples: TINY.series * TINY.samples });
  expect(results.decode?.map(({ values }) => values)).toEqual(["integers", "doubles"]);
  expect(results.select?.map(({ series }) => series)).toEqual([1, 10]);
  const { churn } = results;
  expect(churn?.rounds).toHaveLength(TINY.rounds);
  expect(churn?.rounds.at(-1)?.blocksRetired).toBeGreaterThan(0);
  expect(said).toContain(`churn ${TINY.rounds}/${TINY.rounds}`);
  expect(tableOf(results, environmentOf(7))).toContain("peak extra memory");
  expect(readdirSync(dir)).toEqual([]);
}, 120_000); // Eight processes, each of which reads sources: seconds, or half a minute on a busy machine.

test("a run that is stopped ends without results, and leaves no file", async () => {
  const stop = new AbortController();
  const results = await runWorks({
    works: ["write", "churn"],
    sizes: TINY,
    seed: 1,
    dir,
    execArgv: ["--conditions=@varve/source"],
    signal: stop.signal,
    onProgress: () => stop.abort(),
  });
  expect(results).toEqual({});
  expect(readdirSync(dir)).toEqual([]);
});

test("records of all lengths are read back as they were put, across many buffers", () => {
  const path = join(dir, "records");
  const lengths = Array.from({ length: 3000 }, (_, i) => (i * 7919) % 1000);
  lengths.push(65_535, 0, 65_535, 1);
  const file = new RecordFile(path);
  for (const [i, length] of lengths.entries()) {
    file.put(new Uint8Array(length + 2).fill(i), 1, length + 1);
  }
  file.close();
  const reader = new RecordReader(path);
  for (const [i, length] of lengths.entries()) {
    expect(reader.next()).toBe(true);
    const read = reader.bytes.subarray(reader.from, reader.until);
    expect(Buffer.compare(read, new Uint8Array(length).fill(i))).toBe(0);
  }
  expect(reader.next()).toBe(false);
  reader.close();
  rmSync(path);
});

test("flags that make no sense are refused, naming what is wrong", () => {
  expect(() => optionsOf(["--only", "write,rest"])).toThrow('there is no "rest"');
  expect(() => optionsOf(["--seed", "x"])).toThrow("a seed is an integer");
  expect(() => optionsOf(["--json", "/no/such/place.json"])).toThrow("is no directory");
  expect(() => optionsOf(["--fast"])).toThrow("--fast");
});

test("the command tells a bad flag in one line, and exits with 2", () => {
  const main = new URL("../blocks/main.ts", import.meta.url).pathname;
  const run = (): unknown =>
    execFileSync(process.execPath, ["--conditions=@varve/source", main, "--only", "x"], {
      stdio: "pipe",
      encoding: "utf8",
    });
  expect(run).toThrow(
    expect.objectContaining({ status: 2, stderr: expect.stringMatching(/^[^\n]+\n$/) }),
  );
});
