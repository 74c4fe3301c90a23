import { backgroundBlocks } from "@varve/block-manager/background";
import type { Disk, DiskLock, Plan } from "@varve/contracts";
import { simDisk, type SimDisk, type Survival } from "@varve/disk/sim";
import { isUlid } from "@varve/prometheus-block";
import { asyncWal } from "@varve/wal/async";
import { batchedWal } from "@varve/wal/batched";
import { syncWal } from "@varve/wal/sync";
import { describe, expect, test } from "vitest";
import { contentOf, planWith, type Content, openOn } from "./helpers.ts";

const PLANS: [string, Plan][] = [
  ["sync log", planWith({ wal: syncWal() })],
  ["batched log", planWith({ wal: batchedWal() })],
  ["async log", planWith({ wal: asyncWal({ writer: "inline" }) })],
];
/** What lies there before the first opening. */
const BEGINNINGS: [string, (disk: SimDisk) => void][] = [
  ["no directory", () => undefined],
  ["a directory whose name is not durable", (disk) => disk.makeDirectory("/data")],
  ["a durable directory", (disk) => {
    disk.makeDirectory("/data");
    disk.syncDirectory("/");
  }],
]; // prettier-ignore
const SURVIVALS: Survival[] = ["nothing", "prefix", "subset", "everything"];

describe.each(PLANS)("%s", (_, plan) => {
  test.each(
    BEGINNINGS.flatMap((beginning) =>
      [1, 2].map((inARow) => [beginning[0], inARow, beginning[1]] as const),
    ),
  )(
    "%s: whatever calls of an opening or closing fail, %s in a row, the next opening makes durable what it acknowledges",
    async (_title, inARow, begin) => {
      let refused = 0;
      for (let at = 1, isOver = false; !isOver; at += 1) {
        const disk = simDisk({ seed: at });
        begin(disk);
        const first = disk.operations + at;
        disk.fault = (number) => (number >= first && number < first + inARow ? "EIO" : undefined);
        if (!(await isOpened(disk, plan))) refused += 1;
        disk.fault = undefined;
        isOver = disk.operations < first;
        await expectKept(disk, plan, `call ${at} failed`);
      }
      expect(refused).toBeGreaterThan(15);
    },
  );

  test("dead at any call of an opening or closing: the next opening makes durable what it acknowledges", async () => {
    for (let at = 1, isOver = false; !isOver; at += 1) {
      const disk = simDisk({ seed: at });
      const process = mortal(disk, at);
      await isOpened(process.disk, plan);
      isOver = process.calls < at;
      await expectKept(process.live(), plan, `dead at call ${at}`);
    }
  });
});

/** A hundred stores are written, cut, opened and opened again. */
const SLOW_MS = 120_000;
/** What a cut, an opening and a power cut depend on: other calls that fail or do not come leave what one of these left. */
const DECISIVE = /^(datasync|syncDirectory|rename|unlink|removeDirectory)/;

/** Calls that go by a name. */
const LOOKS = /^(list|kind|open)$/;

describe("blocks", () => {
  const plan = planWith({
    wal: syncWal(),
    "block-manager": backgroundBlocks({ blockDurationMs: 10, samplesPerChunk: 3, mergeFactor: 2 }),
  });

  test.each([
    ["one call of cutting and merging fails", 1],
    ["two calls in a row of cutting and merging fail", 2],
  ])("whatever %s, an opening and the cut of its log lose nothing", async (_title, inARow) => {
    let failed = 0;
    for (let at = 1, isOver = false; !isOver; at += 1) {
      const disk = simDisk({ seed: at });
      const expected = await fill(disk, plan);
      let calls = 0;
      disk.fault = (_number, operation) => {
        if (!DECISIVE.test(operation)) return undefined;
        calls += 1;
        return calls >= at && calls < at + inARow ? "EIO" : undefined;
      };
      if (!(await isCut(disk, plan))) failed += 1;
      disk.fault = undefined;
      isOver = calls < at;
      await expectCompacted(disk, plan, expected, `call ${at} failed`);
    }
    expect(failed).toBeGreaterThan(25);
  });

  test(
    "dead at any call of cutting and merging: an opening and the cut of its log lose nothing",
    async () => {
      for (let at = 1, isOver = false; !isOver; at += 1) {
        const disk = simDisk({ seed: at });
        const expected = await fill(disk, plan);
        const process = mortal(disk, at, DECISIVE);
        await isCut(process.disk, plan);
        isOver = process.calls < at;
        await expectCompacted(process.live(), plan, expected, `dead at call ${at}`);
      }
    },
    SLOW_MS,
  );

  test("dead at any call of an opening that finds blocks: they are all there, beside it and afterwards", async () => {
    let away = 0;
    for (let at = 1, isOver = false; !isOver; at += 1) {
      const disk = simDisk({ seed: at });
      const expected = await fill(disk, plan);
      expect(await isCut(disk, plan)).toBe(true);
      const process = mortal(disk, at, DECISIVE);
      await isOpened(process.disk, plan);
      isOver = process.calls < at;
      const isAway = disk.list("/data").some((name) => name.endsWith(".renamed"));
      if (isAway) away += 1;
      expect(await contentBeside(disk, plan), `dead at call ${at}`).toEqual(expected);
      await expectCompacted(process.live(), plan, expected, `dead at call ${at}`);
    }
    expect(away).toBeGreaterThan(0);
  });

  test.each([
    ["goes away", "", [".renamed"]],
    ["comes back", ".renamed", [""]],
    ["goes away for a moment", "", [".renamed", ""]],
  ])(
    "an opening beside another misses no block, whenever the name of one %s",
    async (_title, before, suffixes) => {
      const filled = simDisk();
      const expected = await fill(filled, plan);
      expect(await isCut(filled, plan)).toBe(true);
      for (let at = 1, isOver = false; !isOver; at += 1) {
        const disk = filled.image("everything", 1);
        const block = `/data/${disk.list("/data").find((name) => isUlid(name))!}`;
        let now = block + before;
        if (before !== "") disk.rename(block, now);
        let calls = 0;
        const beside = spy(disk, (name) => {
          if (!LOOKS.test(name)) return undefined;
          const suffix = suffixes[calls + 1 - at];
          calls += 1;
          if (suffix !== undefined) {
            disk.rename(now, block + suffix);
            now = block + suffix;
          }
          return undefined;
        });
        expect(await contentBeside(beside, plan), `at call ${at}`).toEqual(expected);
        isOver = calls < at;
      }
    },
  );

  test("a block that could not be removed does not bring back what was deleted from the blocks that stand for it", async () => {
    const disk = simDisk();
    await fill(disk, plan);
    let lastRenamed = "";
    let failed = 0;
    disk.fault = (_number, operation, path) => {
      if (operation === "rename") lastRenamed = path;
      const isRemoval = operation === "syncDirectory" && /[0-9A-Z]{26}$/.test(lastRenamed);
      if (!isRemoval || failed > 0) return undefined;
      failed += 1;
      return "EIO";
    };
    const store = await openOn(disk, plan);
    await store.cutBlocks();
    await store.maintain(60_000);
    expect(failed).toBe(1);
    await store.delete({ a: "0" });
    const expected = await contentOf(store);
    expect(expected.size).toBe(1);
    await store.close();
    for (const survival of SURVIVALS) {
      expect(await foundOn(disk.image(survival, 1), plan), survival).toEqual(expected);
    }
  });
});

test("an opener that looks while another makes the directory is told that it is held, not that it is a stranger's", async () => {
  const [, plan] = PLANS[0]!;
  const disk = simDisk();
  const store = await openOn(disk, plan);
  let isFirst = true;
  const late = spy(disk, (name, path) => {
    if (name !== "kind" || path !== "/data/FORMAT" || !isFirst) return undefined;
    isFirst = false; // As it was a moment before the other made it.
    return "none";
  });
  await expect(openOn(late, plan)).rejects.toMatchObject({ code: "LOCKED" });
  await store.close();
});

/** Opens and closes, and tells whether the opening succeeded. */
async function isOpened(disk: Disk, plan: Plan): Promise<boolean> {
  try {
    const store = await openOn(disk, plan);
    await store.close().catch(() => undefined);
    return true;
  } catch {
    return false;
  }
}

/** A store whose log has all that was written: rows of four windows. */
async function fill(disk: SimDisk, plan: Plan): Promise<Content> {
  const store = await openOn(disk, plan);
  for (let time = 0; time < 40; time += 2) store.write({ a: String(time % 4) }, time, time);
  const content = await contentOf(store);
  await store.close();
  return content;
}

/** Opens, cuts what it has into blocks, merges them and closes, and tells whether nothing failed. */
async function isCut(disk: Disk, plan: Plan): Promise<boolean> {
  const store = await openOn(disk, plan).catch(() => null);
  if (store === null) return false;
  try {
    await store.cutBlocks();
    await store.maintain(60_000);
    await store.close();
    return true;
  } catch {
    await store.close().catch(() => undefined);
    return false;
  }
}

/** Opens, cuts the log, and looks whether all is there after a power cut. */
async function expectCompacted(
  disk: SimDisk,
  plan: Plan,
  expected: Content,
  what: string,
): Promise<void> {
  const store = await openOn(disk, plan);
  await store.compactLog();
  expect(await contentOf(store), what).toEqual(expected);
  for (const survival of ["nothing", "subset"] as const) {
    const found = await foundOn(disk.image(survival, 1), plan).catch((error: unknown) => error);
    expect(found, `${what}, ${survival}`).toEqual(expected);
  }
  await store.close();
}

/** Opens, writes, and looks whether all that was durable survives a power cut. */
async function expectKept(disk: SimDisk, plan: Plan, what: string): Promise<void> {
  const store = await openOn(disk, plan);
  store.write({ a: "1" }, 1, 1);
  store.write({ b: "1" }, 1, 2);
  await store.flush();
  const expected = await contentOf(store);
  expect(expected.size, what).toBe(2);
  for (const survival of SURVIVALS) {
    const found = await foundOn(disk.image(survival, 1), plan).catch((error: unknown) => error);
    expect(found, `${what}, ${survival}`).toEqual(expected);
  }
  await store.close();
}

/** What is told by an opening that changes nothing. */
async function contentBeside(disk: Disk, plan: Plan): Promise<Content> {
  const store = await openOn(disk, plan, { readOnly: true });
  const content = await contentOf(store);
  await store.close();
  return content;
}

async function foundOn(disk: SimDisk, plan: Plan): Promise<Content> {
  const store = await openOn(disk, plan);
  const content = await contentOf(store);
  await store.close();
  return content;
}

/** The disk of a process that dies at a call of those that are counted: what it did until then stays, and its locks go. */
function mortal(base: SimDisk, at: number, counted = /./) {
  let calls = 0;
  const locks: DiskLock[] = [];
  const disk = spy(base, (name, path) => {
    if (counted.test(name)) calls += 1;
    if (calls >= at) return name.endsWith("Async") ? Promise.reject(DEATH) : die();
    if (name !== "lock") return undefined;
    const lock = base.lock(path as string);
    locks.push(lock);
    return { release: () => undefined };
  });
  const live = (): SimDisk => {
    for (const lock of locks) lock.release();
    return base;
  };
  return { disk, live, get calls() { return calls; } }; // prettier-ignore
}

const DEATH = new Error("the process is dead");

function die(): never {
  throw DEATH;
}

/** A disk whose answers are another's where there is one. */
function spy(disk: SimDisk, answer: (name: string, first: unknown) => unknown): Disk {
  return new Proxy<Disk>(disk, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      return (...args: unknown[]): unknown =>
        answer(String(name), args[0]) ?? Reflect.apply(value, target, args);
    },
  });
}
