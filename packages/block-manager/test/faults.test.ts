import { ACCEPTED } from "@varve/contracts";
import { simDisk, type SimDisk } from "@varve/disk/sim";
import { describe, expect, test } from "vitest";
import { FACTORIES, openBench, SEALED, upTo } from "./support/bench.ts";
import { onFullBlocks } from "../src/on-full.ts";

/** Settles what the event loop has scheduled: the queued variant's turn. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Fails the `at`-th operation of one kind on files of sealed/, and remembers whether that came. */
function failing(disk: SimDisk, operation: string, errno: string, at: number) {
  const fault = { seen: 0, hasFired: false };
  disk.fault = (_, asked, path) => {
    if (asked !== operation || !path.startsWith(SEALED)) return undefined;
    fault.seen += 1;
    if (fault.seen !== at) return undefined;
    fault.hasFired = true;
    return errno;
  };
  return fault;
}

describe.each(FACTORIES)("%s: faults", (_, factory) => {
  const faults = ["write", "open", "datasync", "syncDirectory"].flatMap((operation) =>
    ["EIO", "ENOSPC"].flatMap((errno) => [1, 2, 3].map((at) => [operation, errno, at] as const)),
  );

  test.each(faults)(
    "keeps everything when %s fails with %s at call %i: tells it in maintain, and goes on",
    async (operation, errno, at) => {
      const disk = simDisk();
      const bench = await openBench(factory({ samplesPerChunk: 4 }), { disk });
      const fault = failing(disk, operation, errno, at);
      let failures = 0;
      for (let round = 0; round < 8; round += 1) {
        for (let ref = 1; ref <= 3; ref += 1) {
          for (const i of [0, 1]) {
            const time = 2 * round + i;
            expect(bench.write([[ref, time, time]])).toEqual([ACCEPTED]);
          }
          const { hasFired } = fault;
          try {
            expect(bench.times(ref)).toEqual(upTo(2 * round + 2, 0));
          } catch (error) {
            expect([operation, hasFired, fault.hasFired]).toEqual(["open", false, true]);
            expect(error).toMatchObject({ facts: { operation: "open" } });
            failures += 1; // A file could not be opened for reading: the reader was told.
            expect(bench.times(ref)).toEqual(upTo(2 * round + 2, 0));
          }
        }
        await turn();
        if (round % 2 === 0) continue;
        try {
          await bench.maintain(round === 7 ? Infinity : undefined);
        } catch (error) {
          expect(error).toMatchObject({ code: errno === "ENOSPC" ? "STORAGE_FULL" : "DISK" });
          failures += 1;
        }
      }
      expect(failures).toBe(fault.hasFired ? 1 : 0);
      disk.fault = undefined;
      const { durableLsn } = await bench.maintain(Infinity);
      expect(durableLsn).toBe(48);
      const crashed = disk.image("nothing");
      const again = await openBench(factory(), { disk: crashed });
      for (let ref = 1; ref <= 3; ref += 1) {
        expect(bench.times(ref)).toEqual(upTo(16, 0));
        expect(again.times(ref)).toEqual(upTo(16, 0));
      }
      await bench.close();
      await again.close();
    },
  );

  test("never syncs a file again after a failed sync, and claims nothing of it", async () => {
    const disk = simDisk();
    const bench = await openBench(factory({ samplesPerChunk: 4 }), { disk });
    bench.fill(1, 4);
    let failed = "";
    disk.fault = (_, operation, path) => {
      if (operation !== "datasync") return undefined;
      expect(path).not.toBe(failed);
      if (failed !== "") return undefined;
      failed = path;
      return "EIO";
    };
    await expect(bench.maintain(Infinity)).rejects.toMatchObject({ code: "DISK" });
    expect(bench.times(1)).toEqual(upTo(4));
    expect((await bench.maintain(Infinity)).durableLsn).toBe(4);
    expect(bench.times(1)).toEqual(upTo(4));
    await bench.close();
    const again = await openBench(factory(), { disk: disk.image("nothing") });
    expect(again.times(1)).toEqual(upTo(4));
    await again.close();
  });

  test("goes on when a full disk has room again", async () => {
    const disk = simDisk({ bytesMax: 4000 });
    const bench = await openBench(factory({ samplesPerChunk: 4 }), { disk });
    const ballast = disk.open("/ballast", "create");
    disk.write(ballast, new Uint8Array(3500), 0, 3500, 0);
    for (let time = 1; time <= 40; time += 1)
      expect(bench.write([[1, time, time]])).toEqual([ACCEPTED]);
    await turn();
    await expect(bench.maintain()).rejects.toMatchObject({ code: "STORAGE_FULL" });
    expect(bench.times(1)).toEqual(upTo(40));
    disk.truncate(ballast, 0);
    await bench.maintain(Infinity).catch(() => undefined);
    expect((await bench.maintain(Infinity)).durableLsn).toBe(40);
    expect(bench.times(1)).toEqual(upTo(40));
    await bench.close();
    const again = await openBench(factory(), { disk: disk.image("nothing") });
    expect(again.times(1)).toEqual(upTo(40));
    await again.close();
  });

  test("writes through a disk that takes a byte at a time", async () => {
    const disk = simDisk({ fault: (_, operation) => (operation === "write" ? 1 : undefined) });
    const bench = await openBench(factory({ samplesPerChunk: 4 }), { disk });
    bench.fill(1, 12);
    expect((await bench.maintain(Infinity)).durableLsn).toBe(12);
    expect(bench.times(1)).toEqual(upTo(12));
    await bench.close();
  });
});

test("poisons itself when a sync fails for chunks that are no longer in memory, and never claims them", async () => {
  const disk = simDisk();
  const bench = await openBench(onFullBlocks({ samplesPerChunk: 4, unsyncedBytesMax: 0 }), {
    disk,
  });
  bench.fill(1, 8);
  failing(disk, "datasync", "EIO", 1);
  await expect(bench.maintain()).rejects.toMatchObject({ code: "DISK" });
  await expect(bench.maintain()).rejects.toMatchObject({ code: "POISONED" });
  expect(bench.write([[1, 9, 9]])).toEqual([ACCEPTED]);
  expect(disk.count("datasync")).toBe(1);
  await bench.close();
});
