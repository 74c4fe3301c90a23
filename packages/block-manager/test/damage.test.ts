import { simDisk, type SimDisk } from "@varve/disk/sim";
import { readAll, writeAll } from "@varve/disk/transfer";
import { isStorageError } from "@varve/contracts";
import { describe, expect, test } from "vitest";
import { backgroundBlocks } from "../src/background.ts";
import { immediateBlocks } from "../src/immediate.ts";
import {
  BEGINNING_BYTES,
  fileNumber,
  placeOf,
  RecordView,
  writeMark,
} from "../src/internal/format.ts";
import { SpentFiles } from "../src/internal/spent-files.ts";
import { type Bench, FACTORIES, openBench, QUARANTINE, SEALED, upTo } from "./support/bench.ts";

const OPTIONS = { samplesPerChunk: 2, chunkBytesMax: 64, fileBytesMax: 420, regionsPerRefill: 1 };
const ALL = { budgetMs: 1000, sealBeforeLsn: Number.POSITIVE_INFINITY };
const REFS = [1, 2];
/** Alone they take seconds. */
const WAIT_MS = 120_000;
const SMALL = { memoryBytesMax: 2 ** 19 };
/** The value of samples that no log kept. */
const UNLOGGED = -1;

type Factory = (typeof FACTORIES)[number][1];
type Files = ReadonlyMap<string, Uint8Array>;

/** What the store shows: times by ref. Throws for a sample that nobody has acknowledged. */
function shown(bench: Bench): Set<string> {
  const found = new Set<string>();
  for (const ref of REFS) {
    for (const { time, value } of bench.read(ref)) {
      if (value !== time) throw new Error(`series ${ref} has ${value} at ${time}`);
      found.add(`${ref}@${time}`);
    }
  }
  return found;
}

/**
 * The files of a closed store whose log was cut in both of its lives, and what they hold. The first life ends in a kill, with samples
 * in `sealed/` that the log then has not.
 */
async function cutStore(factory: Factory): Promise<{ files: Files; samples: Set<string> }> {
  const disk = simDisk();
  const first = await openBench(factory(OPTIONS), { ...SMALL, disk });
  for (const ref of REFS) first.fill(ref, 4);
  expect((await first.blocks.maintain(ALL)).durableLsn).toBe(8);
  for (const ref of REFS) for (const time of [5, 6, 7]) first.write([[ref, time, UNLOGGED]]);
  const commitLog = () => Promise.reject(new Error("killed"));
  await expect(first.blocks.maintain({ ...ALL, commitLog })).rejects.toThrow("killed");
  const second = await openBench(factory(OPTIONS), { ...SMALL, disk });
  for (const ref of REFS) second.fill(ref, 4, 5);
  second.lsn = 8;
  await second.maintain();
  for (const ref of REFS) second.fill(ref, 2, 9);
  expect((await second.blocks.maintain(ALL)).durableLsn).toBe(second.lsn);
  await second.close();
  const whole = await openBench(factory(OPTIONS), { ...SMALL, disk });
  const samples = shown(whole);
  expect(samples.size).toBe(10 * REFS.length);
  expect(whole.stats.damaged).toBe(0);
  const files = new Map(
    disk.list(SEALED).map((name) => [name, readAll(disk, `${SEALED}/${name}`)]),
  );
  return { files, samples };
}

function diskOf(files: Files, damaged: string, bytes: Uint8Array): SimDisk {
  const disk = simDisk();
  disk.makeDirectory(SEALED);
  for (const [name, whole] of files)
    put(disk, `${SEALED}/${name}`, name === damaged ? bytes : whole);
  return disk;
}

function put(disk: SimDisk, path: string, bytes: Uint8Array): void {
  if (disk.kind(path) !== "none") disk.unlink(path);
  const fd = disk.open(path, "create");
  writeAll(disk, fd, bytes, 0, bytes.length, 0);
  disk.close(fd);
}

/** Opens a damaged store: what it still shows is all, or it says that it is not. Null for a typed refusal. */
async function openDamaged(disk: SimDisk, factory: Factory, samples: Set<string>) {
  let bench: Bench;
  try {
    bench = await openBench(factory(OPTIONS), { ...SMALL, disk });
  } catch (error) {
    if (isStorageError(error, "UNSUPPORTED_VERSION")) return null;
    throw error;
  }
  const found = shown(bench);
  if (found.size < samples.size && bench.stats.damaged === 0) {
    throw new Error(`${samples.size - found.size} samples vanished, and nobody said so`);
  }
  return { bench, found };
}

/** Damage of one file: what the opening shows stays, however often the store is opened, and what is written to it. */
async function checkDamage(
  disk: SimDisk,
  factory: Factory,
  samples: Set<string>,
  isWorkedOn: boolean,
): Promise<void> {
  const first = await openDamaged(disk, factory, samples);
  if (first === null) return;
  await first.bench.close();
  const second = (await openDamaged(disk, factory, samples))!;
  expect(second.found.size).toBe(first.found.size);
  if (isWorkedOn) {
    // The log was cut beyond all files: those of which nothing counts go.
    for (const ref of REFS) second.bench.fill(ref, 2, 1000);
    await second.bench.blocks.maintain(ALL);
  }
  await second.bench.close();
  const third = (await openDamaged(disk, factory, first.found))!;
  for (const sample of first.found) expect(third.found).toContain(sample);
}

describe.each([
  ["immediate", immediateBlocks, 5],
  ["background", backgroundBlocks, 1],
] as const)("%s: damage to one file of sealed/, once the log was cut", (_, factory, step) => {
  test("is told or costs nothing, whichever bit is flipped", { timeout: WAIT_MS }, async () => {
    const { files, samples } = await cutStore(factory);
    for (const [name, whole] of files) {
      for (let bit = 0; bit < whole.length * 8; bit += step) {
        const bytes = whole.slice();
        bytes[bit >> 3]! ^= 1 << (bit & 7);
        const disk = diskOf(files, name, bytes);
        try {
          // Some of them are opened again, and worked on.
          if (bit % 41 > 0) await openDamaged(disk, factory, samples);
          else await checkDamage(disk, factory, samples, true);
        } catch (error) {
          throw new Error(`bit ${bit & 7} of ${name}@${bit >> 3}`, { cause: error });
        }
      }
    }
  });

  test("is told or costs nothing, wherever the file is cut off", { timeout: WAIT_MS }, async () => {
    const { files, samples } = await cutStore(factory);
    for (const [name, whole] of files) {
      for (let size = 0; size < whole.length; size += 1) {
        const disk = diskOf(files, name, whole.slice(0, size));
        await checkDamage(disk, factory, samples, size % 4 === 0).catch((error: unknown) => {
          throw new Error(`${name} cut off at ${size}`, { cause: error });
        });
      }
    }
  });
});

/** Where the records of a file begin, and where the last one ends. */
function boundsOf(bytes: Uint8Array): number[] {
  const view = new RecordView();
  const bounds = [8];
  while (view.parse(bytes, bounds.at(-1)!, bytes.length)) bounds.push(view.end);
  return bounds;
}

describe.each(FACTORIES)("%s: damage to sealed/", (_, factory) => {
  test("counts what a file lacks that is cut off between two records, while a later file names its end", async () => {
    const { files, samples } = await cutStore(factory);
    let cuts = 0;
    for (const [name, whole] of files) {
      for (const size of boundsOf(whole).slice(0, -1)) {
        const disk = diskOf(files, name, whole.slice(0, size));
        const bench = await openBench(factory(OPTIONS), { ...SMALL, disk });
        const lost = samples.size - shown(bench).size;
        if (lost > 0) expect(bench.stats).toMatchObject({ damaged: 1, quarantined: [] });
        if (lost > 0) cuts += 1;
      }
    }
    expect(cuts).toBeGreaterThan(3);
  });
});

describe("records of sealed/ that lie where they were not written", () => {
  /** A store of two series in one file, ten chunks each, all of one length. */
  async function plainStore() {
    const disk = simDisk();
    const bench = await openBench(backgroundBlocks({ samplesPerChunk: 2 }), { ...SMALL, disk });
    for (let time = 1; time <= 20; time += 1) bench.write(REFS.map((ref) => [ref, time, time]));
    await bench.blocks.maintain(ALL);
    await bench.close();
    const bytes = readAll(disk, `${SEALED}/000001`);
    return { disk, bytes, bounds: boundsOf(bytes).slice(3) };
  }

  test("hide no sound chunk: one that was copied over another costs that one alone, and is told", async () => {
    const { disk, bytes, bounds } = await plainStore();
    for (const [to, from] of [
      [0, 18],
      [1, 18],
      [4, 11],
      [19, 0],
    ] as const) {
      const copy = bytes.slice();
      copy.set(bytes.subarray(bounds[from], bounds[from + 1]), bounds[to]);
      const image = disk.image("everything");
      put(image, `${SEALED}/000001`, copy);
      for (let opening = 0; opening < 2; opening += 1) {
        const bench = await openBench(backgroundBlocks(), { ...SMALL, disk: image });
        expect(shown(bench).size).toBe(38);
        expect(bench.stats.damaged).toBe(1);
        for (const ref of REFS) {
          const times = bench.times(ref);
          expect(times).toEqual(times.toSorted((a, b) => a - b));
        }
        expect(bench.write([[1, 1000 + opening, 1000 + opening]])).toEqual([1]);
        await bench.close();
      }
      expect(image.list(QUARANTINE)).toHaveLength(1);
    }
  });

  test("are cut to a block in the order of time", async () => {
    const { disk, bytes, bounds } = await plainStore();
    const copy = bytes.slice();
    copy.set(bytes.subarray(bounds[18], bounds[19]), bounds[0]);
    put(disk, `${SEALED}/000001`, copy);
    const options = { blockDurationMs: 100 };
    const bench = await openBench(backgroundBlocks(options), { ...SMALL, disk });
    bench.lsn = 20;
    bench.write([[1, 500, 500]]);
    await bench.blocks.maintain({ ...ALL, cutBefore: 100 });
    using pin = bench.blocks.pinBlocks(0, 100);
    const series = pin.blocks[0]!.select([]);
    const counts: number[] = [];
    while (series.next()) {
      const into = {
        times: new Float64Array(64),
        values: new Float64Array(64),
        length: 0,
        reserve: () => undefined,
      };
      series.read(0, 100, into);
      const times = [...into.times.subarray(0, into.length)];
      expect(times).toEqual(times.toSorted((a, b) => a - b));
      counts.push(times.length);
    }
    expect(counts).toEqual([18, 20]);
    await bench.close();
  });
});

describe("marks of sealed/", () => {
  test("of an older release, which no other repeats, count as ever, and a close after some work repeats them", async () => {
    const disk = simDisk();
    const bench = await openBench(backgroundBlocks(), { ...SMALL, disk: simDisk() });
    const { files } = await cutStore(backgroundBlocks);
    const [whole] = files.values();
    const chunks = whole!.slice(BEGINNING_BYTES, boundsOf(whole!)[8]);
    await bench.close();
    // Header, one mark, chunks, and the mark that makes them count.
    const bytes = new Uint8Array(8 + 30 + chunks.length + 30);
    bytes.set(whole!.subarray(0, 8));
    const at = writeMark(bytes, 8, 0, 0);
    bytes.set(chunks, at);
    const end = at + chunks.length;
    writeMark(bytes, end, placeOf(1, end), placeOf(1, end));
    disk.makeDirectory(SEALED);
    put(disk, `${SEALED}/000001`, bytes);
    const old = await openBench(backgroundBlocks(), { ...SMALL, disk });
    const found = shown(old);
    expect(found.size).toBeGreaterThan(4);
    expect(old.stats.damaged).toBe(0);
    await old.close();
    expect(disk.list(SEALED)).toEqual(["000001"]); // Nothing was done: nothing is touched.
    const used = await openBench(backgroundBlocks(), { ...SMALL, disk });
    await used.maintain();
    await used.close();
    expect(disk.list(SEALED)).toEqual(["000001", "000002", "000003"]);
    expect(readAll(disk, `${SEALED}/000001`)).toEqual(bytes);
    put(disk, `${SEALED}/000001`, bytes.slice(0, end));
    disk.unlink(`${SEALED}/000002`);
    const again = await openBench(backgroundBlocks(), { ...SMALL, disk });
    expect(shown(again)).toEqual(found);
    await again.close();
  });

  test("are not repeated at a close that cannot, and the close says nothing: they are as safe as they were", async () => {
    const disk = simDisk();
    const first = await openBench(backgroundBlocks({ samplesPerChunk: 4 }), { ...SMALL, disk });
    first.fill(1, 8);
    await first.maintain();
    let writes = 0;
    disk.fault = (_, operation) => {
      if (operation === "write") writes += 1;
      return operation === "write" && writes > 1 ? "ENOSPC" : undefined;
    };
    await first.close();
    expect(writes).toBe(2);
    disk.fault = undefined;
    const again = await openBench(backgroundBlocks(), { disk: disk.image("nothing") });
    expect(again.times(1)).toEqual(upTo(8));
    await again.close();
  });

  test("keep the log from being cut while two files do not state it", async () => {
    const disk = simDisk();
    const bench = await openBench(backgroundBlocks({ samplesPerChunk: 4 }), { ...SMALL, disk });
    bench.fill(1, 8);
    await bench.maintain();
    for (const errno of ["ENOSPC", "EIO"]) {
      disk.fault = (_, operation, path) =>
        operation === "write" && !path.endsWith("000001") ? errno : undefined;
      await expect(bench.blocks.maintain(ALL)).rejects.toThrow();
      disk.fault = undefined;
      expect((await bench.maintain()).durableLsn).toBe(0);
    }
    expect((await bench.blocks.maintain(ALL)).durableLsn).toBe(8);
    await bench.close();
  });
});

describe("spent files of sealed/", () => {
  async function fourFiles() {
    const disk = simDisk();
    disk.makeDirectory(SEALED);
    const spent = new SpentFiles(disk, SEALED);
    for (const number of [1, 2, 3, 4]) {
      put(disk, `${SEALED}/00000${number}`, Uint8Array.of(number));
      spent.add(number, number === 1 ? 0 : placeOf(number - 1, 1));
      spent.written(number);
    }
    await disk.syncDirectoryAsync(SEALED);
    const left = async () => {
      await spent.remove(9, Infinity, () => undefined);
      return disk.list(SEALED).map(fileNumber);
    };
    return { disk, spent, left };
  }

  test("stay while they name the end of one that is needed", async () => {
    const { spent, left } = await fourFiles();
    spent.released(2);
    spent.released(3);
    expect(await left()).toEqual([1, 2, 4]);
    spent.released(1);
    expect(await left()).toEqual([4]);
  });

  test("stay while what they void may come back", async () => {
    const { disk, spent, left } = await fourFiles();
    spent.holdsVoid(2);
    for (const number of [2, 3, 4]) spent.released(number);
    spent.released(1);
    let isFailing = true;
    disk.fault = (_, operation) => (isFailing && operation === "unlink" ? "EIO" : undefined);
    expect(await left()).toEqual([1, 2, 3, 4]);
    isFailing = false;
    // The others could not be removed, and are left to the next opening; the one that voids them is kept for it.
    expect(await left()).toEqual([1, 2, 3, 4]);
    const again = await fourFiles();
    again.spent.holdsVoid(2);
    for (const number of [1, 2, 3, 4]) again.spent.released(number);
    expect(await again.left()).toEqual([3]);
    expect(again.disk.image("nothing").list(SEALED).map(fileNumber)).not.toContain(2);
    expect(await again.left()).toEqual([]);
  });
});
