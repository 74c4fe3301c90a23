import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { planOf, refLabels } from "../peers/ingest/plan.ts";
import { findPromtool, parsePromtool, runPromtool } from "../peers/ingest/promtool.ts";
import { stretchesOf } from "../peers/ingest/stretches.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "peers-promtool-"));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(dir, { recursive: true, force: true });
});

const PRINTED = `>> completed stage=readData duration=356.228µs
>> completed stage=ingestScrapes duration=1m2.5s
 > total samples: 125000
 > samples/sec: 1999.9
>> completed stage=stopStorage duration=210.573463ms
`;

test("promtool is read as it prints", () => {
  expect(parsePromtool(PRINTED, 125_000)).toEqual({ rows: 125_000, seconds: 62.5 });
  const quick = PRINTED.replace("1m2.5s", "22.5ms").replace("1999.9", "5.56e+06");
  expect(parsePromtool(quick, 125_000).seconds).toBeCloseTo(0.0225, 9);
});

test.each([
  ["wrote fewer samples", PRINTED.replace("125000", "124999"), /wrote 124999 samples, and 125000/],
  ["printed no duration", PRINTED.replace("ingestScrapes", "other"), /did not print a duration/],
  ["printed another rate", PRINTED.replace("1999.9", "2500"), /says 2500 a second/],
  ["printed a duration of another kind", PRINTED.replace("1m2.5s", "1 min"), /says 1999.9 a/],
])("promtool has no figure when it %s", (_, printed, reason) => {
  expect(() => parsePromtool(printed, 125_000)).toThrow(reason);
});

test.each([
  ["scrapes that are not hundreds", 150, { job: "a" }, /by the hundred, and 150/],
  ["a label that it would take apart", 100, { job: "a,b" }, /misread the label job="a,b"/],
  ["a label of no value", 100, { job: "" }, /misread the label job=""/],
])("promtool is not asked for %s", async (_, scrapes, labels, reason) => {
  const turn = { version: "", labels: [labels], scrapes, dir };
  await expect(runPromtool(turn, new AbortController().signal)).rejects.toThrow(reason);
});

test("promtool is missing where there is none", () => {
  vi.stubEnv("PATH", dir);
  expect(findPromtool().missing).toMatch(/^there is no promtool here; install Prometheus/);
});

const here = findPromtool();
test.skipIf(here.missing !== null)("promtool writes the rows that varve writes", async () => {
  const seriesFile = join(dir, "labels.json");
  const line = (i: number): string => `{"job":"node","instance":"host-${i}","__name__":"up"}\n`;
  writeFileSync(seriesFile, [1, 2, 3].map(line).join(""));
  const sizes = { seed: 1, scrapes: 200, newSeries: 0, updates: null, seriesFile };
  const labels = await refLabels(sizes);
  const turn = { version: "", labels, scrapes: 200, dir };
  expect(await runPromtool(turn, new AbortController().signal)).toMatchObject({ rows: 600 });
  const storage = join(dir, "bench", "storage");
  const dump = spawnSync("promtool", ["tsdb", "dump", storage], { encoding: "utf8" });
  const { timed } = await planOf("ref-ingest", sizes, "varve");
  const expected = [...stretchesOf(timed)].flatMap(({ from, until, time, value }) =>
    labels.slice(from, until).map(({ instance }) => `${instance} ${value} ${time}`),
  );
  const theirs = dump.stdout.trim().split("\n");
  const rows = theirs.map((line) => {
    const [, instance, value, time] = /instance="([^"]+)".*\} (\S+) (\d+)$/.exec(line)!;
    return `${instance} ${Number(value)} ${time}`;
  });
  expect(rows.toSorted()).toEqual(expected.toSorted());
});
