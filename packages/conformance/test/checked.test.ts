import { checked, constantHash, needsFor, plainHash, publishedPairHash } from "@varve/conformance";
import { keyOf, makeBatch, reserveMemory, type RowBatch } from "@varve/bytes";
import { ACCEPTED, AssertionError, type Slot, type Slots, type Variant } from "@varve/contracts";
import { describe, expect, test } from "vitest";
import {
  dullAllocator,
  dullBlocks,
  dullChunk,
  dullIndex,
  dullKey,
  dullLocks,
  dullPostings,
  dullRecord,
  dullWal,
} from "./dull/index.ts";
import type { PlainKeys } from "../src/company/plain-keys.ts";
import { altered } from "./altered.ts";
import { PUBLISHED_HASH, PUBLISHED_PAIR } from "../src/hashing.ts";

async function openChecked<S extends Slot>(variant: Variant<S>): Promise<Slots[S]["part"]> {
  return checked(variant).open(needsFor<S>(variant.slot as S).needs);
}

function rows(count: number): RowBatch {
  const batch = makeBatch(reserveMemory({ bytesMax: 2 ** 20 }), 16);
  const hasher = plainHash().open({ seed: { low: 0, high: 0 } }) as Slots["series-id"]["part"];
  for (let i = 0; i < count; i += 1) {
    const key = keyOf({ n: `${i}` });
    batch.add(i, i);
    batch.reserveKey(i, key.length);
    batch.keys.set(key, batch.keyAt[i]);
    batch.keyAt[i + 1] = batch.keyAt[i]! + key.length;
    batch.refs[i] = 0;
  }
  hasher.hash(batch, 0, count);
  return batch;
}

describe("a checked allocator", () => {
  test("refuses a region that is released twice, or used after its release", async () => {
    const allocator = await openChecked(dullAllocator());
    const region = allocator.acquire(64);
    allocator.release(region);
    expect(() => allocator.release(region)).toThrow(AssertionError);
    expect(() => allocator.bytes(region)).toThrow(/was released before/);
    expect(() => allocator.at(99)).toThrow(/was never acquired/);
  });

  test("fills released bytes with 0xDB, so that stale readers notice", async () => {
    const allocator = await openChecked(dullAllocator());
    const region = allocator.acquire(64);
    const bytes = allocator.bytes(region);
    bytes.fill(1);
    allocator.release(region);
    expect([...bytes]).toEqual(Array.from({ length: 64 }, () => 0xdb));
  });

  test("notices a write to a region after its release, when it is handed out again", async () => {
    const bytes = new Uint8Array(64);
    const stats = { liveBytes: 0, acquired: 0, hits: 0, retainedBytes: 0, batches: 0 };
    const one: Variant<"allocator"> = {
      ...dullAllocator(),
      open: () => ({
        acquire: () => 1,
        acquireMany: () => 0,
        release() {},
        bytes: () => bytes,
        at: () => 0,
        capacity: () => 64,
        stats: { ...stats, live: 0 },
      }),
    };
    const allocator = await openChecked(one);
    allocator.release(allocator.acquire(64));
    allocator.release(allocator.acquire(64));
    bytes[40] = 1;
    expect(() => allocator.acquire(64)).toThrow(/nobody writes to region 1 after its release/);
  });
});

describe("a checked index", () => {
  test("refuses rows that were not hashed, and calls before settle", async () => {
    const index = await openChecked(dullIndex());
    const batch = rows(3);
    expect(() => index.find(batch, 0, 3)).toThrow(/settle comes before/);
    index.settle(1);
    index.find(batch, 0, 3);
    batch.hashes.fill(0);
    expect(() => index.insert(batch, 0, 3)).toThrow(/hashed before the index sees it/);
    expect(() => index.find(batch, 0, 4)).toThrow(/rows of a batch of 3/);
    expect(() => index.settle(1)).toThrow(/settle is called once/);
  });

  test("refuses adopt after settle", async () => {
    const index = await openChecked(dullIndex());
    index.settle(1);
    expect(() => index.adopt(rows(1), 0, 1)).toThrow(/adopt comes before settle/);
  });

  test("notices an index that changes a ref that was set", async () => {
    const meddling: Variant<"series-index"> = {
      ...dullIndex(),
      open: async (needs) => {
        const index = await dullIndex().open(needs);
        const find = index.find.bind(index);
        index.find = (batch, from, until) => {
          find(batch, from, until);
          batch.refs[0] = 5;
        };
        return index;
      },
    };
    const index = await openChecked(meddling);
    index.settle(1);
    const batch = rows(2);
    batch.refs[0] = 9;
    expect(() => index.find(batch, 0, 2)).toThrow(/find leaves ref 9 of row 0 alone, got 5/);
  });
});

describe("a checked log", () => {
  test("refuses append before replay, a second replay, and records without an end", async () => {
    const wal = await openChecked(dullWal());
    expect(() => wal.append()).toThrow(/replay comes before/);
    wal.replay(() => {});
    expect(() => wal.replay(() => {})).toThrow(/replay is called once/);
    wal.buffer.length = 3;
    expect(() => wal.append()).toThrow(/records are whole/);
    await wal[Symbol.asyncDispose]();
    expect(() => wal.append()).toThrow(/the log is open/);
  });
});

describe("a checked block manager", () => {
  async function open(): Promise<[Slots["block-manager"]["part"], RowBatch]> {
    const batch = rows(3);
    for (let i = 0; i < 3; i += 1) batch.refs[i] = i + 1;
    return [await openChecked(dullBlocks()), batch];
  }

  test("refuses rows that were not admitted, or not in their order", async () => {
    const [blocks, batch] = await open();
    batch.status[0] = ACCEPTED;
    expect(() => blocks.append(batch, 0, 1, 1)).toThrow(/is the oldest admitted/);
    const [others, more] = await open();
    others.admit(more, 0, 3);
    expect(() => others.append(more, 1, 2, 1)).toThrow(/is the oldest admitted/);
  });

  test("refuses to withdraw any but the latest rows", async () => {
    const [blocks, batch] = await open();
    blocks.admit(batch, 0, 3);
    expect(() => blocks.withdraw(batch, 0, 1)).toThrow(/is the latest admitted/);
  });

  test("refuses batches that go back in the log, times that are no integers, and pins that were disposed", async () => {
    const [blocks, batch] = await open();
    batch.times[2] = 0.5;
    expect(() => blocks.admit(batch, 2, 3)).toThrow(/time of row 2 is a safe integer/);
    blocks.admit(batch, 0, 2);
    blocks.append(batch, 0, 1, 5);
    expect(() => blocks.append(batch, 1, 2, 4)).toThrow(/applied in order: 4 after 5/);
    const pin = blocks.pin(Uint32Array.of(1), 1);
    pin[Symbol.dispose]();
    const into = {
      times: new Float64Array(1),
      values: new Float64Array(1),
      length: 0,
      reserve() {},
    };
    expect(() => pin.read(0, 0, 9, into)).toThrow(/before it is disposed/);
  });
});

describe("checked postings", () => {
  test("refuse new rows without a ref or a key, and series that return under their old ref", async () => {
    const { needs } = needsFor("postings");
    const keys = needs.keys as PlainKeys;
    const postings = await checked(dullPostings()).open(needs);
    const batch = rows(2);
    batch.isNew[0] = 1;
    expect(() => postings.add(batch, 0, 1)).toThrow(/new row 0 has a ref/);
    batch.refs[0] = 1;
    expect(() => postings.add(batch, 0, 1)).toThrow(/carries the key of series 1/);
    keys.set(1, keyOf({ n: "0" }));
    postings.add(batch, 0, 1);
    postings.drop(Uint32Array.of(1), 1);
    expect(() => postings.add(batch, 0, 1)).toThrow(/does not return/);
    expect(() => postings.drop(Uint32Array.of(1), 2)).toThrow(/2 refs are in an array of 1/);
    await postings[Symbol.asyncDispose]();
    expect(() => postings.select([])).toThrow(/are open/);
  });

  test("notice answers that are out of order, dropped, or have no key", async () => {
    const { needs } = needsFor("postings");
    const keys = needs.keys as PlainKeys;
    for (const ref of [1, 2, 3]) keys.set(ref, keyOf({ n: `${ref}` }));
    let answer = [2, 1];
    const wrong = altered(dullPostings(), () => ({
      select: () => Uint32Array.from(answer),
      labelNames: () => ["b", "a"],
    }));
    const postings = await checked(wrong).open(needs);
    expect(() => postings.select([])).toThrow(/refs ascend: 1 after 2/);
    expect(() => postings.labelNames([])).toThrow(/a comes behind b/);
    answer = [1, 9];
    expect(() => postings.select([])).toThrow(/series 9 has a key/);
    answer = [1, 2];
    postings.drop(Uint32Array.of(2), 1);
    expect(() => postings.select([])).toThrow(/series 2 was not dropped/);
  });
});

describe("other checked parts", () => {
  test("locks refuse a release without an acquire, and a second acquire", async () => {
    const locks = await openChecked(dullLocks());
    expect(() => locks.release()).toThrow(/was acquired/);
    locks.acquire();
    expect(() => locks.acquire()).toThrow(/not acquired by who holds it/);
  });

  test("chunks refuse times that do not increase, and a state out of line", async () => {
    const codec = await openChecked(dullChunk());
    const state = { words: new Int32Array(8), doubles: new Float64Array(0) };
    const aligned = { words: state.words, doubles: new Float64Array(state.words.buffer) };
    const bytes = new Uint8Array(200);
    expect(() => codec.open(aligned, 4, bytes, 0)).toThrow(/multiple of 8/);
    expect(() => codec.open(state, 0, bytes, 0)).toThrow(/views of the same bytes/);
    codec.open(aligned, 0, bytes, 0);
    codec.append(aligned, 0, bytes, 0, 200, 5, 0, 0);
    expect(() => codec.append(aligned, 0, bytes, 0, 200, 5, 0, 0)).toThrow(/times increase/);
    expect(() => codec.append(aligned, 0, bytes, 0, 201, 6, 0, 0)).toThrow(/inside the array/);
  });

  test("records refuse accepted rows without a ref, and new series without a key", async () => {
    const codec = await openChecked(dullRecord());
    const batch = rows(1);
    batch.status[0] = ACCEPTED;
    const into = (await openChecked(dullWal())).buffer;
    expect(() => codec.encode(batch, 0, 1, into)).toThrow(/has a ref/);
    batch.refs[0] = 1;
    batch.isNew[0] = 1;
    batch.keyAt[1] = 0;
    expect(() => codec.encode(batch, 0, 1, into)).toThrow(/carries its key/);
  });

  test("keys notice an encoder that writes another key", async () => {
    const wrong: Variant<"label-key"> = {
      ...dullKey(),
      open: async (needs) => {
        const encoder = await dullKey().open(needs);
        return { encode: (_labels, batch, row) => encoder.encode({ other: "x" }, batch, row) };
      },
    };
    const encoder = await openChecked(wrong);
    expect(() => encoder.encode({ a: "b" }, rows(1), 0)).toThrow(/is the canonical key of/);
  });
});

describe("hash stubs", () => {
  test("give every key one hash, or the published pair one", async () => {
    const needs = { seed: { low: 0, high: 0 } };
    const batch = rows(2);
    (await constantHash().open(needs)).hash(batch, 0, 2);
    expect(batch.hashes[0]).toBe(batch.hashes[2]);
    expect(batch.hashes[1]).toBe(batch.hashes[3]);
    batch.clear();
    for (const [i, labels] of PUBLISHED_PAIR.entries()) {
      const key = keyOf(labels);
      batch.add(0, 0);
      batch.keys.set(key, batch.keyAt[i]);
      batch.keyAt[i + 1] = batch.keyAt[i]! + key.length;
    }
    (await publishedPairHash().open(needs)).hash(batch, 0, 2);
    const { low, high } = PUBLISHED_HASH;
    expect([...batch.hashes.subarray(0, 4)]).toEqual([low, high, low, high]);
  });
});
