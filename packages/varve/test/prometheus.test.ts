import { fork } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { recommended } from "varve";
import {
  bitsOf,
  type Content,
  contentOf,
  freshDir,
  nameOf,
  openStore,
  planWith,
} from "./helpers.ts";
import * as killed from "./killed-rows.ts";
import { startPrometheus } from "./prometheus-server.ts";
import { dumped, HAS_PROMETHEUS, PROMETHEUS_MISSING } from "./promtool.ts";
import { asyncWal } from "@varve/wal/async";
import { syncWal } from "@varve/wal/sync";

/** A recent time: Prometheus drops samples beyond its retention. */
const START = Math.floor(Date.now() / 1000 - 600) * 1000;
const SERIES = 50;
const SAMPLES = 100;
/** Rows after which a writer is killed. */
const KILLED_ROWS = 1000;
const PLANS = {
  batched: recommended(),
  sync: planWith({ wal: syncWal() }),
  async: planWith({ wal: asyncWal() }),
};

for (const [name, plan] of Object.entries(PLANS)) {
  test.skipIf(!HAS_PROMETHEUS)(
    `promtool and Prometheus replay our ${name} log of refs with the same samples${PROMETHEUS_MISSING}`,
    async () => {
      const dir = freshDir();
      await expectReplayed(dir, await fill(dir, plan));
    },
    60_000,
  );

  test.skipIf(!HAS_PROMETHEUS)(
    `and after its writer was killed, our recovery and a close, they replay the ${name} log${PROMETHEUS_MISSING}`,
    async () => {
      const dir = freshDir();
      const durable = await writeUntilKilled(dir, name);
      const store = await openStore({ dir, plan });
      expect(store.recovery.wal.unclean).toBe(true);
      const found = store.recovery.samples;
      expect(found).toBeGreaterThanOrEqual(durable);
      const expected = killedRows(found);
      expect(await contentOf(store)).toEqual(expected);
      // What the recovered store logs goes on behind what it found.
      for (let series = 0; series < killed.SERIES; series += 1) {
        const time = START + found * 1000;
        store.write(killed.labelsOf(series), time, 0.5);
        expected.get(nameOf(killed.labelsOf(series)))!.push([time, bitsOf(0.5)]);
      }
      await store.close();
      await expectReplayed(dir, expected);
    },
    60_000,
  );
}

/** Gives a copy of the log to promtool and to a server, and compares what they have read with what is expected. */
async function expectReplayed(dir: string, expected: Content): Promise<void> {
  const data = freshDir();
  mkdirSync(data);
  cpSync(join(dir, "wal"), join(data, "wal"), { recursive: true });
  expect(dumped(data)).toEqual(expected);
  const server = await startPrometheus({ data });
  const last = Math.max(...[...expected.values()].map((samples) => samples.at(-1)![0]));
  const now = Math.max(last, Math.ceil(Date.now() / 1000) * 1000);
  const range = Math.ceil((now - START) / 1000 + 60);
  expect(await server.query(`m[${range}s]`, now)).toEqual(expected);
  expect(server.log()).not.toMatch(/level=(warn|error)/);
}

/** Has a process write a log, and kills it in the middle. Answers how many rows it had said to be durable. */
async function writeUntilKilled(dir: string, log: string): Promise<number> {
  const child = fork(join(import.meta.dirname, "killed-writer.ts"), [dir, log, String(START)], {
    execArgv: ["--conditions=@varve/source"],
  });
  let durable = 0;
  child.on("message", (rows: number) => {
    durable = rows;
    if (rows > KILLED_ROWS) child.kill("SIGKILL");
  });
  const [, signal] = (await once(child, "exit")) as [number | null, string | null];
  expect(signal).toBe("SIGKILL");
  return durable;
}

/** The first `count` rows that the killed process wrote. */
function killedRows(count: number): Content {
  const content: Content = new Map();
  for (let row = 0; row < count; row += 1) {
    const name = nameOf(killed.labelsOf(row % killed.SERIES));
    if (!content.has(name)) content.set(name, []);
    const time = START + Math.floor(row / killed.SERIES) * 1000;
    content.get(name)!.push([time, bitsOf(killed.valueOf(row))]);
  }
  return content;
}

/** Writes over two openings, so that segments and a clean end are replayed. */
async function fill(dir: string, plan: ReturnType<typeof recommended>): Promise<Content> {
  const expected: Content = new Map();
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
        expected.get(name)!.push([time, bitsOf(value)]);
      }
    }
    await store.close();
  }
  return expected;
}
