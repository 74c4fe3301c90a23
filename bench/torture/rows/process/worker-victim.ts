import { makeRandom, type Random } from "@varve/bytes";
import { isStorageError } from "@varve/contracts";
import { asyncWal } from "@varve/wal/async";
import { writeSync } from "node:fs";
import { flushCompileCache } from "node:module";
import { setImmediate, setTimeout } from "node:timers/promises";
import type { Worker } from "node:worker_threads";
import { type NumberedStore, openNumberedLog } from "../content/numbered-log.ts";
import { WORDS } from "./victim.ts";
import { DEADLINE_MS, DRAIN_MS_MAX, type WorkerOrder } from "./worker-death.ts";

/** A process whose log loses its worker, or has a slow disk. It goes on until it is told, and says how long that took. */
const BATCHES_MAX = 600;
const BATCHES_AFTER = 20;
const SLOW_BATCHES = 600;
/** A log that has failed answers at once; this is for a machine that is busy. */
const AT_ONCE_MS = 2000;

let worker: Worker | null = null;
process.once("worker", (made: Worker) => (worker = made));
flushCompileCache();
process.stdin.once("data", (text: Buffer) => void work(JSON.parse(text.toString()) as WorkerOrder));
process.stdin.on("end", () => process.kill(process.pid, "SIGKILL"));

async function work(order: WorkerOrder): Promise<void> {
  try {
    await (order.death === "slow" ? slow(order) : dying(order));
    say("end");
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    say(`broken ${text.replaceAll("\n", " ⏎ ")}`);
  }
  process.stdin.destroy();
}

async function dying({ dir, seed, death, at, exits }: WorkerOrder): Promise<void> {
  const random = makeRandom(seed);
  const store = await open(dir, DRAIN_MS_MAX, "block");
  say(`found ${store.last}`);
  const failure = await failureOf(store, random, (batch) => {
    if (death !== "terminate" || batch !== at) return;
    void worker!.terminate();
    if (exits) process.exit(0);
  });
  if (exits) process.exit(0);
  say(`failed ${failure}`);
  await refuses("append", () => store.write(store.marks.accepted + 1), AT_ONCE_MS);
  await refuses("commit", () => store.commit(), AT_ONCE_MS);
  sayMarks(store);
  await within("close", DEADLINE_MS, async () => store.close().catch(checkTyped));
  const again = await open(dir, DRAIN_MS_MAX, "block");
  say(`found ${again.last}`);
  for (let i = 1; i <= BATCHES_AFTER; i += 1) offer(again, again.last + i);
  await again.close();
  say(`closed ${again.last + BATCHES_AFTER}`);
}

/** Writes until the log refuses, and answers with what. */
async function failureOf(
  store: NumberedStore,
  random: Random,
  before: (batch: number) => void,
): Promise<string> {
  for (let batch = store.last + 1; batch <= BATCHES_MAX; batch += 1) {
    before(batch);
    try {
      await within("append", DEADLINE_MS, async () => offer(store, batch));
      const draw = random.unit();
      if (draw < 0.06) await within("commit", DEADLINE_MS, async () => store.commit());
      else if (draw < 0.08) {
        await within("tidy", DEADLINE_MS, async () => store.tidy(random, () => undefined));
      } else if (draw < 0.3) await setImmediate();
    } catch (error) {
      sayMarks(store);
      return checkTyped(error);
    }
    sayMarks(store);
  }
  throw new Error(`${BATCHES_MAX} batches were accepted, and nothing was told`);
}

async function slow({ dir, onFull }: WorkerOrder): Promise<void> {
  const store = await open(dir, undefined, onFull);
  say(`found ${store.last}`);
  let refused = 0;
  let longestMs = 0;
  for (let batch = 1; batch <= SLOW_BATCHES; batch += 1) {
    const begin = performance.now();
    while (!tries(store, batch)) {
      refused += 1;
      await setTimeout(20);
    }
    longestMs = Math.max(longestMs, performance.now() - begin);
    sayMarks(store);
  }
  await store.commit();
  sayMarks(store);
  await store.close();
  say(`closed ${SLOW_BATCHES}`);
  if (longestMs < 500) throw new Error(`the ring was never full: at most ${longestMs} ms a batch`);
  if (refused > 0 !== (onFull === "reject")) throw new Error(`${refused} refused, ${onFull}`);
}

/** False for a batch that the full ring refused. */
function tries(store: NumberedStore, batch: number): boolean {
  try {
    offer(store, batch);
    return true;
  } catch (error) {
    if (isStorageError(error, "WAL_BACKLOG")) return false;
    throw error;
  }
}

function open(
  dir: string,
  drainMsMax = 10_000,
  onFull: "block" | "reject",
): Promise<NumberedStore> {
  const sizes = { segmentBytesMax: 2 ** 17, groupBytesMax: 8000, ringBytesMax: 2 ** 15 };
  return openNumberedLog(
    dir,
    "async",
    asyncWal({ ...sizes, drainMsMax, onFull, writer: "worker" }),
  );
}

function offer(store: NumberedStore, batch: number): void {
  say(`offers ${batch}`);
  store.write(batch);
}

async function refuses(what: string, call: () => unknown, msMax: number): Promise<void> {
  let code = "";
  await within(what, msMax, async () => call()).catch(
    (error: unknown) => (code = checkTyped(error)),
  );
  if (code === "") throw new Error(`${what} after the failure was not refused`);
}

/** The code of an error that a log may answer with; anything else is thrown on. */
function checkTyped(error: unknown): string {
  if (isStorageError(error, "WAL_WORKER_LOST") || isStorageError(error, "POISONED")) {
    return error.code;
  }
  throw error;
}

async function within<T>(what: string, msMax: number, call: () => Promise<T>): Promise<T> {
  const begin = performance.now();
  try {
    return await call();
  } finally {
    const ms = performance.now() - begin;
    if (ms > msMax) say(`late ${what}: ${Math.round(ms)} ms, at most ${msMax}`);
  }
}

function sayMarks({ marks: { accepted, written, durable } }: NumberedStore): void {
  say(`marks ${accepted} ${written} ${durable}`);
}

function say(line: string): void {
  writeSync(WORDS, `${line}\n`);
}
