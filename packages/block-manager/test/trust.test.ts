import { ACCEPTED } from "@varve/contracts";
import { simDisk } from "@varve/disk/sim";
import { readAll } from "@varve/disk/transfer";
import { describe, expect, test } from "vitest";
import { FACTORIES, openBench, SEALED, upTo } from "./support/bench.ts";

const OPTIONS = { samplesPerChunk: 4, regionsPerRefill: 1 };
const ALL = { budgetMs: 1000, sealBeforeLsn: Number.POSITIVE_INFINITY };

describe.each(FACTORIES)("%s: what is behind a durable log", (_, factory) => {
  test("finds nothing after a crash of what was synced while the log's commit had not ended", async () => {
    const disk = simDisk();
    const bench = await openBench(factory(OPTIONS), { disk });
    bench.fill(1, 12);
    let isAsked = (): void => undefined;
    const asked = new Promise<void>((resolve) => (isAsked = resolve));
    void bench.blocks.maintain({
      ...ALL,
      commitLog: () => {
        isAsked();
        return new Promise(() => undefined);
      },
    });
    await asked;
    for (const survival of ["nothing", "everything"] as const) {
      const again = await openBench(factory(OPTIONS), { disk: disk.image(survival) });
      expect(again.times(1)).toEqual([]);
      await again.close();
    }
  });

  test("throws what the log's commit rejects with, trusts nothing then, and goes on when it commits again", async () => {
    const disk = simDisk();
    const bench = await openBench(factory(OPTIONS), { disk });
    bench.fill(1, 12);
    const commitLog = () => Promise.reject(new Error("no log"));
    await expect(bench.blocks.maintain({ ...ALL, commitLog })).rejects.toThrow("no log");
    await expect(bench.blocks.maintain({ ...ALL, commitLog })).rejects.toThrow("no log");
    const lost = await openBench(factory(OPTIONS), { disk: disk.image("everything") });
    expect(lost.times(1)).toEqual([]);
    await lost.close();
    expect(bench.times(1)).toEqual(upTo(12));
    expect((await bench.maintain(Infinity)).durableLsn).toBe(12);
    const found = await openBench(factory(OPTIONS), { disk: disk.image("nothing") });
    expect(found.times(1)).toEqual(upTo(12));
    await found.close();
    await bench.close();
  });

  test("commits the log once for what was synced, after its sync, and not again for nothing", async () => {
    const disk = simDisk();
    const bench = await openBench(factory(OPTIONS), { disk });
    bench.fill(1, 12);
    const syncs: number[] = [];
    const commitLog = async () => void syncs.push(disk.count("datasync"));
    await bench.blocks.maintain({ budgetMs: 1000, commitLog });
    expect(syncs).toHaveLength(1);
    expect(syncs[0]).toBeGreaterThan(0);
    const { operations } = disk;
    for (let i = 0; i < 3; i += 1) await bench.blocks.maintain({ budgetMs: 1000, commitLog });
    expect(disk.operations).toBe(operations);
    expect(await bench.blocks.maintain({ ...ALL, commitLog })).toMatchObject({ durableLsn: 12 });
    const marked = disk.operations;
    await bench.blocks.maintain({ ...ALL, commitLog });
    expect(disk.operations).toBe(marked);
    expect(syncs.length).toBeLessThanOrEqual(2);
    await bench.close();
  });

  test("states at the next write what a call without sealBeforeLsn has trusted", async () => {
    const disk = simDisk();
    const bench = await openBench(factory(OPTIONS), { disk });
    bench.fill(1, 4);
    expect((await bench.maintain()).durableLsn).toBe(0);
    bench.fill(1, 4, 5);
    // One file alone states it: it counts, and the log is not cut for it.
    expect((await bench.maintain()).durableLsn).toBe(0);
    const again = await openBench(factory(OPTIONS), { disk: disk.image("nothing") });
    const { length } = again.times(1);
    expect(length).toBeGreaterThan(0);
    expect(again.times(1)).toEqual(upTo(length));
    await again.close();
    expect((await bench.maintain(9)).durableLsn).toBe(8);
    await bench.close();
  });

  test("trusts nothing that admit had to sync for want of memory", async () => {
    const disk = simDisk();
    const bench = await openBench(factory(OPTIONS), { disk, bytesMax: 128 * 8 });
    for (let time = 1; time <= 100; time += 1) {
      expect(bench.write([[1, time, time]])).toEqual([ACCEPTED]);
      expect(bench.write([[2, time, time]])).toEqual([ACCEPTED]);
    }
    const again = await openBench(factory(OPTIONS), { disk: disk.image("everything") });
    expect(again.times(1)).toEqual([]);
    await again.close();
    expect((await bench.maintain(Infinity)).durableLsn).toBe(200);
    const found = await openBench(factory(OPTIONS), { disk: disk.image("nothing") });
    expect(found.times(2)).toEqual(upTo(100));
    await found.close();
    await bench.close();
  });

  test("writes the mark again when its sync fails, and only then lets the log be cut", async () => {
    const disk = simDisk();
    const bench = await openBench(factory(OPTIONS), { disk });
    bench.fill(1, 12);
    const commitLog = async () => {
      disk.fault = (_, operation) => (operation === "datasync" ? "EIO" : undefined);
    };
    const marking = bench.blocks.maintain({ ...ALL, commitLog });
    await expect(marking).rejects.toMatchObject({ code: "DISK" });
    disk.fault = undefined;
    expect((await bench.maintain()).durableLsn).toBe(0);
    expect((await bench.maintain(Infinity)).durableLsn).toBe(12);
    const again = await openBench(factory(OPTIONS), { disk: disk.image("nothing") });
    expect(again.times(1)).toEqual(upTo(12));
    await again.close();
    await bench.close();
  });

  test("counts what was synced before the log's commit, and not what admit syncs while it waits", async () => {
    const disk = simDisk();
    const bench = await openBench(factory(OPTIONS), { disk, bytesMax: 128 * 8 });
    bench.fill(1, 8);
    const commitLog = async () => {
      const before = bench.stats.syncs;
      for (let time = 1; time <= 100; time += 1) {
        expect(bench.write([[2, time, time]])).toEqual([ACCEPTED]);
        expect(bench.write([[3, time, time]])).toEqual([ACCEPTED]);
      }
      expect(bench.stats.syncs).toBeGreaterThan(before);
    };
    const { durableLsn } = await bench.blocks.maintain({ ...ALL, sealBeforeLsn: 9, commitLog });
    expect(durableLsn).toBe(8);
    const again = await openBench(factory(OPTIONS), { disk: disk.image("nothing") });
    expect([1, 2, 3].map((ref) => again.times(ref).length)).toEqual([8, 0, 0]);
    await again.close();
    await bench.close();
  });

  test("holds durableLsn at 0 for chunks found at open, until its own mark is synced", async () => {
    const disk = simDisk();
    const first = await openBench(factory(OPTIONS), { disk });
    first.fill(1, 12);
    await first.maintain(Infinity);
    await first.close();
    const bench = await openBench(factory(OPTIONS), { disk });
    for (let time = 1; time <= 12; time += 1) bench.write([[1, time, time]]);
    expect((await bench.maintain()).durableLsn).toBe(0);
    expect((await bench.maintain(13)).durableLsn).toBe(12);
    await bench.close();
  });

  test("writes nothing at close but what states the trusted place, and nothing at all when that is stated", async () => {
    const disk = simDisk();
    const bench = await openBench(factory(OPTIONS), { disk });
    bench.fill(1, 8);
    await bench.maintain();
    bench.fill(1, 8, 9);
    await bench.close();
    const files = disk.list(SEALED);
    const trusted = await openBench(factory(OPTIONS), { disk: disk.image("nothing") });
    const { length } = trusted.times(1);
    expect(length).toBeLessThanOrEqual(8);
    expect(length).toBeGreaterThanOrEqual(5);
    await trusted.close();
    for (let i = 0; i < 3; i += 1) await (await openBench(factory(OPTIONS), { disk })).close();
    expect(disk.list(SEALED)).toEqual(files);
  });

  test("never shows void chunks again, once another life has written other samples at their times", async () => {
    const disk = simDisk();
    const first = await openBench(factory({ ...OPTIONS, fileBytesMax: 600, chunkBytesMax: 128 }), {
      disk,
    });
    for (let time = 1; time <= 8; time += 1) first.write([[1, time, 1]]);
    await first.maintain(Infinity);
    for (let time = 9; time <= 60; time += 1) first.write([[1, time, 1]]);
    const commitLog = () => Promise.reject(new Error("no log"));
    await expect(first.blocks.maintain({ ...ALL, commitLog })).rejects.toThrow("no log");
    const written = disk.list(SEALED).length;
    const bench = await openBench(factory(OPTIONS), { disk }); // The first was killed.
    expect(bench.times(1)).toEqual(upTo(8));
    expect(disk.list(SEALED)).toHaveLength(written);
    for (let time = 9; time <= 30; time += 1) bench.write([[1, time, 2]]);
    expect((await bench.maintain(Infinity)).durableLsn).toBe(22);
    for (const survival of ["nothing", "everything", "prefix", "subset"] as const) {
      for (let seed = 1; seed <= 5; seed += 1) {
        const image = disk.image(survival, seed);
        const again = await openBench(factory(OPTIONS), { disk: image });
        expect(again.read(1).map(({ value }) => value)).toEqual([
          ...upTo(8).map(() => 1),
          ...upTo(22).map(() => 2),
        ]);
        await again.close();
      }
    }
    await bench.close();
  });

  test("removes files of which nothing counts once its own mark is synced, not before", async () => {
    const disk = simDisk();
    const first = await openBench(factory({ ...OPTIONS, fileBytesMax: 600, chunkBytesMax: 128 }), {
      disk,
    });
    first.fill(1, 100);
    const commitLog = () => Promise.reject(new Error("no log"));
    await expect(first.blocks.maintain({ ...ALL, commitLog })).rejects.toThrow("no log");
    const before = disk.list(SEALED);
    const bytes = before.map((name) => readAll(disk, `${SEALED}/${name}`).length);
    expect(bytes.length).toBeGreaterThan(3);
    const bench = await openBench(factory(OPTIONS), { disk });
    await bench.maintain(Infinity);
    expect(disk.list(SEALED)).toEqual(before);
    bench.fill(1, 4);
    await bench.maintain(Infinity);
    expect(disk.list(SEALED).filter((name) => before.includes(name))).toEqual([]);
    expect(bench.stats.quarantined).toEqual([]);
    expect(bench.times(1)).toEqual(upTo(4));
    await bench.close();
  });
});
