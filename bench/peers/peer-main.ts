import { answerOf } from "@varve/lab";
import type { SampleQuery } from "@varve/workload";
import assert from "node:assert/strict";
import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { makeData } from "./data.ts";
import type { FromPeer, LoadReport, ToPeer, TurnReport } from "./messages.ts";
import { openPeer, type PeerStore, type StoreAnswer } from "./store.ts";
import { makeWork, type Work } from "./work.ts";

/** Longest that the queries of a kind are put before any counts, in milliseconds. */
const WARMUP_MS = 500;
/** What `stat` counts in. */
const STAT_BLOCK_BYTES = 512;

/** The process of one peer: holds its store, and does what the parent says. The parent ends it; Ctrl-C is for the parent. */
let store: PeerStore;
let works: readonly Work[] = [];
process.on("SIGINT", () => undefined);
process.on("disconnect", () => process.exit());
process.on("message", (message: ToPeer) => {
  void answerTo(message).then((answer) => process.send!(answer));
});

async function answerTo(message: ToPeer): Promise<FromPeer> {
  try {
    if (message.kind === "load") return { kind: "loaded", report: await load(message) };
    return { kind: "done", turn: await takeTurn(works[message.work]!.queries) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { kind: "failed", reason: reason.trim().split("\n")[0]! };
  }
}

async function load(message: ToPeer & { readonly kind: "load" }): Promise<LoadReport> {
  const { peer, dir, data: spec, work } = message;
  const { data, domain } = await makeData(spec);
  works = makeWork(work, domain);
  store = await openPeer(peer, dir);
  const start = performance.now();
  await store.load(data);
  const loadSeconds = (performance.now() - start) / 1000;
  for (const { queries } of works) await warmUp(queries);
  const { about, durability } = store;
  return { about, durability, loadSeconds, diskBytes: diskBytesOf(dir) };
}

async function warmUp(queries: readonly SampleQuery[]): Promise<void> {
  const end = performance.now() + WARMUP_MS;
  for (const query of queries) {
    await store.ask(query);
    if (performance.now() > end) return;
  }
}

/** Another process worked until now: one query that does not count brings ours back into the caches. */
async function takeTurn(queries: readonly SampleQuery[]): Promise<TurnReport> {
  globalThis.gc?.();
  await store.ask(queries[0]!);
  const turn = { timesMs: [] as number[], answers: [] as ReturnType<typeof answerOf>[] };
  for (const query of queries) {
    const start = performance.now();
    const answer = await store.ask(query);
    turn.timesMs.push(performance.now() - start);
    checkOrder(answer);
    turn.answers.push(answerOf(answer));
  }
  return turn;
}

/** A digest does not see in which order samples are. */
function checkOrder({ series }: StoreAnswer): void {
  for (const { times } of series) {
    for (let i = 1; i < times.length; i += 1) {
      assert(times[i]! > times[i - 1]!, "samples of a series are in the order of time");
    }
  }
}

function diskBytesOf(dir: string): number {
  const files = readdirSync(dir, { recursive: true, withFileTypes: true });
  return files
    .filter((file) => file.isFile())
    .map((file) => lstatSync(join(file.parentPath, file.name)).blocks * STAT_BLOCK_BYTES)
    .reduce((sum, bytes) => sum + bytes, 0);
}
