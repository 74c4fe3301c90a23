import { backgroundBlocks } from "@varve/block-manager/background";
import { immediateBlocks } from "@varve/block-manager/immediate";
import { onFullBlocks } from "@varve/block-manager/on-full";
import { queuedBlocks } from "@varve/block-manager/queued";
import { makeRandom } from "@varve/bytes";
import { isStorageError, type Plan } from "@varve/contracts";
import { simDisk, type SimDisk, type Survival } from "@varve/disk/sim";
import { expect, test } from "vitest";
import { bitsOf, contentOf, nameOf, planWith, type Content, openOn } from "./helpers.ts";

/** More points find more: `CRASH_POINTS=100000 vitest run …` tries every operation. */
const POINTS = Number(process.env["CRASH_POINTS"] ?? 25);
const SURVIVALS: readonly Survival[] = ["nothing", "prefix", "subset", "everything"];
const SERIES = 4;
const ROUNDS = 12;
/** Rows of a round, one a time step. */
const ROWS = 8;
/** Windows of two rounds, chunks of three samples, and merges of two blocks. */
const BLOCKS = { blockDurationMs: 16, samplesPerChunk: 3, mergeFactor: 2, mergeLevels: 2 };

const PLANS: Record<string, Plan> = {
  "background blocks": planWith({ "block-manager": backgroundBlocks(BLOCKS) }),
  "queued blocks": planWith({ "block-manager": queuedBlocks(BLOCKS) }),
  "on-full blocks": planWith({ "block-manager": onFullBlocks(BLOCKS) }),
  "immediate blocks": planWith({ "block-manager": immediateBlocks(BLOCKS) }),
  "background blocks, late rows": planWith({
    "block-manager": backgroundBlocks({ ...BLOCKS, outOfOrderWindowMs: 1000 }),
  }),
};

interface Row {
  readonly series: number;
  readonly time: number;
  readonly value: number;
}

/** What the outside knows: rows in order of acceptance, and how many of them were acknowledged as durable. */
interface Oracle {
  readonly rows: Row[];
  durable: number;
}

for (const [title, plan] of Object.entries(PLANS)) {
  test(`${title}: a crash while blocks are cut and merged loses nothing durable and tells nothing twice`, async () => {
    const hasLate = title.includes("late");
    const rehearsal = simDisk({ seed: 1 });
    const all: Oracle = { rows: [], durable: 0 };
    await live(rehearsal, plan, all, hasLate);
    expect(await blocksOf(rehearsal, plan)).toBeGreaterThan(1);
    const { operations } = rehearsal;
    const step = Math.max(1, Math.floor(operations / POINTS));
    for (let crashAt = 1; crashAt <= operations; crashAt += step) {
      const disk = simDisk({ seed: crashAt, crashAt });
      const oracle: Oracle = { rows: [], durable: 0 };
      await live(disk, plan, oracle, hasLate).catch(expectCrash);
      for (const survival of SURVIVALS) {
        const image = disk.image(survival, crashAt);
        await expectPrefix(image, plan, oracle, `${title}, crash at ${crashAt}, ${survival}`);
      }
    }
  }, 120_000);
}

test("retention removes only blocks that are too old, at whatever operation it crashes", async () => {
  const plan = planWith({ "block-manager": backgroundBlocks({ ...BLOCKS, retentionMs: 40 }) });
  const rehearsal = simDisk({ seed: 1 });
  await live(rehearsal, plan, { rows: [], durable: 0 }, false);
  const step = Math.max(1, Math.floor(rehearsal.operations / POINTS));
  for (let crashAt = 1; crashAt <= rehearsal.operations; crashAt += step) {
    const disk = simDisk({ seed: crashAt, crashAt });
    const oracle: Oracle = { rows: [], durable: 0 };
    await live(disk, plan, oracle, false).catch(expectCrash);
    const store = await openOn(disk.image("subset", crashAt), plan);
    const content = await contentOf(store);
    const newest = oracle.rows.at(-1)?.time ?? 0;
    const wanted = oracle.rows.slice(0, oracle.durable).filter(({ time }) => time > newest - 40);
    for (const { series, time, value } of wanted) {
      const found = content.get(nameOf(labelsOf(series)));
      expect(found, `crash at ${crashAt}`).toContainEqual([time, bitsOf(value)]);
    }
    for (const samples of content.values()) {
      const times = samples.map(([time]) => time);
      expect(times, `crash at ${crashAt}`).toEqual([...new Set(times)].toSorted((a, b) => a - b));
    }
    await store.close();
  }
}, 120_000);

async function blocksOf(disk: SimDisk, plan: Plan): Promise<number> {
  const store = await openOn(disk, plan);
  const { blocks = 0 } = store.stats().blocks;
  await store.close();
  return blocks;
}

/** Two openings of writing, cutting, merging and cutting the log; the same for every disk. */
async function live(disk: SimDisk, plan: Plan, oracle: Oracle, hasLate: boolean): Promise<void> {
  const random = makeRandom(7);
  for (let opening = 0; opening < 2; opening += 1) {
    const store = await openOn(disk, plan);
    for (let round = 0; round < ROUNDS; round += 1) {
      const start = (opening * ROUNDS + round) * ROWS;
      const times = Array.from({ length: ROWS }, (_, i) => start + i);
      // A row of this round comes in the next, when its window may be cut.
      if (hasLate && round > 0) times.push(start - ROWS);
      for (const time of times) {
        if (hasLate && time === start && round < ROUNDS - 1) continue;
        const row = { series: random.below(SERIES), time, value: random.unit() };
        store.write(labelsOf(row.series), row.time, row.value);
        oracle.rows.push(row);
      }
      const flushing = oracle.rows.length;
      if (round % 3 === 0) {
        await store.flush();
        oracle.durable = flushing;
      }
      if (round % 2 === 1) await store.maintain(1000);
      if (round === 5) await store.compactLog();
      if (round === 9) await store.cutBlocks({ before: start - 2 * ROWS });
    }
    const closing = oracle.rows.length;
    await store.close();
    oracle.durable = closing;
  }
}

/** The image holds the first k rows, with k at least what was durable, once each, and a store that goes on. */
async function expectPrefix(
  disk: SimDisk,
  plan: Plan,
  oracle: Oracle,
  what: string,
): Promise<void> {
  const store = await openOn(disk, plan);
  const content = await contentOf(store);
  let found = 0;
  for (const samples of content.values()) found += samples.length;
  expect(found, `${what}: rows found`).toBeGreaterThanOrEqual(oracle.durable);
  expect(found, `${what}: rows found`).toBeLessThanOrEqual(oracle.rows.length);
  expect(content, what).toEqual(contentAfter(oracle, found));
  store.write(labelsOf(0), 1e6, 1);
  await store.cutBlocks();
  const cut = await contentOf(store);
  expect(cut.get(nameOf(labelsOf(0)))?.at(-1), what).toEqual([1e6, bitsOf(1)]);
  cut.get(nameOf(labelsOf(0)))!.pop();
  if (cut.get(nameOf(labelsOf(0)))!.length === 0) cut.delete(nameOf(labelsOf(0)));
  expect(cut, `${what}, cut to blocks`).toEqual(content);
  await store.close();
}

function contentAfter(oracle: Oracle, count: number): Content {
  const content: Content = new Map();
  const rows = oracle.rows.slice(0, count).toSorted((a, b) => a.time - b.time);
  for (const { series, time, value } of rows) {
    const name = nameOf(labelsOf(series));
    if (!content.has(name)) content.set(name, []);
    content.get(name)!.push([time, bitsOf(value)]);
  }
  return content;
}

function labelsOf(series: number): Record<string, string> {
  return { __name__: "m", series: String(series) };
}

/** A crash may come wrapped in nothing, or as what a dead log throws. */
function expectCrash(error: unknown): void {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause.name === "Crash" || isStorageError(cause, "POISONED")) return;
  }
  throw error;
}
