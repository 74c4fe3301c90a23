import { devopsSeries } from "@varve/workload";
import type { PreparedLabels, UserBatch } from "varve";
import { setImmediate as turn, setTimeout as sleep } from "node:timers/promises";
import { PauseWatch } from "../../blocks/pauses.ts";
import { quantile } from "../spin.ts";
import { countWritten, FIRST_MS, nothingWritten, openStore, verify } from "../store.ts";
import type { Figures, TurnContext, Unit, Work } from "../work.ts";

/** Time that a block covers, in milliseconds. */
const WINDOW_MS = 2 * 3_600_000;
const BATCH_ROWS = 1000;
/** Parts of the run, whose figures make a spread. */
const PARTS = 5;
/** Values go round: as many as fit into a few bits. */
const VALUES = 101;

/** Batches for minutes, while blocks are cut and merged and the log is cut beside. */
export const sustained: Work = {
  about:
    "batches of 1,000 prepared labels, filled and written, with an event-loop turn after each and maintenance as it is by default; " +
    "times are such that a window of blocks is complete every few seconds; rows come at the rate that --rate says; " +
    "one turn, whose fifths make the spread",
  durability: "written in groups, not synced for each batch",
  tasks: () => [{ id: "batches", turns: 1 }],
  rows: () => [
    {
      what: "P99.9 / median of a batch",
      unit: "x",
      task: "batches",
      figure: "ratio",
      parts: Array.from({ length: PARTS }, (_, i) => `ratio-${i + 1}`),
      must: { op: "<=", limit: 20 },
      aim: { op: "<=", limit: 5 },
    },
    shown("median of a batch", "µs", "p50"),
    shown("P99.9 of a batch", "µs", "p999"),
    shown("longest batch", "ms", "maxMs"),
    shown("rate", "rows/s", "rate"),
    { ...shown("blocks cut", "", "blocksCut"), must: { op: ">=", limit: 10 } },
    shown("windows written", "", "windows"),
    shown("pauses, P99.9", "ms", "pauseP999Ms"),
    shown("longest pause", "ms", "pauseMaxMs"),
    shown("most computed in a pause", "ms", "computedMaxMs"),
    shown("log bytes a row", "B", "logBytes"),
    shown("RSS after the first fifth", "MiB", "rssFirst"),
    shown("RSS at the end", "MiB", "rssLast"),
  ],
  measure,
};

function shown(what: string, unit: Unit, figure: string) {
  return { what, unit, task: "batches", figure } as const;
}

async function measure(_task: string, { sizes, dir }: TurnContext): Promise<Figures> {
  const { sustainedSeries: series, sustainedRate: rate, roundsPerWindow, seed } = sizes;
  const stepMs = Math.max(1, Math.round(WINDOW_MS / roundsPerWindow));
  const totalMs = sizes.minutes * 60_000;
  const written = nothingWritten();
  await using engine = await openStore(dir);
  const prepared = Array.from(devopsSeries({ seed, series }), (labels) => engine.labels(labels));
  using batch = engine.batch(BATCH_ROWS);
  const parts: number[][] = Array.from({ length: PARTS }, () => []);
  const watch = new PauseWatch();
  const rssAt: number[] = [];
  const start = performance.now();
  let part = 0;
  for (let round = 0; part < PARTS; round += 1) {
    const time = FIRST_MS + round * stepMs;
    const value = round % VALUES;
    for (let from = 0; from < series && part < PARTS; from += BATCH_ROWS) {
      const until = Math.min(series, from + BATCH_ROWS);
      const begin = performance.now();
      fill(batch, prepared, from, until, time, value);
      const { accepted } = engine.writeBatch(batch);
      const end = performance.now();
      if (accepted !== until - from) throw new Error(`${until - from - accepted} rows are refused`);
      // The first round makes the series.
      if (round > 0) parts[part]!.push((end - begin) * 1000);
      countWritten(written, accepted, time, value);
      const ahead = rate === 0 ? 0 : (written.samples / rate) * 1000 - (end - start);
      await (ahead > 1 ? sleep(Math.floor(ahead)) : turn());
      const now = Math.floor(((performance.now() - start) / totalMs) * PARTS);
      for (; part < now && part < PARTS && round > 0; part += 1) {
        rssAt.push(process.memoryUsage.rss());
      }
    }
  }
  const seconds = (performance.now() - start) / 1000;
  const pauses = watch.stop();
  const { blocks, wal, maintenanceFailure } = engine.stats();
  if (maintenanceFailure !== null) throw new Error(`maintenance failed: ${maintenanceFailure}`);
  written.series = series;
  await verify(engine, written);
  return {
    ...batchFigures(parts),
    rate: written.samples / seconds,
    blocksCut: blocks.blocksCut ?? 0,
    logBytes: wal.framedBytes / written.samples,
    windows: Math.floor(written.samples / series / roundsPerWindow),
    pauseP999Ms: pauses.p999Ms,
    pauseMaxMs: pauses.maxMs,
    computedMaxMs: pauses.computedMaxMs,
    rssFirst: rssAt[0]! / 2 ** 20,
    rssLast: rssAt.at(-1)! / 2 ** 20,
  };
}

/** By itself: an asynchronous function makes an object of every number. */
function fill(
  batch: UserBatch,
  prepared: readonly PreparedLabels[],
  from: number,
  until: number,
  time: number,
  value: number,
): void {
  batch.clear();
  for (let i = from; i < until; i += 1) batch.add(prepared[i]!, time, value);
}

function batchFigures(parts: readonly number[][]): Figures {
  const figures: Record<string, number> = {};
  for (const [i, part] of parts.entries()) {
    const sorted = Float64Array.from(part).sort();
    if (sorted.length > 0) {
      figures[`ratio-${i + 1}`] = quantile(sorted, 0.999) / quantile(sorted, 0.5);
    }
  }
  const all = Float64Array.from(parts.flat()).sort();
  const [p50, p999] = [quantile(all, 0.5), quantile(all, 0.999)];
  return { ...figures, p50, p999, ratio: p999 / p50, maxMs: all.at(-1)! / 1000 };
}
