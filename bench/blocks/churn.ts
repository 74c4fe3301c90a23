import { backgroundBlocks } from "@varve/block-manager/background";
import { CPU_FIELDS, type DevopsLabels, DEVOPS_START_MS, devopsSeries } from "@varve/workload";
import assert from "node:assert/strict";
import { setImmediate as nextTurn } from "node:timers/promises";
import { type Engine, open, recommended, type UserBatch } from "varve";
import { type Pauses, PauseWatch } from "./pauses.ts";
import type { ChurnResult, RoundResult } from "./results.ts";
import type { Job, Sizes } from "./spec.ts";

/** Time that a block covers, and a round: two hours, as is the default. */
const WINDOW_MS = 2 * 3_600_000;
/** Windows whose blocks retention keeps. */
const WINDOWS_KEPT = 3;
const BATCH_ROWS = 1000;
/** Rounds after which the store has all that it will ever hold at once. */
const ROUNDS_TO_SETTLE = 5;
/** Rounds before the first one that counts, and by how much they are smaller. */
const WARM_UP_ROUNDS = 6;
const WARM_UP_PARTS = 20;
/** Budget of a turn of maintenance between rounds, and most of them. */
const TURN_MS = 5;
const TURNS_MAX = 5000;
/** Turns in which nothing happens any more before maintenance counts as done. */
const QUIET_TURNS = 5;

/** Rounds of new series, each in the next window, so that older windows go to blocks and blocks go for good. */
export async function measureChurn(job: Job): Promise<ChurnResult> {
  const { dir, seed, sizes } = job;
  await warmUp(job);
  const store = await openChurn(`${dir}/churn`, sizes);
  const labels = devopsSeries({ seed, series: sizes.rounds * sizes.seriesPerRound });
  const rounds: RoundResult[] = [];
  const watch = new PauseWatch();
  for (let round = 0; round < sizes.rounds; round += 1) {
    rounds.push(await runRound(store, labels, round, sizes, watch));
    process.send?.({ kind: "progress", done: round + 1, total: sizes.rounds });
  }
  const pauses = watch.stop();
  await checkLast(store, sizes);
  await store.close();
  const last = rounds.at(-1)!;
  const settled = rounds[Math.min(ROUNDS_TO_SETTLE, rounds.length) - 1]!;
  const { seriesDropped } = last;
  const rssRatio = last.rss / settled.rss;
  const ratioBesideHeap = (last.rss - last.heapTotal) / (settled.rss - settled.heapTotal);
  return { rounds, rssRatio, ratioBesideHeap, seriesDropped, pauses };
}

/** The same, smaller, in a store of its own: a process that runs code for the first time compiles it first. */
async function warmUp({ dir, seed, sizes }: Job): Promise<void> {
  const smaller = { ...sizes, seriesPerRound: Math.ceil(sizes.seriesPerRound / WARM_UP_PARTS) };
  const store = await openChurn(`${dir}/warm-up`, smaller);
  const labels = devopsSeries({ seed, series: WARM_UP_ROUNDS * smaller.seriesPerRound });
  const watch = new PauseWatch();
  for (let round = 0; round < WARM_UP_ROUNDS; round += 1) {
    await runRound(store, labels, round, smaller, watch);
  }
  watch.stop();
  await store.close();
}

async function openChurn(dir: string, { walBytesMax }: Sizes): Promise<Engine> {
  const blocks = backgroundBlocks({ mergeLevels: 0, retentionMs: WINDOWS_KEPT * WINDOW_MS });
  const store = await open({
    dir,
    plan: { ...recommended(), "block-manager": blocks },
    walBytesMax,
  });
  await store.seriesCount(); // Somebody asks: from now on new series come into lists that queries use.
  return store;
}

/** Watches the event loop of a process that does nothing. */
export async function measureIdle({ sizes }: Job): Promise<Pauses> {
  const watch = new PauseWatch();
  await new Promise((resolve) => setTimeout(resolve, sizes.idleMs));
  return watch.stop();
}

async function runRound(
  store: Engine,
  labels: Iterator<DevopsLabels>,
  round: number,
  sizes: Sizes,
  whole: PauseWatch,
): Promise<RoundResult> {
  const watch = new PauseWatch();
  const begin = performance.now();
  await writeRound(store, labels, round, sizes, watch);
  await settle(store);
  await ask(store, round, sizes);
  const seconds = (performance.now() - begin) / 1000;
  const { rss, heapUsed, heapTotal, arrayBuffers } = process.memoryUsage(); // As it is: no collection is asked for.
  const pauses = watch.stop();
  whole.writeMaxMs = Math.max(whole.writeMaxMs, pauses.writeMaxMs);
  const stats = store.stats();
  assert.equal(stats.maintenanceFailure, null);
  return {
    round: round + 1,
    seconds,
    rss,
    heapUsed,
    heapTotal,
    arrayBuffers,
    pauses,
    series: stats.series,
    seriesDropped: stats.seriesDropped,
    memoryBytes: stats.memory.bytesTaken,
    allocatorLiveBytes: stats.allocator.liveBytes,
    allocatorRetainedBytes: stats.allocator.retainedBytes,
    indexStats: stats.index,
    postingsStats: stats.postings,
    blocks: stats.blocks.blocks ?? 0,
    blockBytes: stats.blocks.blockBytes ?? 0,
    blocksRetired: stats.blocks.blocksRetired ?? 0,
    walBytes: stats.wal.bytesOnDisk,
  };
}

/** Writes a sample of each new series, then further ones of all of them, over the whole window. */
async function writeRound(
  store: Engine,
  labels: Iterator<DevopsLabels>,
  round: number,
  { seriesPerRound, scrapes }: Sizes,
  watch: PauseWatch,
): Promise<void> {
  using batch = store.batch(BATCH_ROWS);
  const { rows } = batch;
  const refs = new Uint32Array(seriesPerRound);
  for (let scrape = 0; scrape < scrapes; scrape += 1) {
    const time = DEVOPS_START_MS + (round + scrape / scrapes) * WINDOW_MS;
    for (let from = 0; from < seriesPerRound; from += BATCH_ROWS) {
      const count = Math.min(BATCH_ROWS, seriesPerRound - from);
      batch.clear();
      const begin = performance.now();
      if (scrape === 0) addNew(batch, labels, count, time);
      else addKnown(batch, refs.subarray(from, from + count), time);
      const { rejected } = store.writeBatch(batch);
      watch.writeMaxMs = Math.max(watch.writeMaxMs, performance.now() - begin);
      assert.equal(rejected, 0);
      for (let row = 0; row < count; row += 1) refs[from + row] = rows.refs[row]!;
      await nextTurn();
    }
  }
}

/** Rows of series that are not there yet. By itself, as the next: an asynchronous function makes an object of every number. */
function addNew(
  batch: UserBatch,
  labels: Iterator<DevopsLabels>,
  count: number,
  time: number,
): void {
  for (let row = 0; row < count; row += 1) batch.add(labels.next().value, time, scatter(row));
}

function addKnown({ rows }: UserBatch, refs: Uint32Array, time: number): void {
  for (const ref of refs) rows.refs[rows.add(time, scatter(ref))] = ref;
}

/** An integer below 128 that looks like no other's neighbour, and leaves no garbage, as a generator's doubles would. */
function scatter(n: number): number {
  return Math.imul(n, 0x9e3779b1) >>> 25;
}

/** Lets maintenance do what there is to do. */
async function settle(store: Engine): Promise<void> {
  let quiet = 0;
  let before = "";
  for (let turn = 0; turn < TURNS_MAX && quiet < QUIET_TURNS; turn += 1) {
    const report = await store.maintain(TURN_MS);
    const { seriesDropped, wal, blocks, postings } = store.stats();
    const now = [seriesDropped, wal.bytesOnDisk, blocks.blocks, postings.series].join();
    quiet = report.isBusy || report.pending > 0 || now !== before ? 0 : quiet + 1;
    before = now;
    await nextTurn();
  }
}

/** Asks for the last host of the round, by two labels. */
async function ask(store: Engine, round: number, sizes: Sizes): Promise<void> {
  const host = Math.floor(((round + 1) * sizes.seriesPerRound - 1) / CPU_FIELDS.length);
  const matchers = { __name__: CPU_FIELDS[0]!, hostname: `host_${host}` };
  let samples = 0;
  for await (const { times } of store.select(matchers)) samples += times.length;
  assert.equal(samples, sizes.scrapes);
}

/** The windows that are left hold what was written to them, and nothing else is there. */
async function checkLast(store: Engine, sizes: Sizes): Promise<void> {
  const from = DEVOPS_START_MS + (sizes.rounds - 1) * WINDOW_MS;
  let samples = 0;
  for await (const { times } of store.select({}, { from })) samples += times.length;
  assert.equal(samples, sizes.seriesPerRound * sizes.scrapes);
  assert(store.stats().series <= 4 * sizes.seriesPerRound, "idle series are dropped");
  assert((store.stats().blocks.blocks ?? 0) <= WINDOWS_KEPT + 1, "retention removes blocks");
}
