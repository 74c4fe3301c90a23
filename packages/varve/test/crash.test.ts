import { backgroundBlocks } from "@varve/block-manager/background";
import { onFullBlocks } from "@varve/block-manager/on-full";
import { makeRandom } from "@varve/bytes";
import type { Plan } from "@varve/contracts";
import { simDisk, type SimDisk, type Survival } from "@varve/disk/sim";
import { inlineRecord } from "@varve/record/inline";
import { batchedWal } from "@varve/wal/batched";
import { asyncWal } from "@varve/wal/async";
import { syncWal } from "@varve/wal/sync";
import { expect, test } from "vitest";
import { open } from "varve";
import { bitsOf, contentOf, nameOf, planWith, type Content, openOn } from "./helpers.ts";

const PLANS: Record<string, Plan> = {
  "sync log": planWith({ wal: syncWal() }),
  "batched log": planWith({ wal: batchedWal() }),
  "async log": planWith({ wal: asyncWal({ writer: "inline" }) }),
  "batched log, inline records, on-full blocks": planWith({
    wal: batchedWal(),
    record: inlineRecord(),
    "block-manager": onFullBlocks(),
  }),
  "batched log, background blocks of few samples": planWith({
    wal: batchedWal(),
    "block-manager": backgroundBlocks({ samplesPerChunk: 4 }),
  }),
  "sync log, background blocks of few samples": planWith({
    wal: syncWal(),
    "block-manager": backgroundBlocks({ samplesPerChunk: 4 }),
  }),
};

const SURVIVALS: Survival[] = ["nothing", "prefix", "subset", "everything"];
const SERIES = 5;
const ROUNDS = 14;

/** What the outside knows: samples in order of acceptance, and how many of them were acknowledged as durable. */
interface Oracle {
  readonly rows: { series: number; time: number; value: number }[];
  durable: number;
}

for (const [title, plan] of Object.entries(PLANS)) {
  test(`${title}: a crash at any operation loses nothing durable and invents nothing`, async () => {
    const operations = await rehearse(plan);
    expect(operations).toBeGreaterThan(30);
    const step = Math.max(1, Math.floor(operations / 40));
    for (let crashAt = 1; crashAt <= operations; crashAt += step) {
      const disk = simDisk({ seed: crashAt, crashAt });
      const oracle: Oracle = { rows: [], durable: 0 };
      await live(disk, plan, oracle).catch(expectCrash);
      for (const survival of SURVIVALS) {
        const image = disk.image(survival, crashAt);
        await expectPrefix(image, plan, oracle, `${title}, crash at ${crashAt}, ${survival}`);
      }
    }
  }, 60_000);
}

test("a log that refuses for want of space leaves the store as it was, and goes on when space returns", async () => {
  const disk = simDisk({ seed: 3 });
  const store = await openOn(disk, planWith({ wal: syncWal() }));
  store.write({ a: "1" }, 1, 1);
  const before = await contentOf(store);
  disk.fault = (_number, operation) => (operation === "write" ? "ENOSPC" : undefined);
  expect(() => store.write({ a: "1" }, 2, 2)).toThrow(/space|full/i);
  expect(() => store.write({ fresh: "1" }, 2, 2)).toThrow();
  const batch = store.batch(4);
  batch.add({ fresh: "2" }, 2, 2);
  batch.add({ a: "1" }, 2, 2);
  expect(() => store.writeBatch(batch)).toThrow();
  expect(Array.from(batch.rows.status.subarray(0, 2))).toEqual([0, 0]);
  expect(store.stats().series).toBe(1);
  expect(await contentOf(store)).toEqual(before);
  disk.fault = undefined;
  store.write({ a: "1" }, 2, 2);
  store.write({ fresh: "1" }, 2, 2);
  expect(store.writeBatch(batch)).toMatchObject({ accepted: 2, rejected: 0 });
  const after = await contentOf(store);
  expect(after.size).toBe(3);
  await store.close();
  const again = await openOn(disk.image("nothing"), planWith({ wal: syncWal() }));
  expect(await contentOf(again)).toEqual(after);
  await again.close();
});

test("a failed sync poisons the store: what was durable is there after a reopen", async () => {
  const disk = simDisk({ seed: 4 });
  const store = await openOn(disk, planWith({ wal: syncWal() }));
  store.write({ a: "1" }, 1, 1);
  disk.fault = (_number, operation) => (operation === "datasync" ? "EIO" : undefined);
  expect(() => store.write({ a: "1" }, 2, 2)).toThrow();
  disk.fault = undefined;
  expect(() => store.write({ a: "1" }, 3, 3)).toThrow(
    expect.objectContaining({ code: "POISONED" }),
  );
  await store.close().catch(() => undefined);
  const again = await openOn(disk.image("nothing"), planWith({ wal: syncWal() }));
  expect((await contentOf(again)).get(nameOf({ a: "1" }))?.[0]).toEqual([1, bitsOf(1)]);
  await again.close();
});

/** Counts the operations of a life without a crash. */
async function rehearse(plan: Plan): Promise<number> {
  const disk = simDisk({ seed: 1 });
  await live(disk, plan, { rows: [], durable: 0 });
  return disk.operations;
}

/** Two openings of writing, flushing, maintaining and cutting the log; the same for every disk. */
async function live(disk: SimDisk, plan: Plan, oracle: Oracle): Promise<void> {
  const random = makeRandom(7);
  for (let opening = 0; opening < 2; opening += 1) {
    const store = await openOn(disk, plan);
    for (let round = 0; round < ROUNDS; round += 1) {
      for (let i = 0; i < 6; i += 1) {
        const row = {
          series: random.below(SERIES),
          time: oracle.rows.length,
          value: random.unit(),
        };
        oracle.rows.push(row);
        store.write(labelsOf(row.series), row.time, row.value);
      }
      const flushing = oracle.rows.length;
      if (round % 3 === 0) {
        await store.flush();
        oracle.durable = flushing;
      }
      if (round === 7 || round === 8) await store.maintain(1000); // The second makes the first one's mark durable.
      if (round === 10) await store.compactLog();
    }
    const closing = oracle.rows.length;
    await store.close();
    oracle.durable = closing;
  }
}

/** The image holds the first k rows, with k at least what was durable, and a store that goes on. */
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
  await store.flush();
  await store.close();
  const again = await openOn(disk.image("nothing"), plan);
  expect((await contentOf(again)).get(nameOf(labelsOf(0)))?.at(-1), what).toEqual([1e6, bitsOf(1)]);
  await again.close();
}

function contentAfter(oracle: Oracle, count: number): Content {
  const content: Content = new Map();
  for (const { series, time, value } of oracle.rows.slice(0, count)) {
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
    if (cause.name === "Crash") return;
    if ("code" in cause && cause.code === "POISONED") return;
    if (cause.message.startsWith("the disk has crashed")) return; // Told by a worker, as text.
  }
  throw error;
}

test("a background slice that cannot persist is told by the statistics, until one can", async () => {
  const disk = simDisk({ seed: 5 });
  const plan = planWith({
    wal: syncWal(),
    "block-manager": backgroundBlocks({ samplesPerChunk: 4 }),
  });
  const options = { dir: "/data", disk, plan, memoryBytesMax: 16 * 2 ** 20, maintainEveryMs: 1 };
  const store = await open(options);
  expect(store.stats().maintenanceFailure).toBe(null);
  disk.fault = (_number, operation, path) =>
    operation === "write" && path.includes("sealed") ? "ENOSPC" : undefined;
  for (let time = 0; time < 8; time += 1) store.write({ a: "1" }, time, time);
  await expect.poll(() => store.stats().maintenanceFailure).toMatch(/sealed/);
  disk.fault = undefined;
  await expect.poll(() => store.stats().maintenanceFailure).toBe(null);
  await store.close();
});
