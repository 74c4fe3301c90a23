import { backgroundBlocks } from "@varve/block-manager/background";
import { mutexLocks } from "@varve/locks/mutex";
import { syncWal } from "@varve/wal/sync";
import { fork } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { isStorageError, open, recommended } from "varve";
import { bitsOf, contentOf, freshDir, nameOf, openStore, planWith } from "./helpers.ts";

const UP = { __name__: "up", job: "x" };

/** The code that a call fails with, or null. */
function codeOf(call: () => unknown): string | null {
  try {
    call();
    return null;
  } catch (error) {
    return isStorageError(error) ? error.code : String(error);
  }
}

test("what was written is selected at once, after a flush, and after a reopen", async () => {
  const dir = freshDir();
  const store = await openStore({ dir });
  store.write(UP, 1000, 1);
  store.write({ job: "x", __name__: "up" }, 2000, 2);
  const expected = new Map([
    [
      nameOf(UP),
      [
        [1000, bitsOf(1)],
        [2000, bitsOf(2)],
      ],
    ],
  ]);
  expect(await contentOf(store)).toEqual(expected);
  await store.flush();
  expect(await contentOf(store)).toEqual(expected);
  await store.close();
  const again = await openStore({ dir });
  expect(await contentOf(again)).toEqual(expected);
  expect(again.recovery.wal.unclean).toBe(false);
  expect(again.recovery).toMatchObject({
    series: 1,
    samples: 2,
    samplesSkipped: 0,
    samplesOrphaned: 0,
  });
});

test("a refused row says why, and the others go in", async () => {
  const store = await openStore({ dir: freshDir() });
  store.write(UP, 1000, 1);
  expect(codeOf(() => store.write(UP, 999, 1))).toBe("OUT_OF_ORDER");
  expect(codeOf(() => store.write(UP, 1000, 2))).toBe("CONFLICT");
  expect(codeOf(() => store.write(UP, 1000.5, 2))).toBe("BAD_TIME");
  expect(codeOf(() => store.write({ "": "x" }, 1000, 2))).toBe("LABELS");
  expect(codeOf(() => store.write({ a: "\ud800" }, 1000, 2))).toBe("LABELS");
  expect(codeOf(() => store.write({}, 1000, 2))).toBe("LABELS");
  expect(codeOf(() => store.write(UP, 1000, 1))).toBe(null);
  store.write(UP, 1001, 3);
  expect(await contentOf(store)).toEqual(
    new Map([
      [
        nameOf(UP),
        [
          [1000, bitsOf(1)],
          [1001, bitsOf(3)],
        ],
      ],
    ]),
  );
  expect(store.stats().series).toBe(1);
});

test("a repeated sample is accepted, and not logged", async () => {
  const store = await openStore({ dir: freshDir(), plan: planWith({ wal: syncWal() }) });
  store.write(UP, 1000, Number.NaN);
  const { accepted } = store.marks;
  store.write(UP, 1000, Number.NaN);
  expect(store.marks.accepted).toBe(accepted);
});

test("a row of a series that was refused leaves no series behind", async () => {
  const store = await openStore({ dir: freshDir(), seriesMax: 1 });
  store.write(UP, 1000, 1);
  expect(codeOf(() => store.write({ other: "1" }, 1000, 1))).toBe("LIMIT");
  expect(codeOf(() => store.write({ other: "2" }, Number.NaN, 1))).toBe("BAD_TIME");
  expect(store.stats().series).toBe(1);
  store.write(UP, 2000, 1);
});

test("the stale marker and every other NaN keep their bits through log, chunk and select", async () => {
  const dir = freshDir();
  const patterns = [
    0x7ff0000000000002n,
    0x7ff8000000000001n,
    0xfff8000000000000n,
    0x8000000000000000n,
  ];
  const values = new Float64Array(new BigUint64Array(patterns).buffer);
  const store = await openStore({ dir });
  for (let i = 0; i < values.length; i += 1) store.write(UP, i, values[i]!);
  const batch = store.batch(8);
  for (let i = 0; i < values.length; i += 1) {
    batch.add({ batch: "1" }, i, 0);
    batch.rows.values[i] = values[i]!;
  }
  store.writeBatch(batch);
  await store.close();
  const again = await openStore({ dir });
  const bits = patterns.map((pattern, i) => [i, pattern.toString(16)]);
  expect(await contentOf(again)).toEqual(
    new Map([
      [nameOf(UP), bits],
      [nameOf({ batch: "1" }), bits],
    ]),
  );
});

test("cutBlocks cuts what was accepted before it, late rows too, though their batch is open", async () => {
  const blocks = backgroundBlocks({ outOfOrderWindowMs: 10_000 });
  const plan = planWith({ "block-manager": blocks });
  const store = await openStore({ dir: freshDir(), plan, maintainEveryMs: 0, closeDelayMs: 1e6 });
  store.write(UP, 5000, 1);
  await store.cutBlocks();
  expect(store.stats().blocks.blocks).toBe(1);
  store.write(UP, 4000, 2);
  await store.cutBlocks();
  expect(store.stats().blocks.lateSamples).toBe(0);
  expect(await contentOf(store)).toEqual(
    new Map([[nameOf(UP), [4000, 5000].map((time, i) => [time, bitsOf(2 - i)])]]),
  );
});

test("a batch answers row by row and is one batch of the log", async () => {
  const store = await openStore({ dir: freshDir() });
  const batch = store.batch(16);
  batch.add(UP, 1000, 1);
  batch.add({ b: "2" }, 1000, 1);
  batch.add(UP, 2000, 2);
  batch.add(UP, 1500, 2);
  batch.add(UP, 2000, 2);
  batch.add(UP, 2000, 3);
  batch.rows.times[1] = 0.5;
  const before = store.marks.accepted;
  const result = store.writeBatch(batch);
  expect(result).toEqual({ lsn: before + 1, accepted: 3, rejected: 3 });
  expect(Array.from(batch.rows.status.subarray(0, 6))).toEqual([1, 6, 1, 3, 2, 4]);
  expect(store.stats().series).toBe(1);
  expect(await contentOf(store)).toEqual(
    new Map([
      [
        nameOf(UP),
        [
          [1000, bitsOf(1)],
          [2000, bitsOf(2)],
        ],
      ],
    ]),
  );
});

test("handles and prepared labels write to the series that labels name", async () => {
  const dir = freshDir();
  const store = await openStore({ dir });
  const handle = store.series(UP);
  const prepared = store.labels({ job: "x", __name__: "up" });
  expect(store.stats().series).toBe(0);
  handle.append(1, 1);
  store.write(prepared, 2, 2);
  store.write(UP, 3, 3);
  const batch = store.batch(4);
  batch.add(prepared, 4, 4);
  batch.add(store.labels({ fresh: "1" }), 4, 4);
  expect(store.writeBatch(batch).accepted).toBe(2);
  handle.append(5, 5);
  await store.close();
  const again = await openStore({ dir });
  expect((await contentOf(again)).get(nameOf(UP))).toHaveLength(5);
  expect((await contentOf(again)).size).toBe(2);
});

test("select matches exactly, by missing labels too, and cuts the range half-open", async () => {
  const store = await openStore({ dir: freshDir() });
  store.write({ __name__: "m", a: "1" }, 1, 1);
  store.write({ __name__: "m", a: "1" }, 2, 2);
  store.write({ __name__: "m", a: "1" }, 3, 3);
  store.write({ __name__: "m", ab: "1" }, 2, 1);
  store.write({ __name__: "n", a: "12" }, 2, 1);
  expect((await contentOf(store, { __name__: "m" })).size).toBe(2);
  expect((await contentOf(store, { a: "1" })).size).toBe(1);
  expect((await contentOf(store, { __name__: "m", a: "" })).size).toBe(1);
  expect((await contentOf(store, { a: "2" })).size).toBe(0);
  const seen: number[][] = [];
  for await (const { times } of store.select({ a: "1" }, { from: 2, until: 3 }))
    seen.push([...times]);
  expect(seen).toEqual([[2]]);
});

test("label sets come out in label order, by UTF-8 bytes", async () => {
  const store = await openStore({ dir: freshDir() });
  const names = ["a", "ab", "b", "\u{ffee}", "\u{1f600}"];
  for (const name of [...names].reverse()) store.write({ [name]: "1" }, 1, 1);
  const seen: string[] = [];
  for await (const { labels } of store.select({})) seen.push(Object.keys(labels)[0]!);
  expect(seen).toEqual(names);
});

test("a selection shows what was there when it was made, while writes go on", async () => {
  const store = await openStore({ dir: freshDir() });
  for (let time = 0; time < 500; time += 1) store.write(UP, time, time);
  const selection = store.select(UP);
  for (let time = 500; time < 1500; time += 1) store.write(UP, time, time);
  store.write({ late: "1" }, 1, 1);
  await store.maintain(1000);
  let rows = 0;
  for await (const series of selection) {
    expect(Array.from(series.values)).toEqual(Array.from({ length: 500 }, (_, i) => i));
    rows += 1;
  }
  expect(rows).toBe(1);
});

test("a second opener is refused with the holder's pid, in this process and in another", async () => {
  const dir = freshDir();
  const store = await openStore({ dir });
  await expect(open({ dir, plan: recommended() })).rejects.toMatchObject({
    code: "LOCKED",
    facts: { pid: process.pid },
  });
  const child = fork(join(import.meta.dirname, "opener.ts"), [dir], {
    execArgv: ["--conditions=@varve/source"],
  });
  const answer = await new Promise((resolve) => child.once("message", resolve));
  expect(answer).toMatchObject({ code: "LOCKED", pid: process.pid });
  await store.close();
  await openStore({ dir });
});

test("a directory of strangers, a damaged FORMAT and a newer version are refused untouched", async () => {
  const strangers = freshDir();
  mkdirSync(strangers);
  writeFileSync(join(strangers, "notes.txt"), "mine");
  await expect(open({ dir: strangers, plan: recommended() })).rejects.toMatchObject({
    code: "INPUT",
  });
  expect(existsSync(join(strangers, "LOCK"))).toBe(false);

  const dir = freshDir();
  await (await openStore({ dir })).close();
  const format = readFileSync(join(dir, "FORMAT"), "utf8");
  writeFileSync(join(dir, "FORMAT"), format.replace("varve 1", "varve 2"));
  await expect(open({ dir, plan: recommended() })).rejects.toMatchObject({
    code: "UNSUPPORTED_VERSION",
  });
  writeFileSync(join(dir, "FORMAT"), format.slice(0, 20));
  await expect(open({ dir, plan: recommended() })).rejects.toMatchObject({ code: "INPUT" });
  writeFileSync(join(dir, "FORMAT"), format);
  await openStore({ dir });
});

test("a plan with a variant in the wrong slot is refused", async () => {
  const plan = { ...recommended(), wal: mutexLocks() as never };
  await expect(open({ dir: freshDir(), plan })).rejects.toMatchObject({ code: "PLAN" });
});

test("after close every call is refused, and closing again is nothing", async () => {
  const store = await openStore({ dir: freshDir() });
  store.write(UP, 1, 1);
  await store.close();
  await store.close();
  expect(codeOf(() => store.write(UP, 2, 2))).toBe("CLOSED");
  expect(codeOf(() => store.select({}))).toBe("CLOSED");
  await expect(store.flush()).rejects.toMatchObject({ code: "CLOSED" });
});

test("compacting the log moves samples to sealed chunks, cuts segments and never reuses a ref", async () => {
  const dir = freshDir();
  const store = await openStore({ dir });
  for (let i = 0; i < 300; i += 1) store.write({ i: String(i) }, 1, i);
  await store.compactLog();
  for (let i = 0; i < 300; i += 1) store.write({ i: String(i) }, 2, i);
  const before = await contentOf(store);
  const { nextRef } = store.stats();
  await store.close();
  const again = await openStore({ dir });
  expect(again.recovery.samples + again.recovery.samplesSkipped).toBe(300);
  expect(await contentOf(again)).toEqual(before);
  expect(again.stats().nextRef).toBe(nextRef);
  await again.compactLog();
  await again.compactLog();
  expect(await contentOf(again)).toEqual(before);
});

test("phases are timed only when asked, and add up to what is measured", async () => {
  const plain = await openStore({ dir: freshDir() });
  expect(plain.timing()).toBe(null);
  const store = await openStore({ dir: freshDir(), timing: "full", maintainEveryMs: 0 });
  for (let i = 0; i < 2000; i += 1) store.write({ i: String(i) }, 1, i);
  await store.flush();
  const report = store.timing()!;
  const names = report.phases.filter((each) => each.calls > 0).map((each) => each.name);
  for (const name of [
    "encode key",
    "hash",
    "find",
    "insert",
    "admit",
    "encode record",
    "wal write",
    "append",
  ]) {
    expect(names).toContain(name);
  }
  expect(report.rowsPlaced).toBe(2000);
  expect(report.rowsClosed).toBe(2000);
});

test("damage in sealed chunks is reported, put aside, and costs only its own chunks", async () => {
  const dir = freshDir();
  const store = await openStore({ dir });
  for (let time = 0; time < 500; time += 1) store.write(UP, time, time);
  await store.compactLog();
  await store.close();
  const file = readdirSync(join(dir, "sealed")).map((name) => join(dir, "sealed", name))[0]!;
  const bytes = readFileSync(file);
  bytes[200]! ^= 0x10;
  writeFileSync(file, bytes);
  const again = await openStore({ dir });
  expect(again.recovery.sealed.damaged).toBe(1);
  expect(again.recovery.sealed.quarantined).toHaveLength(1);
  const samples = (await contentOf(again)).get(nameOf(UP))!;
  expect(samples.length).toBeGreaterThan(300);
  expect(samples.every(([time, bits]) => bits === bitsOf(time))).toBe(true);
});

test("a log is compacted when nothing is in it, and again when a reopened store has nothing to replay", async () => {
  const dir = freshDir();
  const empty = await openStore({ dir });
  await empty.compactLog();
  await empty.close();
  const store = await openStore({ dir });
  store.write({ a: "1" }, 1, 1);
  await store.compactLog();
  await store.close();
  const again = await openStore({ dir });
  await again.compactLog();
  await again.close();
  const last = await openStore({ dir });
  expect((await contentOf(last)).size).toBe(1);
  await last.close();
});

test("a new directory opens although its first opener died while it named itself", async () => {
  const dir = freshDir();
  mkdirSync(dir);
  for (const name of ["LOCK", "LOCK.info.tmp"]) writeFileSync(join(dir, name), "");
  const store = await openStore({ dir });
  store.write({ a: "1" }, 1, 1);
  await store.close();
});
