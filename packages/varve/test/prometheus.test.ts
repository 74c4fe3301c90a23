import { cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { recommended } from "varve";
import { bitsOf, type Content, freshDir, nameOf, openStore, planWith } from "./helpers.ts";
import { startPrometheus } from "./prometheus-server.ts";
import { dumped, HAS_PROMETHEUS, PROMETHEUS_MISSING } from "./promtool.ts";
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
  test.skipIf(!HAS_PROMETHEUS)(
    `promtool and Prometheus replay our ${name} log of refs with the same samples${PROMETHEUS_MISSING}`,
    async () => {
      const dir = freshDir();
      const expected = await fill(dir, plan);
      const data = freshDir();
      mkdirSync(data);
      cpSync(join(dir, "wal"), join(data, "wal"), { recursive: true });
      expect(dumped(data)).toEqual(expected);
      const server = await startPrometheus({ data });
      const range = Math.ceil((Date.now() - START) / 1000 + 60);
      const now = Math.ceil(Date.now() / 1000) * 1000;
      expect(await server.query(`m[${range}s]`, now)).toEqual(expected);
      expect(server.log()).not.toMatch(/level=(warn|error)/);
    },
    60_000,
  );
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
