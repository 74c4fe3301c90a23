import { makeRandom } from "@varve/bytes";
import { writeSync } from "node:fs";
import { flushCompileCache } from "node:module";
import { setImmediate } from "node:timers/promises";
import type { ExitOrder, ExitWay } from "./exit-ways.ts";
import type { NumberedStore } from "../content/numbered-log.ts";
import { WORDS } from "./victim.ts";

/**
 * A process that ends by itself with batches pending: opens a store, writes, says its marks after every batch, and leaves in
 * the way that it is told.
 */
const open =
  process.argv[2] === "log"
    ? (await import("../content/numbered-log.ts")).openNumberedLog
    : (await import("../content/numbered-engine.ts")).openNumberedEngine;
flushCompileCache();
const { stdin } = process;
stdin.once("data", (text: Buffer) => {
  (stdin as typeof stdin & { unref(): void }).unref(); // It may be all that is left at a natural end.
  void work(JSON.parse(text.toString()) as ExitOrder);
});
stdin.on("end", () => process.kill(process.pid, "SIGKILL")); // Whoever gave the order is gone.

async function work({ log, dir, seed, way }: ExitOrder): Promise<void> {
  const random = makeRandom(seed);
  const store = await open(dir, log);
  if (way === "hooks") store.handleSignals();
  let batch = store.last;
  const write = (): void => {
    batch += 1;
    say(`offers ${batch}`);
    store.write(batch);
    sayMarks(store);
  };
  const early = random.below(60);
  for (let i = 0; i < early; i += 1) {
    write();
    const draw = random.unit();
    if (draw < 0.05) await store.commit();
    else if (draw < 0.07) await store.tidy(random, () => undefined);
    else if (draw < 0.2) await setImmediate();
  }
  // Nothing gives way to the event loop from here on, so all that a turn of it would write is pending.
  const late = 20 + random.below(log === "sync" ? 30 : 150);
  for (let i = 0; i < late; i += 1) write();
  const pending = random.pick(["nothing", "commit", "close", "both"]);
  if (pending === "commit" || pending === "both") void store.commit().catch(() => undefined);
  if (pending === "both") {
    await setImmediate(); // A sync is on its way, for which the close has to wait.
    write();
  }
  if (pending === "close" || pending === "both") void store.close().catch(() => undefined);
  if (pending === "both" || random.chance(0.5)) await setImmediate();
  say("leaves");
  leave(way, random.pick(["SIGTERM", "SIGINT"]));
  // The signal is handled in a turn to come.
  while (way === "hooks") {
    if (pending === "nothing" || pending === "commit") write();
    await setImmediate();
  }
}

function leave(way: ExitWay, signal: NodeJS.Signals): void {
  if (way === "exit") process.exit(3);
  if (way === "throw") process.nextTick(() => raise());
  if (way === "reject") void Promise.reject(new Error("as planned"));
  if (way === "term") process.kill(process.pid, "SIGTERM");
  if (way === "hooks") process.kill(process.pid, signal);
  if (way === "kill") process.kill(process.pid, "SIGKILL");
  if (way === "abort") process.abort();
  if (way === "heap") fillHeap();
}

function raise(): never {
  throw new Error("as planned");
}

function fillHeap(): never {
  const hoard: unknown[] = [];
  for (;;) hoard.push(Array.from({ length: 1000 }, (_, i) => ({ i })));
}

function sayMarks({ marks: { accepted, written, durable } }: NumberedStore): void {
  say(`marks ${accepted} ${written} ${durable}`);
}

function say(line: string): void {
  writeSync(WORDS, `${line}\n`);
}
