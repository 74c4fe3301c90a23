import { keyOf } from "@varve/bytes";
import type { Labels, SeriesHasher } from "@varve/contracts";
import { cases } from "../case.ts";
import { holds, same } from "../expect.ts";
import { PUBLISHED_PAIR } from "../hashing.ts";
import { addKeyed, bytesOf, keyOfNumber } from "../rows.ts";
import type { Trial } from "../trial.ts";

const SEED_ZERO = { seed: { low: 0, high: 0 } };

/** Prometheus' constants for StableHash (FORMATS §15), and the published pair that it cannot tell apart. */
const STABLE_HASHES: readonly (readonly [Labels, hash: string])[] = [
  [{}, "ef46db3751d8e999"],
  [{ hello: "world" }, "347c8ee7a9e29708"],
  [{ __name__: "metric", label: "value" }, "cbab40540f26097d"],
  [PUBLISHED_PAIR[0], "b38d7fe9e64ad8ca"],
  [PUBLISHED_PAIR[1], "b38d7fe9e64ad8ca"],
];

export const seriesIdCases = cases("series-id", {
  "gives-equal-keys-equal-hashes": {
    title: "gives a key the same hash wherever it lies in whatever batch",
    async run(trial) {
      const hasher = await trial.open();
      for (let length = 0; length <= 200; length += 1) {
        const key = new Uint8Array(length).map(() => trial.random.below(256));
        const wanted = hashOf(trial, hasher, key, 0);
        for (const pad of [1, 3, 8, 31])
          same(hashOf(trial, hasher, key, pad), wanted, `hash at ${pad}`);
      }
    },
  },
  "hashes-its-range-only": {
    title: "fills the hashes of its range, and changes nothing else",
    async run(trial) {
      const hasher = await trial.open();
      const batch = trial.batch(5);
      for (let n = 0; n < 5; n += 1) addKeyed(batch, keyOfNumber(n), { ref: n + 1, time: n });
      batch.hashes.fill(0x5555_5555);
      const keys = batch.keys.slice();
      hasher.hash(batch, 1, 3);
      for (const row of [0, 3, 4]) {
        same(batch.hashes[2 * row], 0x5555_5555, `low word of row ${row}`);
        same(batch.hashes[2 * row + 1], 0x5555_5555, `high word of row ${row}`);
      }
      holds(batch.hashes[2] !== 0x5555_5555, "row 1 is hashed");
      holds(batch.hashes[4] !== 0x5555_5555, "row 2 is hashed");
      for (let n = 0; n < 5; n += 1) same(batch.refs[n], n + 1, `ref of row ${n}`);
      holds(Buffer.from(keys).equals(Buffer.from(batch.keys)), "keys stay as they are");
      hasher.hash(batch, 2, 2);
    },
  },
  "hashes-rows-alone-and-together-alike": {
    title: "gives a row hashed alone the hash that it has within a range",
    async run(trial) {
      const hasher = await trial.open();
      const batch = trial.batch(100);
      for (let n = 0; n < 100; n += 1) addKeyed(batch, keyOfNumber(n));
      hasher.hash(batch, 0, 100);
      const together = batch.hashes.slice();
      for (let row = 99; row >= 0; row -= 1) hasher.hash(batch, row, row + 1);
      for (let i = 0; i < 200; i += 1) same(batch.hashes[i], together[i], `word ${i}`);
    },
  },
  "depends-on-every-byte": {
    title: "gives keys other hashes when any one byte or the length differs",
    async run(trial) {
      const hasher = await trial.open();
      for (const length of [1, 4, 7, 8, 9, 31, 32, 33, 64, 188]) {
        const key = new Uint8Array(length).map(() => 97 + trial.random.below(26));
        const wanted = hashOf(trial, hasher, key, 0);
        for (let i = 0; i < length; i += 1) {
          const other = key.slice();
          other[i] = other[i]! ^ 1;
          holds(hashOf(trial, hasher, other, 0) !== wanted, `byte ${i} of ${length} counts`);
        }
        holds(hashOf(trial, hasher, Uint8Array.of(...key, 97), 0) !== wanted, "the length counts");
      }
    },
  },
  "spreads-keys": {
    title: "gives 20,000 keys hardly any equal hash, and uses both words",
    async run(trial) {
      const hasher = await trial.open();
      const seen = new Set<string>();
      const lows = new Set<string>();
      const highs = new Set<string>();
      for (let n = 0; n < 20_000; n += 1) {
        const hash = hashOf(trial, hasher, keyOfNumber(n), 0);
        seen.add(hash);
        highs.add(hash.slice(0, 8));
        lows.add(hash.slice(8));
      }
      holds(seen.size >= 19_990, `at most 10 of 20,000 keys collide, got ${20_000 - seen.size}`);
      holds(lows.size > 19_000, `low words differ, got ${lows.size} of 20,000`);
      holds(highs.size > 1, "high words differ");
    },
  },
  "hashes-alike-when-reopened": {
    title: "gives equal keys equal hashes in every part opened with the same seed",
    async run(trial) {
      const one = await trial.open();
      const other = await trial.open();
      for (let n = 0; n < 500; n += 1) {
        const key = keyOfNumber(n);
        same(hashOf(trial, one, key, 0), hashOf(trial, other, key, 0), `hash of key ${n}`);
      }
    },
  },
  "depends-on-its-seed": {
    title: "gives keys other hashes under another seed",
    async run(trial) {
      const one = await trial.open({ seed: { low: 1, high: 2 } });
      for (const seed of [
        { low: 2, high: 2 },
        { low: 1, high: 3 },
      ]) {
        const other = await trial.open({ seed });
        let equal = 0;
        for (let n = 0; n < 100; n += 1) {
          const key = keyOfNumber(n);
          if (hashOf(trial, one, key, 0) === hashOf(trial, other, key, 0)) equal += 1;
        }
        holds(
          equal < 3,
          `seeds ${seed.low} and ${seed.high} change hashes, ${equal} of 100 are equal`,
        );
      }
    },
  },
  "gives-stable-hash": {
    title: "gives Prometheus' StableHash under seed 0",
    applies: ({ traits }) => traits.stable,
    async run(trial) {
      const hasher = await trial.open(SEED_ZERO);
      for (const [labels, hash] of STABLE_HASHES) {
        same(hashOf(trial, hasher, keyOf(labels), 0), hash, `hash of ${JSON.stringify(labels)}`);
      }
    },
  },
  "gives-other-hashes-than-stable": {
    title: "does not give StableHash under seed 0, as its trait says",
    applies: ({ traits }) => !traits.stable,
    async run(trial) {
      const hasher = await trial.open(SEED_ZERO);
      const equal = STABLE_HASHES.filter(
        ([labels, hash]) => hashOf(trial, hasher, keyOf(labels), 0) === hash,
      );
      holds(equal.length < STABLE_HASHES.length, "some hash differs from StableHash");
    },
  },
  "takes-keys-of-any-size": {
    title: "hashes keys of 300 KB, and tells them apart by their last byte",
    async run(trial) {
      const hasher = await trial.open();
      const key = new Uint8Array(300_000).fill(0xff);
      const wanted = hashOf(trial, hasher, key, 0);
      key[299_999] = 0xfe;
      holds(hashOf(trial, hasher, key, 0) !== wanted, "the last byte counts");
    },
  },
});

/** The hash of a key that lies behind a row of `pad` bytes: 16 hex digits. */
function hashOf(
  trial: Trial<"series-id">,
  hasher: SeriesHasher,
  key: Uint8Array,
  pad: number,
): string {
  const batch = trial.batch(2);
  addKeyed(batch, bytesOf("p".repeat(pad)));
  const row = addKeyed(batch, key);
  hasher.hash(batch, row, row + 1);
  const [low, high] = [batch.hashes[2 * row]!, batch.hashes[2 * row + 1]!];
  batch.dispose();
  return high.toString(16).padStart(8, "0") + low.toString(16).padStart(8, "0");
}
