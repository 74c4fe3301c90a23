import { makeRandom } from "@varve/bytes";
import { isStorageError } from "@varve/contracts";
import { writeSync } from "node:fs";
import { flushCompileCache } from "node:module";
import { setImmediate } from "node:timers/promises";
import { Broken } from "../../row.ts";
import { type VictimOrder, WORDS } from "./victim.ts";
import type { NumberedStore } from "../content/numbered-log.ts";

/**
 * A process to be killed: opens a store, checks what it holds, and writes batches. What it says is in the kernel when
 * `say` returns, so that its death takes none of it back; a mark is said after the store has reached it.
 */
const open =
  process.argv[2] === "log"
    ? (await import("../content/numbered-log.ts")).openNumberedLog
    : (await import("../content/numbered-engine.ts")).openNumberedEngine;
flushCompileCache();
process.stdin.once("data", (text: Buffer) => void work(JSON.parse(text.toString()) as VictimOrder));
process.stdin.on("end", () => process.kill(process.pid, "SIGKILL"));
say("ready");

async function work(order: VictimOrder): Promise<void> {
  try {
    say("opening");
    await live(order);
    if (order.batches === null) return;
    await live({ ...order, batches: 0 });
    say("end");
    process.stdin.destroy();
  } catch (error) {
    const text = textOf(error).replaceAll("\n", " ⏎ ");
    if (error instanceof Broken) say(`broken ${error.fault} ${text}`);
    else if (isStorageError(error)) say(`failed ${error.code} ${text}`);
    else say(`broken wrong ${text}`);
  }
}

/** How often a store is tidied: a log rolls between two times, an engine has blocks to cut. */
const TIDYING: Readonly<Record<VictimOrder["what"], number>> = { log: 0.005, engine: 0.03 };

/** One opening: writes until it is killed, or so many batches. */
async function live(order: VictimOrder): Promise<void> {
  const { log, dir, batches } = order;
  const store = await open(dir, log);
  say(`found ${store.last} ${store.checkpoint}`);
  const last = batches === null ? Number.POSITIVE_INFINITY : store.last + batches;
  try {
    await write(store, order, last);
  } catch (error) {
    if (isStorageError(error, "WAL_SYNC") || isStorageError(error, "POISONED")) await insist(store);
    throw error;
  }
  await store.close();
  say(`closed ${last}`);
}

async function write(
  store: NumberedStore,
  { what, seed }: VictimOrder,
  last: number,
): Promise<void> {
  const random = makeRandom(seed);
  for (let batch = store.last + 1; batch <= last; batch += 1) {
    say(`offers ${batch}`);
    store.write(batch);
    sayMarks(store);
    const draw = random.unit();
    if (draw < 0.1) await store.commit();
    else if (draw < 0.1 + TIDYING[what]) await store.tidy(random, (until) => say(`cuts ${until}`));
    else if (draw < 0.5) await setImmediate();
    if (draw < 0.5) sayMarks(store);
  }
}

/** A log whose sync has failed takes nothing any more, and tries nothing again. */
async function insist(store: NumberedStore): Promise<void> {
  for (let i = 0; i < 3; i += 1) {
    let isRefused = false;
    const batch = store.marks.accepted + 1;
    say(`offers ${batch}`);
    try {
      store.write(batch);
      await store.commit();
    } catch (error) {
      if (!isStorageError(error)) throw error;
      isRefused = true;
    }
    if (!isRefused) throw new Broken("wrong", "a log whose sync has failed goes on");
  }
  await store.close().catch(() => undefined);
}

function sayMarks({ marks: { accepted, written, durable } }: NumberedStore): void {
  say(`marks ${accepted} ${written} ${durable}`);
}

function say(line: string): void {
  writeSync(WORDS, `${line}\n`);
}

function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error instanceof Broken ? error.message : (error.stack ?? error.message);
}
