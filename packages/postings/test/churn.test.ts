import { keyOf, makeBatch, makeRandom } from "@varve/bytes";
import type { Matcher, Postings, SeriesKeys, Variant } from "@varve/contracts";
import { reserveMemory } from "@varve/bytes";
import { expect, test } from "vitest";
import { eagerPostings } from "../src/eager.ts";
import { lazyPostings } from "../src/lazy.ts";

const ROUNDS = 20;
const ROUND_SERIES = 3000;

/** Keys of a store whose series come and go. */
class Keys implements SeriesKeys {
  nextRef = 1;
  readonly keys = new Map<number, Uint8Array>();

  add(key: Uint8Array): number {
    this.keys.set(this.nextRef, key);
    this.nextRef += 1;
    return this.nextRef - 1;
  }

  keyBytes(ref: number): number {
    return this.keys.get(ref)?.length ?? 0;
  }

  copyKey(ref: number, into: Uint8Array, at: number): number {
    const key = this.keys.get(ref);
    if (key === undefined) return 0;
    into.set(key, at);
    return key.length;
  }
}

function equal(name: string, value: string): Matcher {
  return { name, kind: "=", value, values: [value], matches: (other) => other === value };
}

async function open(variant: Variant<"postings">): Promise<{ keys: Keys; postings: Postings }> {
  const keys = new Keys();
  return { keys, postings: await variant.open({ keys }) };
}

for (const variant of [lazyPostings(), eagerPostings()]) {
  test(`${variant.name}: memory is flat over ${ROUNDS} rounds of new series, old ones dropped in pieces`, async () => {
    const { keys, postings } = await open(variant);
    const batch = makeBatch(reserveMemory({ bytesMax: 2 ** 24 }), 1000);
    const bytes: number[] = [];
    let old: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const fresh: number[] = [];
      for (let i = 0; i < ROUND_SERIES; i += 1) {
        if (batch.length === 1000) {
          postings.add(batch, 0, 1000);
          batch.clear();
        }
        const pod = `pod-${round}-${i >> 3}`;
        const key = keyOf({ __name__: `metric_${i & 7}`, pod, zone: `z${i % 3}` });
        const row = batch.add(0, 0);
        batch.reserveKey(row, key.length);
        batch.keys.set(key, batch.keyAt[row]);
        batch.keyAt[row + 1] = batch.keyAt[row]! + key.length;
        batch.refs[row] = keys.add(key);
        batch.isNew[row] = 1;
        fresh.push(batch.refs[row]);
      }
      postings.add(batch, 0, batch.length);
      batch.clear();
      expect(postings.select([equal("pod", `pod-${round}-7`)])).toHaveLength(8);
      for (let at = 0; at < old.length; at += 500) {
        const slice = old.slice(at, at + 500);
        postings.drop(Uint32Array.from(slice), slice.length);
        for (const ref of slice) keys.keys.delete(ref);
        postings.maintain(1);
      }
      for (let i = 0; i < 20; i += 1) postings.maintain(5);
      expect(postings.select([])).toEqual(Uint32Array.from(fresh));
      old = fresh;
      bytes.push(postings.stats.bytes);
    }
    expect(Math.max(...bytes.slice(5))).toBeLessThan(Math.max(...bytes.slice(0, 5)) * 1.1);
    expect(postings.stats.pairs).toBeLessThan(3 * ROUND_SERIES);
  });
}

test("lazy counts what a query had to wait for, and maintenance catches up once somebody has asked", async () => {
  const { keys, postings } = await open(lazyPostings());
  for (let i = 0; i < 1000; i += 1) keys.add(keyOf({ i: String(i) }));
  postings.maintain(1000);
  expect(postings.stats.series).toBe(0);
  postings.select([equal("i", "1")]);
  expect(postings.stats).toMatchObject({ series: 1000, caughtUp: 1000, pairs: 1000, listsRead: 1 });
  for (let i = 1000; i < 1500; i += 1) keys.add(keyOf({ i: String(i) }));
  postings.maintain(1000);
  expect(postings.stats).toMatchObject({ series: 1500, caughtUp: 1000 });
});

test("maintenance goes on where its budget ended", async () => {
  const { keys, postings } = await open(lazyPostings());
  keys.add(keyOf({ i: "first" }));
  postings.select([]);
  for (let i = 0; i < 50_000; i += 1) keys.add(keyOf({ i: String(i) }));
  postings.maintain(0);
  expect(postings.stats.series).toBe(1);
  let before = 1;
  for (let i = 0; postings.stats.series < 50_001; i += 1) {
    postings.maintain(1);
    expect(postings.stats.series).toBeGreaterThanOrEqual(before);
    before = postings.stats.series;
    expect(i).toBeLessThan(100_000);
  }
  expect(postings.stats.caughtUp).toBe(1);
});

test("eager fills lists with what a store held before, in maintenance, unasked", async () => {
  const keys = new Keys();
  for (let i = 0; i < 100; i += 1) keys.add(keyOf({ i: String(i) }));
  const postings = await eagerPostings().open({ keys });
  postings.maintain(1000);
  expect(postings.stats).toMatchObject({ series: 100, caughtUp: 0 });
});

test("sorts values late and only once, also while a sweep is half through them", async () => {
  const random = makeRandom(5);
  const { keys, postings } = await open(lazyPostings());
  const live = new Map<number, string>();
  const add = (): void => {
    const value = `v${random.below(1_000_000)}-${keys.nextRef}`;
    live.set(keys.add(keyOf({ value })), value);
  };
  for (let i = 0; i < 3000; i += 1) add();
  for (let round = 0; round < 20; round += 1) {
    const expected = [...live.values()].sort();
    expect(postings.labelValues("value", [])).toEqual(expected);
    const gone = [...live.keys()].filter(() => random.chance(0.15));
    postings.drop(Uint32Array.from(gone), gone.length);
    for (const ref of gone) {
      keys.keys.delete(ref);
      live.delete(ref);
    }
    for (let i = 0; i < 400; i += 1) add();
    for (let i = random.below(4); i > 0; i -= 1) postings.maintain(0.05);
  }
});

test("refuses every call once it is closed", async () => {
  const { postings } = await open(lazyPostings());
  await postings[Symbol.asyncDispose]();
  const calls = [
    () => postings.select([]),
    () => postings.labelNames([]),
    () => postings.labelValues("a", []),
    () => postings.maintain(1),
    () => postings.drop(new Uint32Array(0), 0),
  ];
  for (const call of calls) expect(call).toThrow(/postings are closed/);
});
