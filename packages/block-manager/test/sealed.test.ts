import { CONFLICT, OUT_OF_ORDER, REPEATED } from "@varve/contracts";
import { simDisk } from "@varve/disk/sim";
import { readAll, writeAll } from "@varve/disk/transfer";
import { describe, expect, test } from "vitest";
import { backgroundBlocks } from "../src/background.ts";
import {
  BEGINNING_BYTES,
  fileName,
  fileNumber,
  MARK_BYTES,
  placeOf,
  RecordView,
} from "../src/internal/format.ts";
import { onFullBlocks } from "../src/on-full.ts";
import { FACTORIES, openBench, QUARANTINE, SEALED, upTo } from "./support/bench.ts";

const FIRST = `${SEALED}/000001`;

describe.each(FACTORIES)("%s: sealed/", (_, factory) => {
  test("finds after a reopening what it persisted, with times, values, refs and last samples", async () => {
    const disk = simDisk();
    const first = await openBench(factory({ samplesPerChunk: 10 }), { disk });
    for (const ref of [3, 1, 9]) first.fill(ref, 40);
    await first.maintain();
    await first.close();
    const bench = await openBench(factory({ samplesPerChunk: 10 }), { disk });
    expect(bench.blocks.refMax).toBe(9);
    expect(bench.stats.series).toBe(3);
    const known = bench.times(9).length;
    expect(bench.times(9)).toEqual(upTo(known));
    expect(known).toBeGreaterThanOrEqual(30);
    expect(
      bench.write([
        [9, known, known],
        [9, known, 0],
        [9, known - 1, 0],
      ]),
    ).toEqual([REPEATED, CONFLICT, OUT_OF_ORDER]);
    bench.fill(9, 15, known + 1);
    expect(bench.times(9)).toEqual(upTo(known + 15));
    expect(bench.times(9, 5, 35)).toEqual(upTo(30, 5));
    await bench.close();
  });

  test("goes on in a new file, and leaves the old ones as they are", async () => {
    const disk = simDisk();
    const first = await openBench(factory({ samplesPerChunk: 2 }), { disk });
    first.fill(1, 20);
    await first.maintain();
    await first.close();
    const files = () =>
      new Map(disk.list(SEALED).map((name) => [name, readAll(disk, `${SEALED}/${name}`)]));
    const before = files();
    const bench = await openBench(factory({ samplesPerChunk: 2 }), { disk });
    bench.fill(1, 20, 21);
    await bench.maintain();
    const after = files();
    for (const [name, bytes] of before) {
      // A file that only holds a mark is not needed any more.
      if (bytes.length > BEGINNING_BYTES) expect(after.get(name)).toEqual(bytes);
    }
    expect([...after.keys()].some((name) => !before.has(name))).toBe(true);
    await bench.close();
  });

  test("throws BLOCK_CORRUPT for a chunk that was damaged since it was written, and leaves `into` as it was", async () => {
    const disk = simDisk();
    const bench = await openBench(factory({ samplesPerChunk: 10 }), { disk });
    bench.fill(1, 20);
    bench.fill(2, 20);
    await bench.maintain(Infinity);
    const fd = disk.open(FIRST, "update");
    writeAll(disk, fd, Uint8Array.of(0xff, 0xfe), 0, 2, BEGINNING_BYTES + 12);
    disk.close(fd);
    expect(() => bench.times(1)).toThrow(expect.objectContaining({ code: "BLOCK_CORRUPT" }));
    expect(bench.times(2)).toEqual(upTo(20));
    await bench.close();
  });

  test("shows a pin what was there when it was made, however chunks grow, fill, are written and synced", async () => {
    const bench = await openBench(factory({ samplesPerChunk: 10, chunkBytesFirst: 32 }));
    bench.fill(1, 13);
    const refs = Uint32Array.of(1, 0, 77);
    const pin = bench.blocks.pin(refs, 3);
    const seen = (i: number) => {
      const into = {
        times: new Float64Array(64),
        values: new Float64Array(64),
        length: 0,
        reserve: () => undefined,
      };
      pin.read(i, -Infinity, Infinity, into);
      return [...into.times.subarray(0, into.length)];
    };
    expect(seen(0)).toEqual(upTo(13));
    bench.fill(1, 4, 14);
    expect(seen(0)).toEqual(upTo(13));
    bench.fill(1, 30, 18);
    expect(seen(0)).toEqual(upTo(13));
    await bench.maintain(Infinity);
    expect(bench.allocator.stats.liveBytes).toBeLessThan(64 * 33);
    expect(seen(0)).toEqual(upTo(13));
    expect([seen(1), seen(2)]).toEqual([[], []]);
    expect(bench.times(1)).toEqual(upTo(47));
    pin[Symbol.dispose]();
    expect(() => seen(0)).toThrow(expect.objectContaining({ code: "CLOSED" }));
    await bench.close();
  });

  test("keeps memory bounded while 20,000 chunks pass through", async () => {
    const bench = await openBench(factory({ samplesPerChunk: 2 }));
    let peak = 0;
    for (let round = 0; round < 200; round += 1) {
      for (let ref = 1; ref <= 100; ref += 1)
        bench.write([
          [ref, 2 * round, 1],
          [ref, 2 * round + 1, 2],
        ]);
      if (round % 10 === 9) {
        peak = Math.max(peak, bench.allocator.stats.liveBytes);
        await bench.maintain();
      }
    }
    expect(bench.stats.chunksPersisted).toBeGreaterThanOrEqual(19_900);
    expect(peak).toBeLessThan(400_000);
    expect(bench.allocator.stats.liveBytes).toBeLessThan(50_000);
    expect(bench.times(50)).toEqual(upTo(400, 0));
    await bench.close();
  });

  test("reports as durable what is synced, up to the oldest sample that is not", async () => {
    const bench = await openBench(factory({ samplesPerChunk: 4 }));
    expect((await bench.maintain()).durableLsn).toBe(0);
    bench.fill(1, 8); // Lsns 1 … 8.
    bench.write([[2, 1, 1]]); // 9
    bench.write([[2, 2, 1]]); // 10
    bench.fill(1, 8, 9); // 11 … 18
    expect((await bench.maintain()).durableLsn).toBe(0); // No synced mark states it yet.
    const report = await bench.maintain(1);
    expect(report.durableLsn).toBe(0); // Batches below 1 keep nothing from being cut.
    const isImmediate = bench.stats.filesCreated > 1;
    expect((await bench.maintain(2)).durableLsn).toBe(isImmediate ? 9 : 8);
    expect(report.pending).toBe(0);
    const sealed = await bench.maintain(11);
    expect(sealed.durableLsn).toBeGreaterThanOrEqual(isImmediate ? 11 : 18);
    expect((await bench.maintain(Infinity)).durableLsn).toBe(18);
    expect(bench.times(2)).toEqual([1, 2]);
    await bench.close();
  });

  test("goes on at the next call when the time was over", async () => {
    const bench = await openBench(factory({ samplesPerChunk: 50, chunkBytesMax: 4096 }));
    for (let ref = 1; ref <= 3000; ref += 1)
      bench.write([
        [ref, 1, 1],
        [ref, 2, 2],
      ]);
    let calls = 0;
    let durableLsn = -1;
    while (durableLsn < 3000) {
      const report = await bench.blocks.maintain({ budgetMs: 0, sealBeforeLsn: Infinity });
      expect(report.durableLsn).toBeGreaterThanOrEqual(durableLsn);
      durableLsn = report.durableLsn;
      calls += 1;
      expect(calls).toBeLessThan(20_000);
    }
    expect(calls).toBeGreaterThan(10);
    await bench.close();
  });
});

describe("the layout of sealed/", () => {
  test("is Prometheus' for head chunks, with marks at the start of a file", async () => {
    const disk = simDisk();
    const bench = await openBench(onFullBlocks({ samplesPerChunk: 1 }), { disk });
    bench.write([[0x01020304, -2, 1.5]]);
    const hex = Buffer.from(readAll(disk, FIRST)).toString("hex");
    expect(hex.slice(0, 16)).toBe("0130bc9101000000");
    // Series 0, after place 0, durable up to 0, encoding 0, no data, checksum.
    expect(hex.slice(16, 76)).toBe(`${"00".repeat(26)}${hex.slice(68, 76)}`);
    // The life that wrote it began with file 1, after place 0.
    const place = "0000000010000000";
    expect(hex.slice(76, 136)).toBe(
      `${"00".repeat(8)}${place}${"00".repeat(10)}${hex.slice(128, 136)}`,
    );
    expect(hex.slice(136, 196)).toBe(hex.slice(16, 76));
    const chunk = hex.slice(196);
    expect(chunk.slice(0, 16)).toBe("0000000001020304");
    expect(chunk.slice(16, 48)).toBe("fffffffffffffffe".repeat(2));
    expect(chunk.slice(48, 52)).toBe("0112"); // XOR's number, 18 bytes.
    expect(chunk.slice(52, 88)).toBe("0001c000000000000000000000003ff80000");
    expect(chunk).toHaveLength(96);
    const view = new RecordView();
    const bytes = readAll(disk, FIRST);
    expect(view.parse(bytes, 8, bytes.length) && view.isMark && view.end).toBe(8 + MARK_BYTES);
    expect(view.parse(bytes, BEGINNING_BYTES, bytes.length) && view.ref).toBe(0x01020304);
    expect(view.end).toBe(bytes.length);
    await bench.close();
  });

  test("names files by six digits, and knows no other names", () => {
    expect([fileName(1), fileName(1_234_567)]).toEqual(["000001", "1234567"]);
    expect(
      ["000001", "1234567", "1", "0000001", "000001.tmp", "000000", "99999999"].map(fileNumber),
    ).toEqual([1, 1_234_567, 0, 0, 0, 0, 0]);
  });

  test("is left for a new file at fileBytesMax", async () => {
    const disk = simDisk();
    const bench = await openBench(
      onFullBlocks({ samplesPerChunk: 4, chunkBytesMax: 128, fileBytesMax: 512 }),
      { disk },
    );
    bench.fill(1, 100);
    expect(disk.list(SEALED).length).toBeGreaterThan(4);
    for (const name of disk.list(SEALED)) {
      expect(readAll(disk, `${SEALED}/${name}`).length).toBeLessThanOrEqual(512);
    }
    await bench.maintain();
    expect(bench.times(1)).toEqual(upTo(100));
    await bench.close();
    const again = await openBench(onFullBlocks(), { disk });
    expect(again.times(1)).toEqual(upTo(100));
    await again.close();
  });

  test("may hold files of a writer without marks, and files that are none of ours", async () => {
    const disk = simDisk();
    const bench = await openBench(onFullBlocks({ samplesPerChunk: 2 }), { disk });
    bench.fill(1, 4);
    const bytes = readAll(disk, FIRST);
    await bench.maintain();
    disk.makeDirectory("/sealed/lost+found");
    const other = simDisk();
    other.makeDirectory(SEALED);
    const fd = other.open(FIRST, "create");
    writeAll(other, fd, bytes, 0, 8, 0);
    writeAll(other, fd, bytes, BEGINNING_BYTES, bytes.length - BEGINNING_BYTES, 8);
    other.close(fd);
    const read = await openBench(onFullBlocks(), { disk: other });
    expect(read.times(1)).toEqual(upTo(4));
    await bench.close();
    await read.close();
    const beside = await openBench(onFullBlocks(), { disk });
    expect(beside.times(1)).toEqual(upTo(4));
    await beside.close();
  });

  test("of a newer version, or with chunks of another encoding, is refused and left untouched", async () => {
    for (const [at, value] of [
      [4, 2],
      [BEGINNING_BYTES + 24, 7],
    ] as const) {
      const disk = simDisk();
      const bench = await openBench(onFullBlocks({ samplesPerChunk: 2 }), { disk });
      bench.fill(1, 4);
      const bytes = readAll(disk, FIRST);
      bytes[at] = value;
      const { writeTail } = await import("../src/internal/format.ts");
      writeTail(bytes, BEGINNING_BYTES, BEGINNING_BYTES + 26 + 34);
      const fd = disk.open(FIRST, "update");
      writeAll(disk, fd, bytes, 0, bytes.length, 0);
      disk.close(fd);
      await expect(openBench(onFullBlocks(), { disk })).rejects.toMatchObject({
        code: "UNSUPPORTED_VERSION",
      });
      expect(readAll(disk, FIRST)).toEqual(bytes);
    }
  });
});

describe("recovery of sealed/", () => {
  /** A closed store of series 1 and 2, ten chunks each, in one file, all durable and known to be. */
  async function closedStore() {
    const disk = simDisk();
    const bench = await openBench(backgroundBlocks({ samplesPerChunk: 5 }), { disk });
    for (let round = 0; round < 10; round += 1) {
      bench.fill(1, 5, 1 + 5 * round);
      bench.fill(2, 5, 1 + 5 * round);
    }
    await bench.maintain();
    await bench.close();
    return { disk, size: readAll(disk, FIRST).length };
  }

  test("counts a file torn at any byte up to what its last whole mark states, and leaves it as it is", async () => {
    const disk = simDisk();
    const first = await openBench(backgroundBlocks({ samplesPerChunk: 5 }), { disk });
    for (let round = 0; round < 6; round += 1) {
      first.fill(1, 5, 1 + 5 * round);
      first.fill(2, 5, 1 + 5 * round);
      await first.maintain();
    }
    await first.close();
    const whole = readAll(disk, FIRST);
    const { length: size } = whole;
    const view = new RecordView();
    for (let length = 0; length <= size; length += length < 300 ? 1 : 7) {
      let stated = 0;
      let chunks = 0;
      for (let at = 8; view.parse(whole, at, length); at = view.end) {
        if (view.isMark) stated = Math.max(stated, view.maxTime);
      }
      let end = length === 0 ? 0 : 8;
      for (let at = 8; view.parse(whole, at, length); at = view.end) {
        ({ end } = view);
        if (!view.isMark && placeOf(1, at) < stated) chunks += 1;
      }
      const torn = simDisk();
      torn.makeDirectory(SEALED);
      const fd = torn.open(FIRST, "create");
      if (length > 0) writeAll(torn, fd, whole, 0, length, 0);
      torn.close(fd);
      const bench = await openBench(backgroundBlocks(), { disk: torn });
      expect(bench.times(1)).toEqual(upTo(Math.ceil(chunks / 2) * 5));
      expect(bench.times(2)).toEqual(upTo(Math.floor(chunks / 2) * 5));
      expect(readAll(torn, FIRST)).toEqual(whole.slice(0, length));
      expect(bench.stats).toMatchObject({ damaged: 0, quarantined: [] });
      bench.fill(1, 5, 1000);
      await bench.maintain(Infinity);
      // A file of which nothing counts goes when another states so: to quarantine if it holds what is no record.
      const kept = torn.list(SEALED).map((name) => `${SEALED}/${name}`);
      const aside = torn.list(QUARANTINE).map((name) => `${QUARANTINE}/${name}`);
      expect(kept.includes(FIRST)).toBe(stated > 0);
      expect(bench.stats.quarantined).toEqual(aside);
      expect(aside.length).toBe(stated > 0 || end === length ? 0 : 1);
      await bench.close();
      const again = await openBench(backgroundBlocks(), { disk: torn });
      expect(again.times(1)).toEqual([...upTo(Math.ceil(chunks / 2) * 5), ...upTo(5, 1000)]);
      expect(again.times(2)).toEqual(upTo(Math.floor(chunks / 2) * 5));
      await again.close();
    }
  });

  test("passes over a damaged chunk that was durable, counts it, copies it aside, and reads all others", async () => {
    const { disk, size } = await closedStore();
    for (let at = BEGINNING_BYTES; at < size - MARK_BYTES; at += 131) {
      const image = disk.image("everything");
      const fd = image.open(FIRST, "update");
      writeAll(image, fd, Uint8Array.of(readAll(image, FIRST)[at]! ^ 0x10), 0, 1, at);
      image.close(fd);
      for (let opening = 0; opening < 2; opening += 1) {
        const bench = await openBench(backgroundBlocks(), { disk: image });
        expect(bench.stats.damaged).toBe(1);
        expect(bench.times(1).length + bench.times(2).length).toBe(95);
        await bench.close();
      }
      expect(image.list(QUARANTINE)).toHaveLength(1);
    }
  });

  test("finds no wrong sample after any single bit of a file is flipped", async () => {
    const { disk, size } = await closedStore();
    const bytes = readAll(disk, FIRST).slice(0, 500);
    expect(size).toBeGreaterThan(500);
    for (let bit = 0; bit < 500 * 8; bit += 3) {
      const image = simDisk();
      image.makeDirectory(SEALED);
      const fd = image.open(FIRST, "create");
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      writeAll(image, fd, bytes, 0, bytes.length, 0);
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      image.close(fd);
      let bench;
      try {
        bench = await openBench(backgroundBlocks(), { disk: image });
      } catch (error) {
        expect(error).toMatchObject({ code: "UNSUPPORTED_VERSION" });
        continue;
      }
      for (const { time, value } of [...bench.read(1), ...bench.read(2)]) expect(value).toBe(time);
      await bench.close();
    }
  });
});
