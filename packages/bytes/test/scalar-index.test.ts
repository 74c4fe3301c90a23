import {
  fromScalar,
  keyOf,
  makeBatch,
  makeRandom,
  reserveMemory,
  type RowBatch,
  type ScalarIndex,
} from "@varve/bytes";
import { CONFLICT, LIMIT, NO_SERIES, OPEN, type SeriesIndex } from "@varve/contracts";
import { describe, expect, test } from "vitest";

/** An index that trusts its text form of a key, or nothing but the hash. */
class MapIndex implements ScalarIndex {
  readonly refs = new Map<string, number>();
  readonly #trustsHash: boolean;

  constructor(trustsHash = false) {
    this.#trustsHash = trustsHash;
  }

  get(key: Uint8Array, hashLow: number, hashHigh: number): number {
    return this.refs.get(this.#text(key, hashLow, hashHigh)) ?? NO_SERIES;
  }

  set(key: Uint8Array, hashLow: number, hashHigh: number, ref: number): void {
    this.refs.set(this.#text(key, hashLow, hashHigh), ref);
  }

  delete(key: Uint8Array, hashLow: number, hashHigh: number): void {
    this.refs.delete(this.#text(key, hashLow, hashHigh));
  }

  #text(key: Uint8Array, hashLow: number, hashHigh: number): string {
    return this.#trustsHash ? `${hashLow} ${hashHigh}` : Buffer.from(key).toString("latin1");
  }
}

const memory = reserveMemory({ bytesMax: 2 ** 24 });

/** A batch with a row for each host, hashed by the length of its name only. */
function rowsOf(...hosts: readonly string[]): RowBatch {
  const batch = makeBatch(memory, Math.max(1, hosts.length));
  for (const host of hosts) {
    const row = batch.add(0, 0);
    const key = keyOf({ host });
    batch.reserveKey(row, key.length);
    batch.keys.set(key, batch.keyAt[row]!);
    batch.keyAt[row + 1] = batch.keyAt[row]! + key.length;
    batch.hashes[2 * row] = host.length;
    batch.hashes[2 * row + 1] = 0;
  }
  return batch;
}

function refsOf(index: SeriesIndex, ...hosts: readonly string[]): number[] {
  const batch = rowsOf(...hosts);
  index.find(batch, 0, hosts.length);
  const refs = [...batch.refs.subarray(0, hosts.length)];
  batch.dispose();
  return refs;
}

function keyText(index: SeriesIndex, ref: number): string {
  const into = new Uint8Array(256);
  const length = index.copyKey(ref, into, 3);
  expect(length).toBe(index.keyBytes(ref));
  return Buffer.from(into.subarray(3, 3 + length)).toString("latin1");
}

describe("a lifted index", () => {
  test("gives refs in order of first sight, one for equal keys", () => {
    const index = fromScalar(new MapIndex());
    const batch = rowsOf("a", "b", "a", "c");
    expect(index.insert(batch, 0, 4)).toBe(3);
    expect([...batch.refs]).toEqual([1, 2, 1, 3]);
    expect([index.size, index.nextRef]).toEqual([3, 4]);
    expect(refsOf(index, "c", "d", "a")).toEqual([3, NO_SERIES, 1]);
    expect(keyText(index, 2)).toBe("host\xffb\xff");
  });

  test("leaves rows alone that are outside the range, decided, or have a ref", () => {
    const index = fromScalar(new MapIndex());
    const batch = rowsOf("a", "b", "c", "d");
    batch.status[1] = CONFLICT;
    batch.refs[2] = 77;
    expect(index.insert(batch, 1, 4)).toBe(1);
    expect([...batch.refs]).toEqual([0, 0, 77, 1]);
    index.find(batch, 0, 4);
    expect([...batch.refs]).toEqual([0, 0, 77, 1]);
  });

  test("compares whole keys where its author trusted the hash", () => {
    const index = fromScalar(new MapIndex(true));
    index.insert(rowsOf("a"), 0, 1);
    expect(refsOf(index, "b", "a")).toEqual([NO_SERIES, 1]);
  });

  test("says LIMIT at its bound, still finds what is there, and goes on once there is room", () => {
    const index = fromScalar(new MapIndex(), { seriesMax: 2 });
    const batch = rowsOf("a", "b", "c", "a");
    expect(index.insert(batch, 0, 4)).toBe(2);
    expect([...batch.status]).toEqual([OPEN, OPEN, LIMIT, OPEN]);
    expect([...batch.refs]).toEqual([1, 2, 0, 1]);
    index.drop(Uint32Array.of(1), 1);
    const again = rowsOf("c");
    expect(index.insert(again, 0, 1)).toBe(1);
    expect([again.refs[0], index.size]).toEqual([3, 2]);
  });

  test("replays bindings, the same twice and others anew, and issues no ref again", () => {
    const index = fromScalar(new MapIndex());
    const adopt = (host: string, ref: number): void => {
      const batch = rowsOf(host);
      batch.refs[0] = ref;
      index.adopt(batch, 0, 1);
    };
    adopt("a", 5);
    adopt("a", 5);
    adopt("b", 2);
    adopt("a", 9);
    expect([index.size, index.nextRef, index.keyBytes(5)]).toEqual([2, 10, 0]);
    adopt("c", 2);
    expect(refsOf(index, "a", "b", "c")).toEqual([9, NO_SERIES, 2]);
    expect(index.settle(20)).toEqual({ rebuilt: false, reason: "", dropped: 0 });
    expect(index.settle(3).dropped).toBe(0);
    expect(index.nextRef).toBe(20);
  });

  test("forgets what is dropped, and only that", () => {
    const scalar = new MapIndex();
    const index = fromScalar(scalar);
    index.insert(rowsOf("a", "b"), 0, 2);
    index.drop(Uint32Array.of(1, 99, 1, 2), 3);
    expect([index.size, scalar.refs.size, index.keyBytes(1), index.stats.bytes]).toEqual([
      1, 1, 0, 7,
    ]);
    expect(index.copyKey(1, new Uint8Array(8), 0)).toBe(0);
    expect(refsOf(index, "a", "b")).toEqual([NO_SERIES, 2]);
  });

  test.each([1, 2, 3])("agrees with a Map through thousands of operations (seed %i)", (seed) => {
    const random = makeRandom(seed);
    const index = fromScalar(new MapIndex(), { seriesMax: 60 });
    const model = new Map<string, number>();
    let nextRef = 1;
    for (let step = 0; step < 2000; step += 1) {
      const hosts = Array.from({ length: 1 + random.below(5) }, () => `h${random.below(100)}`);
      const batch = rowsOf(...hosts);
      if (random.chance(0.2)) {
        const ref = 1 + random.below(nextRef);
        index.drop(Uint32Array.of(ref), 1);
        for (const [host, known] of model) if (known === ref) model.delete(host);
      } else if (random.chance(0.7)) {
        index.insert(batch, 0, hosts.length);
        for (const host of hosts)
          if (!model.has(host) && model.size < 60) model.set(host, nextRef++);
        index.find(batch, 0, hosts.length);
      } else {
        index.find(batch, 0, hosts.length);
      }
      const expected = hosts.map((host) => model.get(host) ?? NO_SERIES);
      const when = `seed ${seed}, step ${step}`;
      expect(refsOf(index, ...hosts), when).toEqual(expected);
      expect([index.size, index.nextRef], when).toEqual([model.size, nextRef]);
      batch.dispose();
    }
  });
});
