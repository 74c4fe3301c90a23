import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { read, write } from "./helpers.ts";

const HAS_PROMTOOL = spawnSync("promtool", ["--version"]).status === 0;
const WHY = HAS_PROMTOOL ? "" : " (skipped: promtool is not installed)";
/** What promtool's linter ends with when it parsed everything and would like help texts. */
const LINT = 3;

const START = 1_700_000_000_000;
const SERIES = Array.from({ length: 20 }, (_, i) => ({
  labels: { __name__: `m_${i % 3}`, series: String(i), text: `"quoted" \\ é 😀\n\ue000` },
  times: Float64Array.from({ length: 50 }, (_, at) => START + at * 15_000 + i),
  values: Float64Array.from({ length: 50 }, (_, at) =>
    i % 2 === 0 ? at : Math.sin(at * i) * 1e-9,
  ),
})).sort((a, b) => (a.labels.__name__ < b.labels.__name__ ? -1 : 1));

test.skipIf(!HAS_PROMTOOL)(`promtool parses our Prometheus text${WHY}`, async () => {
  const latest = SERIES.map(({ labels, times, values }) => ({
    labels,
    times: times.slice(-1),
    values: values.slice(-1),
  }));
  const input = await write("prometheus", latest);
  const { status, stderr } = spawnSync("promtool", ["check", "metrics"], {
    input,
    encoding: "utf8",
  });
  expect(stderr).not.toContain("error while linting");
  expect([0, LINT]).toContain(status);
});

test.skipIf(!HAS_PROMTOOL)(
  `promtool makes blocks of our OpenMetrics that dump the same samples${WHY}`,
  async () => {
    const dir = mkdtempSync(join(tmpdir(), "varve-exposition-"));
    onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
    const text = await write("openmetrics", SERIES);
    writeFileSync(join(dir, "in.om"), text);
    const args = [
      "tsdb",
      "create-blocks-from",
      "openmetrics",
      join(dir, "in.om"),
      join(dir, "data"),
    ];
    const made = spawnSync("promtool", args, { encoding: "utf8" });
    expect(made.status, made.stderr).toBe(0);
    mkdirSync(join(dir, "data", "wal")); // Without one, dump reads nothing.
    const dump = spawnSync("promtool", ["tsdb", "dump", join(dir, "data")], { encoding: "utf8" });
    const theirs = dump.stdout
      .trimEnd()
      .split("\n")
      .map((line) => line.split(" ").slice(-2).join(" "));
    const { rows } = await read("openmetrics", text);
    const ours = SERIES.flatMap(({ times, values }) =>
      Array.from(times, (time, i) => [time, values[i]!]),
    );
    expect(rows.map(({ time }) => time)).toEqual(ours.map(([time]) => time));
    expect(theirs.map((line) => line.split(" ").map(Number).reverse()).sort(order)).toEqual(
      ours.sort(order),
    );
  },
);

function order(a: number[], b: number[]): number {
  return a[0]! - b[0]! || a[1]! - b[1]!;
}
