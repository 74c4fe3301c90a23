import { makeColumns } from "@varve/bytes";
import { ACCEPTED, LATE, OUT_OF_ORDER, REPEATED, type StoredBlock } from "@varve/contracts";
import { simDisk } from "@varve/disk/sim";
import { describe, expect, test } from "vitest";
import { xorChunk } from "@varve/chunk/xor";
import type { BlockOptions } from "../src/internal/options.ts";
import { type Bench, FACTORIES, openBench } from "./support/bench.ts";

/** Windows of ten, chunks of three samples, and nothing merged. */
const OPTIONS: BlockOptions = { blockDurationMs: 10, samplesPerChunk: 3, mergeLevels: 0 };

async function openWith(
  factory: (typeof FACTORIES)[number][1],
  options: BlockOptions = {},
  disk = simDisk(),
): Promise<Bench> {
  const codec = await xorChunk().open({});
  return openBench(factory({ ...OPTIONS, ...options }), { disk, codec });
}

/** Times of a series in all blocks. */
function stored(bench: Bench, ref: number): number[] {
  using pin = bench.blocks.pinBlocks(-Infinity, Infinity);
  return pin.blocks.flatMap((block) => timesOf(block, ref)).toSorted((a, b) => a - b);
}

function timesOf(block: StoredBlock, ref: number): number[] {
  const columns = makeColumns();
  const series = block.select([
    { name: "ref", kind: "=", value: String(ref), values: [String(ref)], matches: (v) => v === String(ref) },
  ]); // prettier-ignore
  while (series.next()) series.read(-Infinity, Infinity, columns);
  return [...columns.times.subarray(0, columns.length)];
}

const cutAll = (bench: Bench) => bench.blocks.maintain({ budgetMs: Infinity, cutBefore: Infinity });

describe.each(FACTORIES)("%s", (_name, factory) => {
  test("cuts a window once a sample is half a window beyond it, and holds each sample in one place", async () => {
    const bench = await openWith(factory);
    bench.fill(1, 14, 1); // Times 1 … 14: half a window beyond 10 begins at 15.
    bench.write([[2, 3, 3]]);
    await bench.maintain();
    expect(stored(bench, 1)).toEqual([]);
    bench.write([[1, 15, 15]]);
    const report = await bench.blocks.maintain({ budgetMs: Infinity });
    expect(report.cutTime).toBe(10);
    expect(stored(bench, 1)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(stored(bench, 2)).toEqual([3]);
    expect(bench.times(1)).toEqual([10, 11, 12, 13, 14, 15]);
    expect(bench.times(2)).toEqual([]);
    expect(bench.stats).toMatchObject({ blocks: 1, blocksCut: 1, series: 1 });
    await bench.close();
  });

  test("refuses rows below the cut, but not the repetition of a last sample", async () => {
    const bench = await openWith(factory);
    bench.fill(1, 16, 1);
    bench.write([[2, 9, 9]]);
    await cutAll(bench);
    expect(bench.write([[1, 5, 5], [3, 19, 1], [1, 16, 16], [1, 20, 20]])).toEqual([
      OUT_OF_ORDER, OUT_OF_ORDER, REPEATED, ACCEPTED,
    ]); // prettier-ignore
    expect(bench.write([[1, 20, 20]])).toEqual([REPEATED]);
    await bench.close();
  });

  test("keeps for a pin what is cut while it is held, and gives it back afterwards", async () => {
    const bench = await openWith(factory);
    bench.fill(1, 12, 1);
    const pin = bench.blocks.pin(Uint32Array.of(1), 1);
    bench.write([[1, 15, 15]]);
    await cutAll(bench);
    bench.fill(1, 10, 21);
    await bench.maintain();
    const columns = makeColumns();
    pin.read(0, -Infinity, Infinity, columns);
    expect([...columns.times.subarray(0, columns.length)]).toEqual(
      Array.from({ length: 12 }, (_, i) => i + 1),
    );
    pin[Symbol.dispose]();
    for (let i = 0; i < 3; i += 1) await cutAll(bench);
    expect(bench.blocks.idleLsn(1)).toBe(bench.lsn);
    expect(bench.times(1)).toEqual([]);
    await bench.close();
  });

  test("a cut that the disk refuses keeps everything, waits before it tries again, and does when asked", async () => {
    const disk = simDisk();
    const bench = await openWith(factory, {}, disk);
    bench.fill(1, 14, 1);
    await bench.maintain();
    disk.fault = (_number, operation, path) =>
      operation === "write" && path.includes(".tmp-for-creation") ? "ENOSPC" : undefined;
    await expect(
      bench.blocks.maintain({ budgetMs: Infinity, cutBefore: 10 }),
    ).rejects.toMatchObject({ code: "STORAGE_FULL" });
    expect([...stored(bench, 1), ...bench.times(1)].length).toBe(14);
    const { operations } = disk;
    await bench.blocks.maintain({ budgetMs: Infinity });
    expect(disk.operations - operations).toBeLessThan(3); // It does not write a block again at once.
    disk.fault = undefined;
    await cutAll(bench);
    expect(stored(bench, 1)).toEqual(Array.from({ length: 14 }, (_, i) => i + 1));
    await bench.close();
  });

  test("takes late rows within the window, merges them when read, and cuts them to blocks", async () => {
    const bench = await openWith(factory, { outOfOrderWindowMs: 12 });
    bench.fill(1, 15, 6); // 6 … 20
    expect(bench.write([[1, 5, 5], [1, 8, 8], [2, 9, 9], [1, 8, 8], [1, 8, 7]])).toEqual([
      OUT_OF_ORDER, LATE, ACCEPTED, LATE, LATE,
    ]); // prettier-ignore
    expect(bench.write([[1, 8, 8]])).toEqual([REPEATED]);
    expect(bench.times(1)).toEqual(Array.from({ length: 15 }, (_, i) => i + 6));
    expect(bench.times(2)).toEqual([9]);
    expect(bench.blocks.idleLsn(2)).toBe(Infinity);
    await cutAll(bench);
    expect(stored(bench, 2)).toEqual([9]);
    expect(bench.stats.lateSamples).toBe(0);
    expect(bench.times(2)).toEqual([]);
    await bench.close();
  });

  test("hides deleted samples, also from blocks that are cut from them", async () => {
    const bench = await openWith(factory);
    bench.fill(1, 14, 1);
    const span = new Float64Array(2);
    expect(bench.blocks.span(1, 4, 8, span)).toBe(true);
    expect([...span]).toEqual([4, 7]);
    bench.blocks.hide(1, 4, 7, bench.lsn + 1);
    expect(bench.times(1)).toEqual([1, 2, 3, 8, 9, 10, 11, 12, 13, 14]);
    bench.lsn += 1;
    bench.write([[1, 15, 15]]);
    await cutAll(bench);
    expect(stored(bench, 1)).toEqual([1, 2, 3, 8, 9, 10, 11, 12, 13, 14, 15]);
    expect(bench.blocks.span(1, -Infinity, Infinity, span)).toBe(false);
    await bench.close();
  });

  test("finds its blocks again, and passes over what they hold when the log tells it", async () => {
    const disk = simDisk();
    const first = await openWith(factory, {}, disk);
    first.fill(1, 16, 1);
    await first.blocks.maintain({ budgetMs: Infinity });
    await first.close();
    const again = await openWith(factory, {}, disk);
    for (let time = 1; time <= 16; time += 1) {
      again.batch.clear();
      again.batch.refs[again.batch.add(time, time)] = 1;
      again.blocks.replay(again.batch, 0, 1, time, false);
    }
    expect(stored(again, 1)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(again.times(1)).toEqual([10, 11, 12, 13, 14, 15, 16]);
    await again.close();
  });

  test("leaves nothing of a cut that its close ends", async () => {
    const disk = simDisk();
    const bench = await openWith(factory, {}, disk);
    for (let ref = 1; ref <= 300; ref += 1) bench.write([[ref, 1, ref]]);
    bench.write([[1, 16, 16]]);
    const report = await bench.blocks.maintain({ budgetMs: 0 });
    await bench.close();
    expect(disk.list("/").filter((name) => name.includes(".tmp-for"))).toEqual([]);
    expect(report.cutTime).toBe(-Infinity);
  });

  test("forgets idle series, and gives their pages back", async () => {
    const bench = await openWith(factory);
    for (let ref = 1; ref <= 5000; ref += 1) bench.write([[ref, 1, ref]]);
    const { seriesPages } = bench.stats;
    bench.write([[5000, 16, 16]]);
    await cutAll(bench);
    const refs = Uint32Array.from({ length: 5000 }, (_, i) => i + 1);
    expect(refs.every((ref) => bench.blocks.idleLsn(ref) <= bench.lsn)).toBe(true);
    bench.blocks.forget(refs, 5000);
    expect(bench.stats.seriesPages).toBeLessThan(seriesPages);
    expect(bench.write([[6000, 30, 1]])).toEqual([ACCEPTED]);
    expect(bench.times(6000)).toEqual([30]);
    await bench.close();
  });
});
