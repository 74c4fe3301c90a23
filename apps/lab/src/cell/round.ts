import type { Engine, TimingReport } from "@varve/engine";
import { countersBetween, statsNow } from "./counters.ts";
import { GcWatch, heapBytesOf } from "./gc-watch.ts";
import type { CellCounters, CellRound } from "./result.ts";
import type { CellInput } from "./rows.ts";
import type { FullCellSpec } from "./spec.ts";
import { makeTarget, plainWriter, timedWriter, writeAll, type WriteTarget } from "./write-rows.ts";

/** What a round needs besides an open, empty engine. */
export interface RoundContext {
  readonly spec: FullCellSpec;
  readonly input: CellInput;
  readonly signal?: AbortSignal;
}

/** What the rate of a round came to. */
export interface RateRound {
  readonly round: Omit<CellRound, "repeat">;
  readonly counters: CellCounters;
  readonly timing: TimingReport | null;
  readonly linearBytesPerRow: number;
  /** Most that was resident until then. */
  readonly peakRssBytes: number;
  /** Facts that a figure does not survive, found without reading the rows back. */
  readonly problems: readonly string[];
}

/** What a round that is not drained says of it. */
const NOT_DRAINED = { sealed: 0, persisted: 0 };

/** Rows between two turns of the event loop: a whole number of calls. */
export function rowsPerTurn(spec: FullCellSpec): number {
  const { yieldEveryRows, batchRows } = spec.workload;
  const perCall = Math.max(1, batchRows);
  return Math.max(1, Math.floor(yieldEveryRows / perCall)) * perCall;
}

/** Writes the rows against the clock, read twice: once at the start, once after the last call, once after `flush`. */
export async function rateRound(
  context: RoundContext,
  engine: Engine,
  { persistent }: { readonly persistent: boolean },
): Promise<RateRound> {
  const { spec, input, signal } = context;
  const target = await prepare(context, engine);
  const rows = input.timed;
  const write = plainWriter(target, rows);
  const every = rowsPerTurn(spec);
  using gc = new GcWatch();
  globalThis.gc?.();
  engine.resetTiming();
  const before = statsNow(engine);

  const start = performance.now();
  await writeAll(write, rows.length, { every, signal });
  const accepted = performance.now();
  await engine.flush();
  const flushed = performance.now();

  const after = statsNow(engine);
  const timing = engine.timing();
  const problems = check(context, engine, persistent);
  const collected = await gc.between(start, flushed);
  const drainStart = performance.now();
  const drained = spec.measure.drain
    ? await engine.maintain(Number.POSITIVE_INFINITY)
    : NOT_DRAINED;
  const drainSeconds = (performance.now() - drainStart) / 1000;
  target.batch?.[Symbol.dispose]();
  const seconds = (flushed - start) / 1000;
  const acceptedSeconds = (accepted - start) / 1000;
  return {
    round: {
      rows: rows.length,
      seconds,
      acceptedSeconds,
      rowsPerSecond: rows.length / seconds,
      acceptedPerSecond: rows.length / acceptedSeconds,
      drainSeconds,
      drained: { sealed: drained.sealed, persisted: drained.persisted },
      gc: collected,
    },
    counters: countersBetween(before, after),
    timing,
    linearBytesPerRow: (after.memory.bytesTaken - before.memory.bytesTaken) / rows.length,
    peakRssBytes: process.resourceUsage().maxRSS * 1024,
    problems,
  };
}

/** Writes the rows with each call timed, in microseconds, and flushes. */
export async function latencyRound(context: RoundContext, engine: Engine): Promise<Float64Array> {
  const { spec, input, signal } = context;
  const target = await prepare(context, engine);
  const micros = new Float64Array(Math.ceil(input.timed.length / target.rowsPerCall));
  const write = timedWriter(target, input.timed, micros);
  globalThis.gc?.();
  await writeAll(write, input.timed.length, { every: rowsPerTurn(spec), signal });
  await engine.flush();
  target.batch?.[Symbol.dispose]();
  return micros;
}

/** Writes the rows and returns the bytes that were allocated on the heap for each. */
export async function allocationRound(context: RoundContext, engine: Engine): Promise<number> {
  const { spec, input, signal } = context;
  const target = await prepare(context, engine);
  const write = plainWriter(target, input.timed);
  globalThis.gc?.();
  const bytes = await heapBytesOf(async () => {
    await writeAll(write, input.timed.length, { every: rowsPerTurn(spec), signal });
    await engine.flush();
  });
  target.batch?.[Symbol.dispose]();
  return bytes / input.timed.length;
}

/** Writes what is to be there before the clock starts, and prepares labels and batch. */
async function prepare(context: RoundContext, engine: Engine): Promise<WriteTarget> {
  const { spec, input, signal } = context;
  const target = makeTarget(spec, engine, input);
  await writeAll(plainWriter(target, input.before), input.before.length, {
    every: rowsPerTurn(spec),
    signal,
  });
  await engine.flush();
  return target;
}

/** What is known at once: how many series there are, and whether `flush` did what it says. */
function check({ input }: RoundContext, engine: Engine, persistent: boolean): string[] {
  const problems: string[] = [];
  const { series, rowsOpen } = engine.stats();
  if (series !== input.seriesCount) {
    problems.push(`the index holds ${series} series, ${input.seriesCount} were written`);
  }
  const { accepted, durable } = engine.marks;
  if (persistent && durable !== accepted)
    problems.push(`flush returned with ${accepted - durable} batches not durable`);
  if (rowsOpen !== 0) problems.push(`flush returned with ${rowsOpen} rows not logged`);
  return problems;
}
