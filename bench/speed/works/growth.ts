import type { Labels } from "@varve/contracts";
import { devopsSeries } from "@varve/workload";
import type { Engine } from "varve";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { countWritten, FIRST_MS, nothingWritten, openStore, SLICE_ROWS, verify } from "../store.ts";
import type { Figures, RowSpec, TurnContext, Work } from "../work.ts";

/** Time between updates of a series, in milliseconds: short, so that no window of blocks is complete within a run. */
const STEP_MS = 10;
/** The linear memory of all sizes: as large as one can be. */
const MEMORY_BYTES = 65_535 * 65_536;
/** Series up to which costs have to stay within the factor. */
const JUDGED_SERIES = 1_000_000;
const FACTOR = 2;

const OPERATIONS = {
  new: "single new",
  labels: "update by labels",
  batch: "batch update",
} as const;
type Operation = keyof typeof OPERATIONS;
const NAMES = Object.keys(OPERATIONS) as Operation[];

/** What a row costs, by how many series there are. */
export const growth: Work = {
  about:
    "the whole of making so many series by single writes, then updates of all of them in their order, single ones by label object " +
    "and batches of 1,000 refs; a smaller store warms the code up, and few series are made in several stores one after the other; what " +
    "the event loop does between slices of 1,000 is outside of the clock",
  durability: "accepted",
  tasks: ({ growth: sizes }) => sizes.map((series) => ({ id: String(series) })),
  rows: ({ growth: sizes }) =>
    NAMES.flatMap((name) => sizes.map((series) => row(name, series, sizes))),
  measure,
};

function row(name: Operation, series: number, sizes: readonly number[]): RowSpec {
  const [least] = sizes;
  const value = {
    what: `${OPERATIONS[name]}, ${short(series)}`,
    unit: "ns",
    task: String(series),
    figure: name,
  } as const;
  if (series === least) return value;
  const against = {
    task: String(least),
    figure: name,
    ratio: "factor",
    name: short(least!),
  } as const;
  if (series > JUDGED_SERIES) return { ...value, against };
  return { ...value, against, judged: "ratio", must: { op: "<=", limit: FACTOR } };
}

function short(series: number): string {
  if (series >= 1e6) return `${series / 1e6} M`;
  return series >= 1e3 ? `${series / 1e3} K` : String(series);
}

async function measure(task: string, { sizes, dir }: TurnContext): Promise<Figures> {
  const series = Number(task);
  const labels = [...devopsSeries({ seed: sizes.seed, series })];
  const rounds = Math.max(1, Math.ceil(sizes.growthRows / series));
  await runStore(labels.slice(0, sizes.growth[0]), rounds, join(dir, "warm-up"));
  const sum: Record<Operation, number> = { new: 0, labels: 0, batch: 0 };
  for (let made = 0; made < rounds; made += 1) {
    const isLast = made === rounds - 1;
    // Only the last is updated: as often as others are made.
    const costs = await runStore(labels, isLast ? rounds : 0, join(dir, String(made)));
    for (const name of NAMES) sum[name] += costs[name];
  }
  const rows = rounds * series;
  return {
    new: perRow(sum.new, rows),
    labels: perRow(sum.labels, rows),
    batch: perRow(sum.batch, rows),
  };
}

function perRow(ms: number, rows: number): number {
  return (ms * 1e6) / rows;
}

/** Makes all series, updates them so often in each way, and returns milliseconds. */
async function runStore(
  labels: readonly Labels[],
  rounds: number,
  dir: string,
): Promise<Record<Operation, number>> {
  mkdirSync(dir);
  const engine = await openStore(dir, { memoryBytesMax: MEMORY_BYTES });
  const written = nothingWritten();
  written.series = labels.length;
  const costs: Record<Operation, number> = { new: 0, labels: 0, batch: 0 };
  let time = FIRST_MS;
  const writeAll = async (name: Operation, write: typeof writeSingle): Promise<void> => {
    for (let from = 0; from < labels.length; from += SLICE_ROWS) {
      const until = Math.min(labels.length, from + SLICE_ROWS);
      costs[name] += write(engine, labels, from, until, time);
      await turn();
    }
    countWritten(written, labels.length, time, 1);
    time += STEP_MS;
  };
  await writeAll("new", writeSingle);
  for (let round = 0; round < rounds; round += 1) await writeAll("labels", writeSingle);
  for (let round = 0; round < rounds; round += 1) await writeAll("batch", batchWriter(engine));
  await verify(engine, written);
  await engine.close();
  rmSync(dir, { recursive: true });
  return costs;
}

function writeSingle(
  engine: Engine,
  labels: readonly Labels[],
  from: number,
  until: number,
  time: number,
): number {
  const start = performance.now();
  for (let i = from; i < until; i += 1) engine.write(labels[i]!, time, 1);
  return performance.now() - start;
}

/** Refs count from 1 in the order in which series came. */
function batchWriter(engine: Engine): typeof writeSingle {
  const batch = engine.batch(SLICE_ROWS);
  const { rows } = batch;
  return (_engine, _labels, from, until, time) => {
    const start = performance.now();
    batch.clear();
    for (let i = from; i < until; i += 1) rows.refs[rows.add(time, 1)] = i + 1;
    const { rejected } = engine.writeBatch(batch);
    const ms = performance.now() - start;
    if (rejected > 0) throw new Error(`${rejected} rows are refused`);
    return ms;
  };
}
