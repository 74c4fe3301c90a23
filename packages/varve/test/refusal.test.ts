import { backgroundBlocks } from "@varve/block-manager/background";
import { BAD_TIME, OPEN, type Plan, type SeriesIndex } from "@varve/contracts";
import { simDisk, type SimDisk } from "@varve/disk/sim";
import { mutexLocks } from "@varve/locks/mutex";
import { openAddressedIndex } from "@varve/series-index/open-addressed";
import { syncWal } from "@varve/wal/sync";
import { open, type Engine, type EngineOptions } from "varve";
import { expect, onTestFinished, test, vi } from "vitest";
import { bitsOf, contentOf, nameOf, planWith } from "./helpers.ts";

const FRESH = { fresh: "1" };
const KNOWN = { known: "1" };
const SYNC = planWith({ wal: syncWal() });

test("prepared labels whose first write the log refused go into a batch with their key", async () => {
  const disk = simDisk({ seed: 1 });
  const store = await openOn(disk, { plan: SYNC });
  const prepared = store.labels(FRESH);
  failWrites(disk);
  expect(() => store.write(prepared, 1, 1)).toThrow();
  disk.fault = undefined;
  const batch = store.batch(4);
  batch.add(prepared, 2, 2);
  store.writeBatch(batch);
  store.write(prepared, 3, 3);
  const expected = new Map([
    [
      nameOf(FRESH),
      [
        [2, bitsOf(2)],
        [3, bitsOf(3)],
      ],
    ],
  ]);
  expect(await contentOf(store)).toEqual(expected);
  await store.close();
  const again = await openOn(disk, { plan: SYNC });
  expect(await contentOf(again)).toEqual(expected);
});

test("a batch with a row of no key and no issued ref is refused whole, and nothing changes", async () => {
  const store = await openOn(simDisk({ seed: 2 }), {});
  store.write(KNOWN, 1, 1);
  const batch = store.batch(4);
  batch.add(FRESH, 1, 1);
  const row = batch.rows.add(2, 2);
  const { series, nextRef } = store.stats();
  for (const ref of [0, 2, 1_000_000]) {
    batch.rows.refs[row] = ref;
    expect(() => store.writeBatch(batch)).toThrow(expect.objectContaining({ code: "INPUT" }));
    expect(store.stats()).toMatchObject({ series, nextRef });
  }
  batch.rows.refs[row] = 1;
  expect(store.writeBatch(batch)).toMatchObject({ accepted: 2, rejected: 0 });
  expect((await contentOf(store)).size).toBe(2);
});

test("rows of known series whose time is none are refused before the block manager is asked", async () => {
  const background = backgroundBlocks();
  const asked: number[] = [];
  const store = await openOn(simDisk({ seed: 9 }), {
    plan: planWith({
      "block-manager": {
        ...background,
        async open(needs) {
          const blocks = await background.open(needs);
          const admit = blocks.admit.bind(blocks);
          blocks.admit = (rows, from, until) => {
            asked.push(...rows.status.subarray(from, until));
            admit(rows, from, until);
          };
          return blocks;
        },
      },
    }),
  });
  store.write(KNOWN, 1, 1);
  const prepared = store.labels(KNOWN);
  store.write(prepared, 2, 2);
  const batch = store.batch(4);
  for (const time of [3, Number.NaN, 3.5, 2 ** 53]) batch.add(prepared, time, 1);
  asked.length = 0;
  expect(store.writeBatch(batch)).toMatchObject({ accepted: 1, rejected: 3 });
  expect(asked).toEqual([OPEN, BAD_TIME, BAD_TIME, BAD_TIME]);
});

test("prepared labels and batches of another engine are refused", async () => {
  const one = await openOn(simDisk({ seed: 3 }), {});
  const two = await openOn(simDisk({ seed: 4 }), {});
  const prepared = one.labels(FRESH);
  one.write(prepared, 1, 1);
  two.write(KNOWN, 1, 1);
  const refused = expect.objectContaining({ code: "INPUT" });
  expect(() => two.write(prepared, 2, 2)).toThrow(refused);
  const batch = two.batch(4);
  expect(() => batch.add(prepared, 2, 2)).toThrow(refused);
  expect(batch.length).toBe(0);
  const foreign = one.batch(4);
  foreign.add(prepared, 2, 2);
  expect(() => two.writeBatch(foreign)).toThrow(refused);
  expect(await contentOf(two)).toEqual(new Map([[nameOf(KNOWN), [[1, bitsOf(1)]]]]));
});

test("a part that throws while rows are placed leaves the lock free and the store as it was", async () => {
  for (const method of ["find", "insert"] as const) {
    const faults: Faults = {};
    const store = await openOn(simDisk({ seed: 5 }), {
      plan: planWith({
        locks: mutexLocks({ waitMsMax: 20 }),
        wal: syncWal(),
        "series-index": faulty(faults),
      }),
    });
    const batch = store.batch(4);
    batch.add(KNOWN, 1, 1);
    store.writeBatch(batch);
    const before = await contentOf(store);
    const fresh = store.batch(4);
    fresh.add(KNOWN, 1, 1);
    fresh.add(FRESH, 1, 1);
    faults[method] = true;
    expect(() => store.write(FRESH, 1, 1)).toThrow("as planned");
    expect(() => store.write(store.labels(FRESH), 1, 1)).toThrow("as planned");
    expect(() => store.writeBatch(fresh)).toThrow("as planned");
    faults[method] = false;
    expect(store.stats()).toMatchObject({ rowsOpen: 0, series: 1 });
    expect(await contentOf(store)).toEqual(before);
    expect(store.writeBatch(batch)).toMatchObject({ accepted: 1, rejected: 0 });
    expect(await contentOf(store)).toEqual(before);
    store.write(FRESH, 1, 1);
    store.write(KNOWN, 2, 2);
    expect((await contentOf(store)).size).toBe(2);
  }
});

test("compacting the log while an older cut is unfinished still moves what was written since", async () => {
  const disk = simDisk({ seed: 6 });
  const store = await openOn(disk, {});
  store.write(KNOWN, 1, 1);
  failWrites(disk, "/sealed/");
  await expect(store.compactLog()).rejects.toThrow();
  disk.fault = undefined;
  store.write(FRESH, 1, 1);
  await store.compactLog().catch(() => store.compactLog()); // The first tells the failure of before.
  expect(store.stats().blocks.chunksPersisted).toBe(2);
});

test("an idle store whose checkpoint is over walBytesMax is not compacted again and again", async () => {
  const store = await openOn(simDisk({ seed: 7 }), { walBytesMax: 1 });
  store.write(KNOWN, 1, 1);
  await store.flush();
  await store.maintain(1000);
  const { writes } = store.stats().wal;
  for (let i = 0; i < 5; i += 1) await store.maintain(1000);
  expect(store.stats().wal.writes).toBe(writes);
});

test("rows that the log refused at their time are logged when it can, without another call", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const disk = simDisk({ seed: 8 });
  const store = await openOn(disk, {
    plan: planWith({ wal: syncWal() }),
    rowsPerClose: 64,
    newRowsPerClose: 64,
    closeDelayMs: 5,
  });
  store.write(KNOWN, 1, 1);
  failWrites(disk);
  vi.advanceTimersByTime(5);
  expect(store.stats().rowsOpen).toBe(1);
  disk.fault = undefined;
  vi.advanceTimersByTime(2000);
  expect(store.stats().rowsOpen).toBe(0);
  vi.useRealTimers();
});

type Faults = { [method in "find" | "insert"]?: boolean };

/** An index whose `find` or `insert` throws while told to. */
function faulty(faults: Faults): Plan["series-index"] {
  const inner = openAddressedIndex();
  return {
    ...inner,
    open: async (needs) => {
      const index: SeriesIndex = await inner.open(needs);
      const find = index.find.bind(index);
      const insert = index.insert.bind(index);
      index.find = (...range) => {
        if (faults.find === true) throw new Error("as planned");
        find(...range);
      };
      index.insert = (...range) => {
        if (faults.insert === true) throw new Error("as planned");
        return insert(...range);
      };
      return index;
    },
  };
}

function failWrites(disk: SimDisk, below = "/"): void {
  disk.fault = (_number, operation, path) =>
    operation === "write" && (path ?? "/").includes(below) ? "ENOSPC" : undefined;
}

async function openOn(disk: SimDisk, options: Partial<EngineOptions>): Promise<Engine> {
  const store = await open({
    dir: "/data",
    disk,
    plan: planWith({}),
    memoryBytesMax: 16 * 2 ** 20,
    maintainEveryMs: 0,
    closeDelayMs: 1e6,
    ...options,
  });
  onTestFinished(() => store.close().catch(() => undefined));
  return store;
}
