import { makeBatch, makeRandom, reserveMemory, type RowBatch } from "@varve/bytes";
import type { Disk, Memory, SeriesIndex, SeriesIndexNeeds, Variant } from "@varve/contracts";
import { expect } from "vitest";

/** Hash of a key for tests: two words. */
export type TestHash = (key: string) => readonly [low: number, high: number];

/** FNV-1a, twice. */
export const goodHash: TestHash = (key) => [fnv(key, 0x811c9dc5), fnv(key, 0x1234567)];
/** What a flood looks like: every key in one place. 0 must not mean empty. */
export const zeroHash: TestHash = () => [0, 0];
/** Many keys to a hash, with words whose sign bit is set. */
export const poorHash: TestHash = (key) => [
  0xffffffff - (key.length % 3),
  0x80000000 + (fnv(key, 1) % 5),
];

function fnv(key: string, basis: number): number {
  let h = basis;
  for (let i = 0; i < key.length; i += 1) h = Math.imul(h ^ key.charCodeAt(i), 0x01000193);
  h ^= h >>> 15;
  return Math.imul(h, 0x85ebca6b) >>> 0;
}

/** Needs of an index in memory. A disk that is touched is a failure. */
export function needsOf(memory: Memory, changes: Partial<SeriesIndexNeeds> = {}): SeriesIndexNeeds {
  const disk = new Proxy({} as Disk, {
    get(_, name) {
      throw new Error(`an index in memory leaves the disk alone, but asked for ${String(name)}`);
    },
  });
  const seed = { low: 1, high: 2 };
  const bounds = { seriesMax: 2 ** 32 - 1, seriesExpected: 0 };
  return { memory, disk, dir: "/none", storeId: "0".repeat(32), seed, ...bounds, ...changes };
}

/** An opened index beside a batch in the same memory. */
export interface World extends AsyncDisposable {
  readonly memory: Memory;
  readonly batch: RowBatch;
  readonly index: SeriesIndex;
}

export async function openWorld(
  variant: Variant<"series-index">,
  options: Partial<SeriesIndexNeeds> & { bytesMax?: number; rows?: number } = {},
): Promise<World> {
  const { bytesMax = 2 ** 26, rows = 256, ...changes } = options;
  const memory = reserveMemory({ bytesMax });
  const batch = makeBatch(memory, rows);
  const index = await variant.open(needsOf(memory, changes));
  index.settle(1);
  return { memory, batch, index, [Symbol.asyncDispose]: () => index[Symbol.asyncDispose]() };
}

/** Fills a batch with rows of these keys (Latin-1 characters are bytes), OPEN and without refs. */
export function fill(batch: RowBatch, keys: readonly string[], hash: TestHash = goodHash): void {
  batch.clear();
  for (const key of keys) {
    const row = batch.add(0, 0);
    batch.reserveKey(row, key.length);
    const at = batch.keyAt[row]!;
    for (let i = 0; i < key.length; i += 1) batch.keys[at + i] = key.charCodeAt(i);
    batch.keyAt[row + 1] = at + key.length;
    const [low, high] = hash(key);
    batch.hashes[2 * row] = low;
    batch.hashes[2 * row + 1] = high;
  }
}

/** The key behind a ref, as `fill` takes it; undefined when there is none. */
export function keyOfRef(index: SeriesIndex, ref: number): string | undefined {
  const length = index.keyBytes(ref);
  const into = new Uint8Array(length + 2).fill(0xee);
  expect(index.copyKey(ref, into, 1)).toBe(length);
  expect([into[0], into[length + 1]]).toEqual([0xee, 0xee]); // Wrote only where it should.
  return length === 0 ? undefined : String.fromCharCode(...into.subarray(1, length + 1));
}

/** Thousands of random operations against two plain Maps. Throws with the seed on the first difference. */
export async function runModel(
  variant: Variant<"series-index">,
  options: {
    seed: number;
    hash: TestHash;
    operations?: number;
    seriesMax?: number;
    names?: number;
  },
): Promise<World> {
  const { seed, hash, operations = 3000, seriesMax = 2 ** 32 - 1, names = 2000 } = options;
  const random = makeRandom(seed);
  const world = await openWorld(variant, { seriesMax });
  const { batch, index } = world;
  const refs = new Map<string, number>();
  const keys = new Map<number, string>();
  let nextRef = 1;
  const pick = (): string => {
    const number = random.below(names);
    return `k${number}`.padEnd(1 + (number % 37), String.fromCharCode(number & 255));
  };
  const unbind = (ref: number): void => {
    const key = keys.get(ref);
    if (key === undefined) return;
    keys.delete(ref);
    refs.delete(key);
  };
  const why = (what: string): string => `${what}, seed ${seed}`;
  for (let step = 0; step < operations; step += 1) {
    const chosen = Array.from({ length: 1 + random.below(20) }, pick);
    fill(batch, chosen, hash);
    const action = random.below(10);
    const from = random.below(chosen.length);
    const until = from + random.below(chosen.length - from + 1);
    if (action < 4) {
      index.find(batch, from, until);
      for (const [row, key] of chosen.entries()) {
        const expected = row >= from && row < until ? (refs.get(key) ?? 0) : 0;
        expect(batch.refs[row], why("find")).toBe(expected);
      }
    } else if (action < 8) {
      let inserted = 0;
      const expected = chosen.map((key, row) => {
        if (row < from || row >= until) return [0, 0];
        const known = refs.get(key);
        if (known !== undefined) return [known, 0];
        if (refs.size >= seriesMax) return [0, 5];
        refs.set(key, nextRef);
        keys.set(nextRef, key);
        inserted += 1;
        return [nextRef++, 0];
      });
      expect(index.insert(batch, from, until), why("insert")).toBe(inserted);
      const actual = chosen.map((_, row) => [batch.refs[row], batch.status[row]]);
      expect(actual, why("insert")).toEqual(expected);
    } else if (action < 9) {
      const dropped = new Uint32Array(8).map(() => random.below(nextRef + 3));
      for (const ref of dropped.subarray(0, 5)) unbind(ref);
      index.drop(dropped, 5);
    } else {
      const ref = 1 + random.below(nextRef + 5);
      batch.refs[0] = ref;
      const key = chosen[0]!;
      if (refs.get(key) !== ref) {
        unbind(refs.get(key) ?? 0);
        unbind(ref);
        refs.set(key, ref);
        keys.set(ref, key);
      }
      nextRef = Math.max(nextRef, ref + 1);
      index.adopt(batch, 0, 1);
    }
    expect([index.size, index.nextRef], why("size and nextRef")).toEqual([refs.size, nextRef]);
    const ref = random.below(nextRef + 2);
    expect(keyOfRef(index, ref), why("key")).toBe(keys.get(ref));
  }
  for (const [ref, key] of keys) expect(keyOfRef(index, ref), why("key at the end")).toBe(key);
  return world;
}
