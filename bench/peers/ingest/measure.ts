import type { Labels } from "@varve/contracts";
import { setImmediate as turn } from "node:timers/promises";
import { expectedOf, planOf } from "./plan.ts";
import type { Found, IngestStore } from "./store.ts";
import { type Rounds, type Stretch, stretchesOf } from "./stretches.ts";
import type { TurnReport, TurnSpec } from "./turn.ts";
import { isRefIngest, type Way, WORKS } from "./works.ts";

/** Transactions after which the event loop has a turn, so that timers run as they do in a program. */
const TURN_EVERY = 8;

type Write = (rows: Stretch) => void | Promise<void>;

/**
 * Does a work once in an empty store, and times it. Throws when the store holds something else afterwards than was written: a
 * figure counts only for work that was done.
 */
export async function measureTurn(
  { work, store: name, sizes, dir }: TurnSpec,
  open: (name: TurnSpec["store"], dir: string) => Promise<IngestStore>,
): Promise<TurnReport> {
  const plan = await planOf(work, sizes, name);
  const { labels, timed } = plan;
  const expected = expectedOf(plan);
  await using store = await open(name, dir);
  const { about, durability } = store;
  if (plan.isLoaded) {
    await writeAll(plan.before, writerOf(store, "labels", labels));
    await store.prepare(labels);
    await store.settle();
  }
  globalThis.gc?.();
  const write = writerOf(store, WORKS[work].way, labels);
  const start = performance.now();
  if (isRefIngest(work)) await store.prepare(labels);
  await writeAll(timed, write);
  await store.settle();
  const seconds = (performance.now() - start) / 1000;
  check(await store.found(plan.origin), expected);
  return { rows: timed.series * timed.rounds, seconds, about, durability };
}

async function writeAll(rounds: Rounds, write: Write): Promise<void> {
  let count = 0;
  for (const rows of stretchesOf(rounds)) {
    const pending = write(rows);
    if (pending !== undefined) await pending;
    count += 1;
    if (count % TURN_EVERY === 0) await turn();
  }
}

function writerOf(store: IngestStore, way: Way, labels: readonly Labels[]): Write {
  switch (way) {
    case "labels":
      return (rows) => store.writeLabels(labels, rows);
    case "handles":
      return (rows) => store.writeHandles(rows);
    case "batch":
      return (rows) => store.writeBatch(rows);
  }
}

/** Throws unless the store holds what was written. */
function check(found: Found, expected: Found): void {
  const names = {
    series: "series",
    sampled: "series with samples",
    samples: "samples",
    times: "as the sum of times",
    values: "as the sum of values",
  } as const satisfies Record<keyof Found, string>;
  for (const [key, name] of Object.entries(names) as [keyof Found, string][]) {
    if (found[key] === expected[key]) continue;
    throw new Error(`holds ${found[key]} ${name}, and ${expected[key]} were written`);
  }
}
