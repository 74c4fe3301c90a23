import { type Engine, type EngineOptions, open, recommended } from "varve";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { foundIn } from "../peers/ingest/varve.ts";

/** First time of every series, in milliseconds since the epoch: the beginning of a window of two hours. */
export const FIRST_MS = 1_700_006_400_000;
/** Rows after which the event loop has a turn, so that timers run as they do in a program. */
export const SLICE_ROWS = 1000;

/** What has been written: what a store has to hold. Times count from `FIRST_MS`. */
export interface Written {
  series: number;
  samples: number;
  times: number;
  values: number;
}

/** Opens an empty store as `recommended()` has it, every other option at its default. */
export function openStore(dir: string, options: Partial<EngineOptions> = {}): Promise<Engine> {
  return open({ dir: join(dir, "store"), plan: recommended(), ...options });
}

export function nothingWritten(): Written {
  return { series: 0, samples: 0, times: 0, values: 0 };
}

/** Counts `count` samples of one time and value. */
export function countWritten(into: Written, count: number, time: number, value: number): void {
  into.samples += count;
  into.times += count * (time - FIRST_MS);
  into.values += count * value;
}

/** Waits, as any program does that lets its event loop turn, until all is written to files. No sync is asked for. */
export async function settle(engine: Engine): Promise<void> {
  while (engine.stats().rowsOpen > 0) await turn();
  for (let { marks } = engine; marks.written < marks.accepted; { marks } = engine) await turn();
}

/** Throws unless a store holds each series and sample that was written, with its time and value. */
export async function verify(engine: Engine, written: Written): Promise<void> {
  const { sampled, ...found } = await foundIn(engine, FIRST_MS);
  const expected = { ...written, sampled: written.series };
  for (const [name, count] of Object.entries(expected)) {
    const held = { ...found, sampled }[name as keyof typeof expected];
    if (held === count) continue;
    throw new Error(`the store holds ${held} as ${name}, and ${count} were written`);
  }
}
