import { CPU_FIELDS, devopsSeries } from "@varve/workload";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { missingPrometheus, Prometheus } from "../prometheus.ts";
import {
  countWritten,
  FIRST_MS,
  nothingWritten,
  openStore,
  verify,
  type Written,
} from "../store.ts";
import type { Figures, TurnContext, Work } from "../work.ts";

const BATCH_ROWS = 1000;
/** Time that all samples lie in, in milliseconds: less than a window of blocks, so that nobody cuts one. */
const SPAN_MS = 75 * 60_000;

/** What was written, beside the log. */
const FACTS = "written.json";

/** How long the same log takes to be replayed. */
export const replay: Work = {
  about:
    "a log that our engine wrote in batches of 1,000, nothing of it in a checkpoint, in `sealed/` or in blocks, each time copied to an " +
    "empty directory; ours is the opening's replay, on one thread; that of Prometheus is the total_replay_duration it logs, on " +
    "all cores; the log is in the page cache",
  durability: "the log is durable before",
  tasks: () => [
    { id: "write", isPreparation: true },
    { id: "varve" },
    { id: "prometheus", isHere: true },
  ],
  rows: ({ replaySamples }) => [
    {
      what: `${(replaySamples / 1e6).toLocaleString("en")} M samples / Prometheus`,
      unit: "s",
      task: "varve",
      figure: "seconds",
      against: { task: "prometheus", figure: "seconds", ratio: "speedup", name: "Prometheus" },
      judged: "ratio",
      must: { op: ">=", limit: 2 },
      aim: { op: ">=", limit: 3 },
    },
    { what: "samples a second, varve", unit: "rows/s", task: "varve", figure: "rate" },
    { what: "samples a second, Prometheus", unit: "rows/s", task: "prometheus", figure: "rate" },
  ],
  missing: (task) => (task === "prometheus" ? missingPrometheus() : null),
  measure: async (task, context) => {
    switch (task) {
      case "write":
        return write(context);
      case "varve":
        return replayOurs(context);
      default:
        return replayTheirs(context);
    }
  },
};

async function write({ sizes, sharedDir }: TurnContext): Promise<Figures> {
  const { seed, replaySeries: series, replaySamples } = sizes;
  const rounds = Math.max(1, Math.round(replaySamples / series));
  const stepMs = Math.floor(SPAN_MS / rounds);
  const written = nothingWritten();
  written.series = series;
  const options = { maintainEveryMs: 0, walBytesMax: Number.MAX_SAFE_INTEGER };
  const engine = await openStore(sharedDir, options);
  const prepared = Array.from(devopsSeries({ seed, series }), (labels) => engine.labels(labels));
  using batch = engine.batch(BATCH_ROWS);
  for (let round = 0; round < rounds; round += 1) {
    const time = FIRST_MS + round * stepMs;
    for (let from = 0; from < series; from += BATCH_ROWS) {
      batch.clear();
      const until = Math.min(series, from + BATCH_ROWS);
      for (let i = from; i < until; i += 1) {
        const value = Math.imul(i + round, 0x9e3779b1) >>> 25;
        batch.add(prepared[i]!, time, value);
        countWritten(written, 1, time, value);
      }
      const { rejected } = engine.writeBatch(batch);
      if (rejected > 0) throw new Error(`${rejected} rows are refused`);
      await turn();
    }
  }
  await engine.close();
  const lastMs = FIRST_MS + (rounds - 1) * stepMs;
  writeFileSync(join(sharedDir, FACTS), JSON.stringify({ written, lastMs }));
  return {};
}

interface Facts {
  readonly written: Written;
  readonly lastMs: number;
}

function factsOf(sharedDir: string): Facts {
  return JSON.parse(readFileSync(join(sharedDir, FACTS), "utf8")) as Facts;
}

async function replayOurs({ dir, sharedDir }: TurnContext): Promise<Figures> {
  const { written } = factsOf(sharedDir);
  mkdirSync(join(dir, "store"));
  for (const name of ["FORMAT", "wal"]) {
    cpSync(join(sharedDir, "store", name), join(dir, "store", name), { recursive: true });
  }
  await using engine = await openStore(dir);
  const { series, samples, durationMs } = engine.recovery;
  if (series !== written.series || samples !== written.samples) {
    throw new Error(`the log told ${samples} samples of ${series} series`);
  }
  await verify(engine, written);
  return { seconds: durationMs / 1000, rate: (samples / durationMs) * 1000 };
}

async function replayTheirs({ dir, sharedDir, signal }: TurnContext): Promise<Figures> {
  const { written, lastMs } = factsOf(sharedDir);
  const data = join(dir, "data");
  mkdirSync(data);
  cpSync(join(sharedDir, "store", "wal"), join(data, "wal"), { recursive: true });
  await using server = await Prometheus.start(dir, data, signal);
  const seconds = server.replaySeconds;
  const held = await server.held(lastMs, CPU_FIELDS);
  for (const name of ["series", "samples", "values"] as const) {
    if (held[name] === written[name]) continue;
    throw new Error(`prometheus holds ${held[name]} as ${name}, and ${written[name]} were written`);
  }
  return { seconds, rate: written.samples / seconds };
}
