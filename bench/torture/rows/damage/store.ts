import { backgroundBlocks } from "@varve/block-manager/background";
import type { Disk, Labels, Plan, Variant } from "@varve/contracts";
import { simDisk, type SimDisk } from "@varve/disk/sim";
import { writeAll } from "@varve/disk/transfer";
import { batchedWal } from "@varve/wal/batched";
import { open, recommended, type Engine } from "varve";
import { Broken } from "../../row.ts";
import { valueOf } from "../content/engine-content.ts";

/** Where a row went before the store was closed. The first block is the large one. */
export type Place = "block" | "other block" | "sealed" | "log";

/** How many series, and samples of each. */
export type Rows = readonly [series: number, samples: number];

/** What the parts of a store hold. */
export interface Shape {
  readonly block: Rows;
  readonly sealed: Rows;
  readonly log: Rows;
  /** Ranges of time that are deleted from every series of the first block. */
  readonly deletions?: number;
}

export interface GoodStore {
  readonly disk: SimDisk;
  readonly plan: Plan;
  readonly content: StoreContent;
}

export const DIR = "/data";
const WINDOW_MS = 8000;
const PAGE_BYTES = 32 * 1024;
const NEVER_MS = 2 ** 30;
const MEMORY_BYTES_MAX = 8 * 2 ** 20;
const HASH_SEED = { low: 0x1234_5678, high: 0x0bad_cafe };
const ALL_TIME = [{}] as const;
const WINDOWS = [0, 1, 2, 3].map((i) => ({ from: i * WINDOW_MS, until: (i + 1) * WINDOW_MS }));
/** Series of the block that is not damaged. */
const OTHER_SERIES = 5;

const number = new Float64Array(1);
const words = new Uint32Array(number.buffer);

/** What is known outside of a store: its rows, and where each went. */
export class StoreContent {
  readonly #places = new Map<number, Place>();

  add(series: number, time: number, place: Place): void {
    this.#places.set(keyOf(series, time), place);
  }

  /** A deletion has taken it. */
  delete(series: number, time: number): void {
    this.#places.delete(keyOf(series, time));
  }

  /** The same rows, to be changed apart. */
  copy(): StoreContent {
    const copy = new StoreContent();
    for (const [key, place] of this.#places) copy.#places.set(key, place);
    return copy;
  }

  /**
   * Reads all of a store, window by window where that may tell something else. Every row that it tells was written, is
   * told once and has its value. Answers how many rows of each place are missing.
   */
  async missing(store: Engine, when: string, isByWindow = false): Promise<Missing> {
    const seen = this.look(when);
    for (const range of isByWindow ? WINDOWS : ALL_TIME) {
      for await (const { labels, times, values } of store.select({}, range)) {
        seen.add(seriesOf(labels), times, values, times.length);
      }
    }
    return seen.missing();
  }

  /** Begins to compare with what is read somewhere. */
  look(when: string): Seen {
    return new Seen(this.#places, when);
  }
}

/** How many rows of each place are missing; empty where nothing is. */
export type Missing = ReadonlyMap<Place, number>;

/** What was read of a store. */
export class Seen {
  readonly #places: ReadonlyMap<number, Place>;
  readonly #when: string;
  readonly #found = new Set<number>();

  constructor(places: ReadonlyMap<number, Place>, when: string) {
    this.#places = places;
    this.#when = when;
  }

  /** Takes rows of a series. Throws unless each was written, is new, and has its value. */
  add(series: number, times: Float64Array, values: Float64Array, length: number): void {
    for (let i = 0; i < length; i += 1) {
      const time = times[i]!;
      const key = keyOf(series, time);
      if (!this.#places.has(key)) throw this.#broken(series, time, "was never written, or deleted");
      if (this.#found.has(key)) throw this.#broken(series, time, "is told twice");
      if (!isSameBits(values[i]!, valueOf(series, time))) {
        throw this.#broken(series, time, "has another value");
      }
      this.#found.add(key);
    }
  }

  missing(): Missing {
    const missing = new Map<Place, number>();
    if (this.#found.size === this.#places.size) return missing;
    for (const [key, place] of this.#places) {
      if (!this.#found.has(key)) missing.set(place, (missing.get(place) ?? 0) + 1);
    }
    return missing;
  }

  #broken(series: number, time: number, what: string): Broken {
    return new Broken("wrong", `the row at ${time} of series ${series} ${what}, ${this.#when}`);
  }
}

/** Makes a store on a simulated disk: two blocks, chunks in `sealed/`, a checkpoint, and rows that only the log has. */
export async function makeStore(
  shape: Shape,
  change: Partial<Plan> = {},
  ending: "closed" | "killed" = "closed",
): Promise<GoodStore> {
  const plan = { ...smallPlan(), ...change };
  const disk = simDisk({ seed: 1 });
  const store = await openStore(disk, plan);
  const content = await fillStore(store, shape);
  if (ending === "closed") await store.close();
  else disk.crash();
  return { disk: disk.image("everything"), plan, content };
}

/** Writes rows to every place of a store. All are durable once it resolves. */
export async function fillStore(store: Engine, shape: Shape): Promise<StoreContent> {
  const content = new StoreContent();
  const write = async (rows: Rows, from: number, place: Place): Promise<void> => {
    const [series, samples] = rows;
    const stepMs = Math.floor(WINDOW_MS / 4 / samples);
    for (let i = 0; i < samples; i += 1) {
      for (let each = 0; each < series; each += 1) {
        const time = from + i * stepMs + (each % stepMs);
        store.write(labelsOf(each), time, valueOf(each, time));
        content.add(each, time, place);
      }
      await store.flush(); // Batches that come later say that these are durable.
    }
  };
  await write(shape.block, 0, "block");
  await store.cutBlocks({ before: WINDOW_MS });
  await write([OTHER_SERIES, 2], WINDOW_MS, "other block");
  await store.cutBlocks({ before: 2 * WINDOW_MS });
  await write(shape.sealed, 2 * WINDOW_MS, "sealed");
  await store.compactLog();
  await write(shape.log, 2.5 * WINDOW_MS, "log");
  // Last: a block with many deletions is written anew when there is time.
  if (shape.deletions !== undefined) await remove(store, content, shape.block, shape.deletions);
  return content;
}

/** Deletes a millisecond of every series' rows, again and again: each deletion is a range in the block's tombstones. */
async function remove(
  store: Engine,
  content: StoreContent,
  [series]: Rows,
  deletions: number,
): Promise<void> {
  for (let i = 0; i < deletions; i += 1) {
    const time = 2 * i + 1;
    await store.delete({}, { from: time, until: time + 1 });
    for (let each = 0; each < series; each += 1) content.delete(each, time);
  }
}

/** A row that comes after everything else. */
export function writeNew(store: Engine, content: StoreContent): void {
  const time = 3 * WINDOW_MS - 1;
  store.write(labelsOf(0), time, valueOf(0, time));
  content.add(0, time, "log");
}

/** Small tables and buffers: a store is opened for every damage. */
export function smallPlan(): Plan {
  return {
    ...recommended(),
    wal: logOf(),
    "block-manager": backgroundBlocks({
      blockDurationMs: WINDOW_MS,
      mergeLevels: 0,
      cacheBytesMax: 2 ** 18,
      writeBytesMax: 2 ** 14,
      regionsPerRefill: 16,
    }),
  };
}

/** A log whose segments roll after a page, and no timer of which goes off. */
export function logOf(): Variant<"wal"> {
  return batchedWal({
    segmentBytesMax: PAGE_BYTES,
    groupBytesMax: 4096,
    delayMsMax: NEVER_MS,
  });
}

export function openStore(disk: Disk, plan: Plan, dir: string = DIR): Promise<Engine> {
  return open({
    dir,
    disk,
    plan,
    hashSeed: HASH_SEED,
    memoryBytesMax: MEMORY_BYTES_MAX,
    maintainEveryMs: 0,
    closeDelayMs: NEVER_MS,
    prefaultBytes: 0,
  });
}

/** Some sixty bytes, so that the series of a small store fill a file. */
export function labelsOf(series: number): Labels {
  const name = String(series).padStart(4, "0");
  return { __name__: "damaged", half: String(series % 2), host: `host-${name}.example`, zone: "é" };
}

export function seriesOf(labels: Labels): number {
  const series = Number(labels["host"]?.slice(5, 9));
  const expected = Number.isInteger(series) ? labelsOf(series) : {};
  const names = Object.keys(labels);
  const isSame =
    names.length === Object.keys(expected).length &&
    names.every((name) => labels[name] === expected[name]);
  if (!isSame) throw new Broken("wrong", `nobody wrote a series ${JSON.stringify(labels)}`);
  return series;
}

function keyOf(series: number, time: number): number {
  return time * 4096 + series;
}

function isSameBits(value: number, expected: number): boolean {
  number[0] = value;
  const [low, high] = words;
  number[0] = expected;
  return words[0] === low && words[1] === high;
}

/** Replaces what a file holds, durably. */
export function putFile(disk: SimDisk, path: string, bytes: Uint8Array): void {
  const fd = disk.open(path, "update");
  disk.truncate(fd, 0);
  writeAll(disk, fd, bytes, 0, bytes.length, 0);
  disk.datasync(fd);
  disk.close(fd);
}
