import { certify, checked } from "@varve/conformance";
import { makeRandom } from "@varve/bytes";
import { isStorageError } from "@varve/contracts";
import { simDisk } from "@varve/disk/sim";
import { describe, expect, test } from "vitest";
import { lmdbFailure } from "../src/errors.ts";
import { lmdbIndex } from "../src/lmdb.ts";
import { goodHash, keyOfRef, numbered, World, zeroHash } from "./world.ts";

certify(lmdbIndex(), { test });
certify(checked(lmdbIndex()), { test });

describe("lmdb", () => {
  test.each([
    ["good", goodHash],
    ["constant", zeroHash],
  ])("agrees with a plain map through operations and reopenings, hashes %s", async (_, hash) => {
    const seed = 5;
    const random = makeRandom(seed);
    using world = new World({ hash });
    const options = { batchRowsMax: 32, seriesMax: 300 };
    let { index } = await world.reopen(options);
    for (let step = 0; step < 1500; step += 1) {
      const keys = Array.from({ length: 1 + random.below(9) }, () => `key ${random.below(400)}`);
      const action = random.below(20);
      if (action < 8) {
        world.fill(keys);
        index.find(world.batch, 0, keys.length);
        const expected = keys.map((key) => world.refs.get(key) ?? 0);
        expect([...world.batch.refs.subarray(0, keys.length)], `seed ${seed}`).toEqual(expected);
      } else if (action < 15) {
        const room = 300 - world.refs.size;
        const fresh = new Set(keys.filter((key) => !world.refs.has(key)));
        expect(world.insert(index, keys), `seed ${seed}`).toBe(Math.min(room, fresh.size));
      } else if (action < 18) {
        const dropped = Uint32Array.from(keys, (key) => world.refs.get(key) ?? world.nextRef + 9);
        index.drop(dropped, dropped.length);
        for (const key of keys) world.refs.delete(key);
      } else if (action < 19) {
        const [key, ref] = [keys[0]!, 1 + random.below(world.nextRef + 3)];
        for (const [other, bound] of world.refs) if (bound === ref) world.refs.delete(other);
        world.refs.set(key, ref);
        world.nextRef = Math.max(world.nextRef, ref + 1);
        world.fill([key]);
        world.batch.refs[0] = ref;
        index.adopt(world.batch, 0, 1);
      } else if (random.chance(0.3)) {
        await index[Symbol.asyncDispose]();
        const reopened = await world.reopen(options);
        index = reopened.index;
        expect(reopened.settlement, `seed ${seed}`).toEqual({
          rebuilt: false,
          reason: "",
          dropped: 0,
        });
      }
      expect([index.size, index.nextRef], `seed ${seed}`).toEqual([world.refs.size, world.nextRef]);
    }
    expect(world.differences(index), `seed ${seed}`).toEqual([]);
    await index[Symbol.asyncDispose]();
  });

  test("finds series at once, before and after the transaction that writes them", async () => {
    using world = new World();
    await using index = await world.open({ batchRowsMax: 100 });
    index.settle(1);
    world.insert(index, numbered("a", 0, 99));
    expect(index.stats.transactions).toBe(0);
    expect(world.differences(index)).toEqual([]);
    world.insert(index, numbered("b", 0, 2));
    expect(index.stats.transactions).toBe(1);
    expect(world.differences(index)).toEqual([]);
    await index.commit(3);
    expect(index.stats.transactions).toBe(2);
    expect(world.differences(index)).toEqual([]);
  });

  test("gives equal keys of one batch one ref", async () => {
    using world = new World();
    await using index = await world.open();
    index.settle(1);
    world.fill(["twice", "once", "twice"]);
    expect(index.insert(world.batch, 0, 3)).toBe(2);
    expect([...world.batch.refs.subarray(0, 3)]).toEqual([1, 2, 1]);
  });

  test("keeps keys longer than LMDB's own keys may be", async () => {
    using world = new World();
    const { index } = await world.reopen();
    world.insert(index, ["x".repeat(5000), "y".repeat(70_000), "z"]);
    await index[Symbol.asyncDispose]();
    const again = await world.reopen();
    expect(again.settlement.rebuilt).toBe(false);
    expect(world.differences(again.index)).toEqual([]);
    await again.index[Symbol.asyncDispose]();
  });

  test("tells series of one hash apart in the store, and takes dropped places again", async () => {
    using world = new World({ hash: zeroHash });
    await using index = await world.open({ batchRowsMax: 4 });
    index.settle(1);
    world.insert(index, numbered("same", 0, 50));
    await index.commit(1);
    expect(index.stats.collisions).toBe(49);
    index.drop(Uint32Array.of(1, 20, 50), 3); // The first has others behind it.
    for (const key of ["same"].flatMap((name) => numbered(name, 0, 50))) {
      if ([1, 20, 50].includes(world.refs.get(key)!)) world.refs.delete(key);
    }
    await index.commit(2);
    expect(world.differences(index)).toEqual([]);
    world.insert(index, numbered("same", 0, 50));
    await index.commit(3);
    expect(index.nextRef).toBe(54);
    expect(world.differences(index)).toEqual([]);
  });

  test("gives LIMIT and refuses commit while the file is full, and loses nothing", async () => {
    using world = new World();
    const options = { batchRowsMax: 50, fileBytesMax: 200_000 };
    const { index } = await world.reopen(options);
    let stored = 0;
    for (let start = 0; ; start += 100) {
      const inserted = world.insert(index, numbered("full", start, 100));
      stored += inserted;
      if (inserted === 100) continue;
      for (let row = inserted; row < 100; row += 1) expect(world.batch.status[row]).toBe(5);
      break;
    }
    expect(stored).toBeGreaterThan(300);
    const isFull = (error: unknown): boolean => isStorageError(error, "STORAGE_FULL");
    await expect(index.commit(1)).rejects.toSatisfy(isFull);
    expect(world.differences(index)).toEqual([]);
    await index[Symbol.asyncDispose]();
    const again = await world.reopen();
    expect(world.differences(again.index)).toEqual([]);
    await again.index[Symbol.asyncDispose]();
  });

  test("refuses a simulated disk with PLAN, and says what to do", async () => {
    using world = new World();
    const disk = simDisk({ seed: 1 });
    disk.makeDirectory("/store");
    const opening = world.open({ disk, dir: "/store/no-such-index" });
    await expect(opening).rejects.toSatisfy((error) => isStorageError(error, "PLAN"));
    await expect(world.open({ disk, dir: "/store/no-such-index" })).rejects.toThrow("nodeDisk");
  });

  test("says CLOSED after it is disposed", async () => {
    using world = new World();
    const { index } = await world.reopen();
    world.insert(index, ["a"]);
    await index[Symbol.asyncDispose]();
    await index[Symbol.asyncDispose]();
    const isClosed = (error: unknown): boolean => isStorageError(error, "CLOSED");
    for (const call of [
      () => index.find(world.batch, 0, 1),
      () => index.insert(world.batch, 0, 1),
      () => index.drop(new Uint32Array(1), 1),
      () => keyOfRef(index, 1),
    ]) {
      expect(call).toThrow("closed");
    }
    await expect(index.commit(1)).rejects.toSatisfy(isClosed);
  });

  test.each([
    [28, "STORAGE_FULL"],
    [-30_792, "STORAGE_FULL"],
    [-30_796, "INDEX_CORRUPT"],
    [5, "DISK"],
    ["EIO", "DISK"],
  ])("turns LMDB's error %s into %s", (code, expected) => {
    const failure = lmdbFailure("write", "/dir", Object.assign(new Error("No space"), { code }));
    expect(failure.code).toBe(expected);
    expect(failure.message).toContain("/dir");
    expect(failure.message).toContain("No space");
  });
});
