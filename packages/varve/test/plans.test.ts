import { heapAllocator } from "@varve/allocator/heap";
import { poolAllocator } from "@varve/allocator/pool";
import { immediateBlocks } from "@varve/block-manager/immediate";
import { onFullBlocks } from "@varve/block-manager/on-full";
import { queuedBlocks } from "@varve/block-manager/queued";
import { checked } from "@varve/conformance";
import type { Plan } from "@varve/contracts";
import { plainKey } from "@varve/label-key/plain";
import { mutexLocks } from "@varve/locks/mutex";
import { inlineRecord } from "@varve/record/inline";
import { stringId } from "@varve/series-id/string";
import { xxhashId } from "@varve/series-id-xxhash";
import { mapIndex } from "@varve/series-index/map";
import { lmdbIndex } from "@varve/series-index-lmdb";
import { asyncWal } from "@varve/wal/async";
import { noneWal } from "@varve/wal/none";
import { expect, test } from "vitest";
import { durable, inMemory, recommended, seed, type EngineOptions } from "varve";
import {
  bitsOf,
  contentOf,
  freshDir,
  nameOf,
  openStore,
  planWith,
  type Content,
} from "./helpers.ts";

const PLANS: Record<string, { plan: Plan; options?: Partial<EngineOptions> }> = {
  recommended: { plan: recommended() },
  "durable, 64 rows a sync": { plan: durable(), options: { rowsPerClose: 64 } },
  inMemory: { plan: inMemory() },
  seed: { plan: seed(), options: { rowsPerClose: 1 } },
  "label-key plain": { plan: planWith({ "label-key": plainKey() }) },
  "series-id string": { plan: planWith({ "series-id": stringId() }) },
  "series-id xxhash": { plan: planWith({ "series-id": xxhashId() }) },
  "series-index map": { plan: planWith({ "series-index": mapIndex() }) },
  "series-index lmdb": { plan: planWith({ "series-index": lmdbIndex() }) },
  "record inline": { plan: planWith({ record: inlineRecord() }) },
  "wal none": { plan: planWith({ wal: noneWal() }) },
  "wal async": { plan: planWith({ wal: asyncWal() }) },
  "allocator heap": { plan: planWith({ allocator: heapAllocator() }) },
  "allocator pool": { plan: planWith({ allocator: poolAllocator() }) },
  "block-manager immediate": { plan: planWith({ "block-manager": immediateBlocks() }) },
  "block-manager on-full": { plan: planWith({ "block-manager": onFullBlocks() }) },
  "block-manager queued": { plan: planWith({ "block-manager": queuedBlocks() }) },
  "locks mutex": { plan: planWith({ locks: mutexLocks() }) },
};

const SERIES = 40;
const SAMPLES = 300;

for (const [title, { plan, options }] of Object.entries(PLANS)) {
  test(`${title}: what was written past block size is read, kept and read again`, async () => {
    const dir = freshDir();
    await writeAndReopen(dir, plan, options ?? {});
  });
}

test("an engine of checked parts breaks no rule", async () => {
  const plan = checkedPlan(recommended());
  await writeAndReopen(freshDir(), plan, {});
});

test("the seed's engine of checked parts breaks no rule", async () => {
  await writeAndReopen(freshDir(), checkedPlan(seed()), { rowsPerClose: 1 });
});

function checkedPlan(plan: Plan): Plan {
  return Object.fromEntries(
    Object.entries(plan).map(([slot, variant]) => [slot, checked(variant)]),
  ) as Plan;
}

async function writeAndReopen(
  dir: string,
  plan: Plan,
  options: Partial<EngineOptions>,
): Promise<void> {
  const expected: Content = new Map();
  let store = await openStore({ dir, plan, ...options });
  for (let sample = 0; sample < SAMPLES; sample += 1) {
    for (let i = 0; i < SERIES; i += 1) {
      const labels = { __name__: "m", series: String(i), pad: "x".repeat(i) };
      const value = sample % 7 === 0 ? i : Math.sin(sample * i);
      store.write(labels, sample * 1000, value);
      const name = nameOf(i === 0 ? { __name__: "m", series: "0" } : labels);
      if (!expected.has(name)) expected.set(name, []);
      expected.get(name)!.push([sample * 1000, bitsOf(value)]);
    }
    if (sample === 200) await store.maintain(1000);
  }
  expect(await contentOf(store)).toEqual(expected);
  await store.flush();
  await store.close();
  if (!plan.wal.traits.persistent) {
    const again = await openStore({ dir, plan, ...options });
    expect((await contentOf(again)).size).toBe(0);
    return;
  }
  for (let life = 0; life < 2; life += 1) {
    store = await openStore({ dir, plan, ...options });
    expect(await contentOf(store)).toEqual(expected);
    expect(store.stats().series).toBe(SERIES);
    if (life === 0) await store.compactLog();
    await store.close();
  }
}
