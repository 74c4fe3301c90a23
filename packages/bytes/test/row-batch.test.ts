import { keyOf, makeBatch, makeRandom, reserveMemory, type RowBatch } from "@varve/bytes";
import { isStorageError, OPEN, NO_SERIES, type Memory } from "@varve/contracts";
import { describe, expect, test } from "vitest";

function addKey(batch: RowBatch, key: Uint8Array): number {
  const row = batch.add(batch.length + 1, -0.5);
  batch.reserveKey(row, key.length);
  batch.keys.set(key, batch.keyAt[row]!);
  batch.keyAt[row + 1] = batch.keyAt[row]! + key.length;
  return row;
}

describe("a batch", () => {
  test("adds rows that are OPEN, not new, without a ref and without a key", () => {
    const batch = makeBatch(reserveMemory({ bytesMax: 2 ** 20 }), 4);
    batch.refs.fill(9);
    batch.isNew.fill(1);
    batch.status.fill(3);
    expect([batch.add(-1, 0.5), batch.add(2, -0.5)]).toEqual([0, 1]);
    expect(batch.length).toBe(2);
    expect([...batch.refs]).toEqual([NO_SERIES, NO_SERIES, 9, 9]);
    expect([...batch.isNew]).toEqual([0, 0, 1, 1]);
    expect([...batch.status]).toEqual([OPEN, OPEN, 3, 3]);
    expect([...batch.times.subarray(0, 2)]).toEqual([-1, 2]);
    expect([...batch.keyAt]).toEqual([0, 0, 0, 0, 0]);
  });

  test.each([1, 2, 7, 8, 9, 63, 64, 65, 1000])(
    "of %i rows has columns that do not overlap",
    (capacity) => {
      const batch = makeBatch(reserveMemory({ bytesMax: 2 ** 21 }), capacity);
      const columns = [
        batch.times,
        batch.values,
        batch.hashes,
        batch.refs,
        batch.keyAt,
        batch.isNew,
        batch.status,
        batch.keys,
      ];
      const lengths = [1, 1, 2, 1, 1, 1, 1].map((each, i) => each * capacity + (i === 4 ? 1 : 0));
      expect(columns.slice(0, 7).map(({ length }) => length)).toEqual(lengths);
      columns.forEach((column, i) => column.fill(i + 1));
      columns.forEach((column, i) => expect(column.every((cell) => cell === i + 1)).toBe(true));
    },
  );

  test("shows the bits of values as words", () => {
    const batch = makeBatch(reserveMemory({ bytesMax: 2 ** 20 }), 2);
    batch.add(0, 0);
    batch.add(0, 0);
    batch.valueWords.set([2, 0x7ff00000], 2); // The stale marker.
    expect(Number.isNaN(batch.values[1])).toBe(true);
    batch.values.copyWithin(0, 1, 2);
    expect([...batch.valueWords]).toEqual([2, 0x7ff00000, 2, 0x7ff00000]);
  });

  test("keeps every key while its room for keys grows", () => {
    const random = makeRandom(17);
    const memory = reserveMemory({ bytesMax: 2 ** 23 });
    const batch = makeBatch(memory, 500);
    const room = batch.keys.length;
    const keys: Uint8Array[] = [];
    for (let i = 0; i < 500; i += 1) {
      const value = "x".repeat(random.below(i % 50 === 0 ? 4000 : 900));
      keys.push(keyOf({ __name__: `m${i}`, value }));
      addKey(batch, keys[i]!);
    }
    expect(batch.keys.length).toBeGreaterThan(room);
    keys.forEach((key, i) => {
      expect(batch.keys.slice(batch.keyAt[i], batch.keyAt[i + 1])).toEqual(key);
    });
  });

  test("takes what it needs where doubling does not fit, and says LIMIT where nothing does", () => {
    const memory = reserveMemory({ bytesMax: 65_536 });
    const batch = makeBatch(memory, 64); // 16 KiB of keys.
    addKey(batch, new Uint8Array(16_000).fill(1));
    addKey(batch, new Uint8Array(2000).fill(2)); // 32 KiB: the rest of the memory.
    const taken = memory.bytesTaken;
    const error = errorOf(() => batch.reserveKey(2, 40_000));
    expect(isStorageError(error, "LIMIT")).toBe(true);
    expect((error as Error).message).toContain("memoryBytesMax");
    expect(memory.bytesTaken).toBe(taken);
    expect(batch.keys.slice(15_999, 16_001)).toEqual(Uint8Array.of(1, 2));

    const tight = reserveMemory({ bytesMax: 65_536 });
    const small = makeBatch(tight, 64);
    expect(tight.take(16_384)).toBeGreaterThan(0);
    addKey(small, new Uint8Array(16_000).fill(3));
    addKey(small, new Uint8Array(500).fill(4)); // 32 KiB are not left, 24 KiB are.
    expect(small.keys.slice(15_999, 16_001)).toEqual(Uint8Array.of(3, 4));
  });

  test("begins anew after clear", () => {
    const batch = makeBatch(reserveMemory({ bytesMax: 2 ** 20 }), 4);
    addKey(batch, keyOf({ a: "b" }));
    batch.clear();
    expect([batch.length, batch.add(0, 0), batch.keyAt[0], batch.keyAt[1]]).toEqual([0, 0, 0, 0]);
  });

  test("asserts that it has room, and that it has rows at all", () => {
    const memory = reserveMemory({ bytesMax: 2 ** 20 });
    const batch = makeBatch(memory, 1);
    batch.add(0, 0);
    expect(() => batch.add(0, 0)).toThrow("the batch has room: 1 of 1 rows are taken");
    for (const capacity of [0, -1, 1.5]) {
      expect(() => makeBatch(memory, capacity)).toThrow(`a batch has rows, got ${capacity}`);
    }
  });

  test("gives all its memory back, however often its keys grew", () => {
    const memory = reserveMemory({ bytesMax: 2 ** 22 });
    for (let round = 0; round < 50; round += 1) {
      const batch = makeBatch(memory, 100);
      for (let i = 0; i < 100; i += 1) addKey(batch, new Uint8Array(3000));
      batch.dispose();
      expect(memory.bytesTaken).toBe(0);
    }
  });

  test("that does not fit takes nothing", () => {
    const memory: Memory = reserveMemory({ bytesMax: 65_536 });
    for (const capacity of [200, 5000]) {
      const error = errorOf(() => makeBatch(memory, capacity));
      expect(isStorageError(error, "LIMIT")).toBe(true);
      expect(memory.bytesTaken).toBe(0);
    }
  });
});

function errorOf(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}
