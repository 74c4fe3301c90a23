import { spawn, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { recommended } from "varve";
import { nameOf, freshDir, openStore, planWith } from "./helpers.ts";
import { asyncWal } from "@varve/wal/async";
import { syncWal } from "@varve/wal/sync";

/** A recent time: Prometheus drops samples beyond its retention. */
const START = Math.floor(Date.now() / 1000 - 600) * 1000;
const SERIES = 50;
const SAMPLES = 100;
const PLANS = {
  batched: recommended(),
  sync: planWith({ wal: syncWal() }),
  async: planWith({ wal: asyncWal() }),
};

for (const [name, plan] of Object.entries(PLANS)) {
  test(`promtool and Prometheus replay our ${name} log of refs with the same samples`, async (context) => {
    if (spawnSync("prometheus", ["--version"]).status !== 0) {
      context.skip("Debian's prometheus is not installed: no independent judge of the log");
    }
    const dir = freshDir();
    const expected = await fill(dir, plan);
    const copy = mkdtempSync(join(tmpdir(), "varve-prometheus-"));
    onTestFinished(() => rmSync(copy, { recursive: true, force: true }));
    mkdirSync(join(copy, "data"));
    cpSync(join(dir, "wal"), join(copy, "data", "wal"), { recursive: true });
    expect(dumped(join(copy, "data"))).toEqual(expected);
    expect(await served(copy)).toEqual(expected);
  }, 60_000);
}

type Samples = Map<string, [time: number, value: number][]>;

/** Writes over two openings, so that segments and a clean end are replayed. */
async function fill(dir: string, plan: ReturnType<typeof recommended>): Promise<Samples> {
  const expected: Samples = new Map();
  for (let opening = 0; opening < 2; opening += 1) {
    const store = await openStore({ dir, plan });
    for (let i = 0; i < SAMPLES; i += 1) {
      for (let series = 0; series < SERIES; series += 1) {
        const labels = { __name__: "m", series: String(series), text: `"quoted" \\ é 😀` };
        const time = START + (opening * SAMPLES + i) * 1000;
        const value = series % 2 === 0 ? i : Math.sin(i * series);
        store.write(labels, time, value);
        const name = nameOf(labels);
        if (!expected.has(name)) expected.set(name, []);
        expected.get(name)!.push([time, value]);
      }
    }
    await store.close();
  }
  return expected;
}

/** What `promtool tsdb dump` prints: `{labels} value time` a line. */
function dumped(data: string): Samples {
  const { stdout, stderr, status } = spawnSync("promtool", ["tsdb", "dump", data], {
    encoding: "utf8",
    maxBuffer: 2 ** 28,
  });
  expect(stderr.replace(/^.*level=(info|debug).*$/gm, "").trim()).toBe("");
  expect(status).toBe(0);
  const samples: Samples = new Map();
  for (const line of stdout.split("\n")) {
    const match = /^(\{.*\}) (\S+) (\d+)$/.exec(line);
    if (match === null) continue;
    const labels = Object.fromEntries(
      [...match[1]!.matchAll(/(\w+)=("(?:[^"\\]|\\.)*")/g)].map(([, name, value]) => [
        name,
        JSON.parse(value!),
      ]),
    );
    const name = nameOf(labels);
    if (!samples.has(name)) samples.set(name, []);
    samples.get(name)!.push([Number(match[3]), Number(match[2])]);
  }
  return samples;
}

/** What a Prometheus server answers that has only the log to go by. */
async function served(dir: string): Promise<Samples> {
  const port = await freePort();
  const config = join(dir, "prometheus.yml");
  spawnSync("sh", ["-c", `echo 'global: {}' > '${config}'`]);
  const server = spawn("prometheus", [
    `--config.file=${config}`,
    `--storage.tsdb.path=${join(dir, "data")}`,
    "--storage.tsdb.retention.time=100y",
    `--web.listen-address=127.0.0.1:${port}`,
  ]);
  let log = "";
  server.stderr.on("data", (text: Buffer) => (log += text.toString()));
  onTestFinished(() => void server.kill("SIGKILL"));
  await waitUntilReady(port, () => log);
  const query = `m[${Math.ceil((Date.now() - START) / 1000 + 60)}s]`;
  const response = await fetch(
    `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(query)}&time=${Math.ceil(Date.now() / 1000)}`,
  );
  const answer = (await response.json()) as {
    data: { result: { metric: Record<string, string>; values: [number, string][] }[] };
  };
  server.kill("SIGKILL");
  expect(log).not.toMatch(/level=(warn|error)/);
  return new Map(
    answer.data.result.map(({ metric, values }) => [
      nameOf(metric),
      values.map(([seconds, value]) => [Math.round(seconds * 1000), Number(value)]),
    ]),
  );
}

async function waitUntilReady(port: number, log: () => string): Promise<void> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const ready = await fetch(`http://127.0.0.1:${port}/-/ready`).then(
      (response) => response.ok,
      () => false,
    );
    if (ready) return;
    if (Date.now() > deadline) throw new Error(`Prometheus is not ready after 30 s:\n${log()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() =>
        resolve(typeof address === "object" && address !== null ? address.port : 0),
      );
    });
  });
}
