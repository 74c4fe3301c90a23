import { isStorageError } from "@varve/contracts";
import { flushCompileCache } from "node:module";
import { isMainThread, parentPort, Worker } from "node:worker_threads";
import { openNumberedEngine } from "../content/numbered-engine.ts";
import type { NumberedStore } from "../content/numbered-log.ts";
import type { LogName } from "./victim.ts";

/** Which of a process's threads opens. */
export type Thread = "main" | "worker";

/** What a racer is told. Racers of one process are told apart by their numbers. */
export type RacerOrder =
  | {
      readonly kind: "open";
      readonly racer: number;
      readonly thread: Thread;
      readonly dir: string;
      readonly log: LogName;
      /** When to open, in milliseconds since the epoch: all racers of a race begin at once. */
      readonly atMs: number;
    }
  | { readonly kind: "write" | "close"; readonly racer: number };

/** What a racer says of its opening, and that it has done what it was told. */
export type RacerWord =
  | { readonly kind: "won"; readonly racer: number; readonly pid: number; readonly last: number }
  | {
      readonly kind: "refused";
      readonly racer: number;
      readonly code: string;
      readonly pid: unknown;
      readonly host: unknown;
      readonly since: unknown;
      readonly message: string;
    }
  | { readonly kind: "done"; readonly racer: number }
  | { readonly kind: "failed"; readonly racer: number; readonly message: string };

/** Before its time a racer sleeps, and then looks at the clock until it has come, in milliseconds. */
const AWAKE_MS = 1;

/** A process that opens stores when it is told, in its main thread and, where it was started with one, in a worker. */
const stores = new Map<number, NumberedStore>();
const sleep = new Int32Array(new SharedArrayBuffer(4));
const inWorker = new Set<number>();
const worker =
  isMainThread && process.argv[2] === "worker" ? new Worker(new URL(import.meta.url)) : null;

if (isMainThread) {
  process.on("message", (orders: RacerOrder[]) => orders.forEach(deal));
  process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));
  flushCompileCache();
  if (worker === null) process.send!("ready");
  worker?.once("message", () => {
    worker.on("message", say);
    process.send!("ready");
  });
} else {
  parentPort!.on("message", (order: RacerOrder) => void follow(order));
  parentPort!.postMessage("ready");
}

function deal(order: RacerOrder): void {
  if (order.kind === "open" && order.thread === "worker") inWorker.add(order.racer);
  if (inWorker.has(order.racer)) worker!.postMessage(order);
  else void follow(order);
}

async function follow(order: RacerOrder): Promise<void> {
  const { racer } = order;
  try {
    if (order.kind === "open") {
      await race(order);
      return;
    }
    const store = stores.get(racer)!;
    if (order.kind === "write") {
      store.write(store.last + 1);
      await store.commit();
    } else {
      stores.delete(racer);
      await store.close();
    }
    say({ kind: "done", racer });
  } catch (error) {
    say({ kind: "failed", racer, message: textOf(error) });
  }
}

async function race({ racer, dir, log, atMs }: RacerOrder & { kind: "open" }): Promise<void> {
  waitUntil(atMs);
  try {
    const store = await openNumberedEngine(dir, log);
    stores.set(racer, store);
    say({ kind: "won", racer, pid: process.pid, last: store.last });
  } catch (error) {
    if (!isStorageError(error)) throw error;
    const { code, message } = error;
    const { pid, host, since } = error.facts;
    say({ kind: "refused", racer, code, pid, host, since, message });
  }
}

function waitUntil(atMs: number): void {
  const leftMs = (): number => atMs - performance.timeOrigin - performance.now();
  Atomics.wait(sleep, 0, 0, Math.max(0, leftMs() - AWAKE_MS));
  while (leftMs() > 0);
}

function say(word: RacerWord): void {
  if (isMainThread) process.send!(word, () => undefined);
  else parentPort!.postMessage(word);
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
