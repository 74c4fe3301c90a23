import {
  ACCEPTED,
  BAD_TIME,
  CONFLICT,
  LIMIT,
  OPEN,
  OUT_OF_ORDER,
  REPEATED,
} from "@varve/contracts";
import { describe, expect, test } from "vitest";
import { FACTORIES, openBench, upTo } from "./support/bench.ts";

describe.each(FACTORIES)("%s: rows", (_, factory) => {
  test("decides each row by the series' last admitted sample, within a batch and between batches", async () => {
    const bench = await openBench(factory());
    const first = bench.write([
      [1, -5, 1],
      [1, -5, 1],
      [1, -5, 2],
      [1, -6, 1],
      [2, -6, 1],
      [1, 0, 3],
      [1, 0.5, 3],
      [1, Number.NaN, 3],
      [1, 2 ** 53, 3],
    ]);
    expect(first).toEqual([
      ACCEPTED,
      REPEATED,
      CONFLICT,
      OUT_OF_ORDER,
      ACCEPTED,
      ACCEPTED,
      BAD_TIME,
      BAD_TIME,
      BAD_TIME,
    ]);
    expect(
      bench.write([
        [1, 0, 3],
        [1, 0, -3],
        [1, -1, 0],
      ]),
    ).toEqual([REPEATED, CONFLICT, OUT_OF_ORDER]);
    expect(bench.times(1)).toEqual([-5, 0]);
    expect(bench.times(2)).toEqual([-6]);
    await bench.close();
  });

  test("compares values by their bits: zeros differ by sign, NaNs by payload", async () => {
    const bench = await openBench(factory());
    bench.write([
      [1, 1, 0],
      [2, 1, Number.NaN],
    ]);
    expect(
      bench.write([
        [1, 1, -0],
        [2, 1, Number.NaN],
      ]),
    ).toEqual([CONFLICT, REPEATED]);
    bench.batch.clear();
    const row = bench.batch.add(2, 0);
    bench.batch.refs[row] = 2;
    bench.batch.valueWords[0] = 2; // The stale marker: 7ff0000000000002.
    bench.batch.valueWords[1] = 0x7ff00000;
    bench.blocks.admit(bench.batch, 0, 1);
    bench.blocks.append(bench.batch, 0, 1, 9);
    const [, stale] = bench.read(2);
    const bits = new Uint32Array(Float64Array.of(stale!.value).buffer);
    expect([...bits]).toEqual([2, 0x7ff00000]);
    await bench.close();
  });

  test("leaves rows alone that are not open", async () => {
    const bench = await openBench(factory());
    bench.batch.clear();
    bench.batch.add(1, 1);
    bench.batch.refs[0] = 1;
    bench.batch.status[0] = LIMIT;
    bench.blocks.admit(bench.batch, 0, 1);
    bench.blocks.append(bench.batch, 0, 1, 1);
    expect(bench.batch.status[0]).toBe(LIMIT);
    expect(bench.times(1)).toEqual([]);
    await bench.close();
  });

  test("restores exactly what was, when rows are withdrawn in parts", async () => {
    const bench = await openBench(factory());
    bench.write([[1, 10, 1]]);
    bench.admit([
      [1, 11, 2],
      [1, 12, 3],
      [2, 5, 4],
      [1, 12, 3],
    ]);
    bench.blocks.withdraw(bench.batch, 2, 4);
    expect([...bench.batch.status.subarray(0, 4)]).toEqual([ACCEPTED, ACCEPTED, OPEN, REPEATED]);
    bench.blocks.withdraw(bench.batch, 0, 2);
    expect(
      bench.write([
        [1, 10, 1],
        [1, 10, 2],
        [1, 9, 1],
        [1, 11, 7],
        [2, 1, 1],
      ]),
    ).toEqual([REPEATED, CONFLICT, OUT_OF_ORDER, ACCEPTED, ACCEPTED]);
    expect(bench.read(1)).toEqual([
      { time: 10, value: 1 },
      { time: 11, value: 7 },
    ]);
    expect(bench.blocks.refMax).toBe(2);
    expect(bench.stats.series).toBe(2);
    await bench.close();
  });

  test("applies more rows of a series in one batch than three chunks hold", async () => {
    const bench = await openBench(factory({ samplesPerChunk: 10 }));
    bench.write(upTo(35).map((time) => [7, time, time]));
    expect(bench.times(7)).toEqual(upTo(35));
    expect(bench.times(7, 9, 23)).toEqual(upTo(14, 9));
    expect(bench.times(7, 36, 99)).toEqual([]);
    expect(bench.stats.samples).toBe(35);
    await bench.close();
  });

  test("refuses rows of new series with LIMIT when memory is full, and still applies what it accepted", async () => {
    const bench = await openBench(factory({ regionsPerRefill: 4 }), { bytesMax: 128 * 20 });
    const counts = new Map<number, number>();
    for (let ref = 1; ref <= 400; ref += 1) {
      const [status] = bench.write([[ref, 1, ref]]);
      counts.set(status!, (counts.get(status!) ?? 0) + 1);
      expect(bench.times(ref)).toEqual(status === ACCEPTED ? [1] : []);
    }
    expect(bench.allocator.peakBytes).toBeLessThanOrEqual(128 * 20);
    // `immediate` writes each first sample, and can always make room.
    if (bench.stats.chunksPersisted === 0) expect(counts.get(LIMIT)).toBeGreaterThan(300);
    await bench.close();
  });

  test("answers LIMIT when no memory is left for a series' state", async () => {
    const bench = await openBench(factory(), { memoryBytesMax: 2 ** 19 });
    const statuses = upTo(8).map((i) => bench.write([[i * 1024, 1, 1]])[0]);
    expect(statuses[0]).toBe(ACCEPTED);
    expect(statuses.at(-1)).toBe(LIMIT);
    expect(bench.times(8 * 1024)).toEqual([]);
    await bench.close();
  });

  test("goes on with known series when memory is full: writes what is full, seals the oldest early", async () => {
    const bench = await openBench(factory({ samplesPerChunk: 20, regionsPerRefill: 1 }), {
      bytesMax: 128 * 30,
    });
    for (let ref = 1; ref <= 20; ref += 1) bench.write([[ref, 0, ref]]);
    for (let time = 1; time <= 300; time += 1) {
      for (let ref = 1; ref <= 20; ref += 1) {
        expect(bench.write([[ref, time, time]])).toEqual([ACCEPTED]);
      }
    }
    for (let ref = 1; ref <= 20; ref += 1) expect(bench.times(ref)).toEqual(upTo(301, 0));
    expect(bench.allocator.peakBytes).toBeLessThanOrEqual(128 * 30);
    await bench.close();
  });

  test("gives all regions back at close", async () => {
    const bench = await openBench(factory({ samplesPerChunk: 5, lazyChunks: false }));
    for (let ref = 1; ref <= 50; ref += 1) bench.fill(ref, ref % 13);
    await bench.maintain();
    await bench.close();
    expect(bench.allocator.stats.live).toBe(0);
  });

  test("throws CLOSED from every call after close, also from pins", async () => {
    const bench = await openBench(factory());
    bench.write([[1, 1, 1]]);
    const pin = bench.blocks.pin(Uint32Array.of(1), 1);
    await bench.close();
    await bench.close();
    expect(() => bench.admit([[1, 2, 2]])).toThrow(expect.objectContaining({ code: "CLOSED" }));
    expect(() => bench.blocks.append(bench.batch, 0, 1, 2)).toThrow(
      expect.objectContaining({ code: "CLOSED" }),
    );
    expect(() => bench.blocks.pin(Uint32Array.of(1), 1)).toThrow(
      expect.objectContaining({ code: "CLOSED" }),
    );
    expect(() =>
      pin.read(0, 0, 9, {
        times: new Float64Array(9),
        values: new Float64Array(9),
        length: 0,
        reserve: () => undefined,
      }),
    ).toThrow(expect.objectContaining({ code: "CLOSED" }));
    await expect(bench.maintain()).rejects.toMatchObject({ code: "CLOSED" });
  });
});
