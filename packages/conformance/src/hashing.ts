import type { SeriesHasher, Variant, WriteBatch } from "@varve/contracts";
import { keyOf } from "@varve/bytes";

/** Gives a hash to one key: two words into `into` at 0 and 1. */
export type KeyHash = (bytes: Uint8Array, from: number, until: number, into: Uint32Array) => void;

/** Two label sets that xxh64 cannot tell apart (from prometheus/prometheus, tsdb/agent/series_test.go). */
export const PUBLISHED_PAIR = [
  { __name__: "metric", lbl1: "value", lbl2: "l6CQ5y" },
  { __name__: "metric", lbl1: "value", lbl2: "v7uDlF" },
] as const;

/** The StableHash of both: b38d7fe9e64ad8ca. */
export const PUBLISHED_HASH = { low: 0xe64a_d8ca, high: 0xb38d_7fe9 } as const;

/** Hashes everything to one value: an index that still works compares whole keys. */
export function constantHash(): Variant<"series-id"> {
  return hasher("constant", constantOf);
}

/** Hashes the published pair to the value that xxh64 gives both, and other keys plainly. */
export function publishedPairHash(): Variant<"series-id"> {
  return hasher("published-pair", publishedOf);
}

/** FNV-1a over the key with two offsets: dull, and good enough to spread keys of tests. */
export function plainHash(): Variant<"series-id"> {
  return hasher("plain", plainOf);
}

export const constantOf: KeyHash = (_bytes, _from, _until, into) => {
  into[0] = 7;
  into[1] = 0;
};

export const plainOf: KeyHash = (bytes, from, until, into) => {
  let low = 0x811c9dc5;
  let high = 0x9747b28c;
  for (let i = from; i < until; i += 1) {
    low = Math.imul(low ^ bytes[i]!, 0x01000193);
    high = Math.imul(high ^ bytes[i]!, 0x85ebca6b);
  }
  into[0] = low;
  into[1] = high ^ (low >>> 15);
};

export const publishedOf: KeyHash = (bytes, from, until, into) => {
  const key = Buffer.from(bytes.slice(from, until));
  if (PUBLISHED_PAIR.some((labels) => key.equals(keyOf(labels)))) {
    into[0] = PUBLISHED_HASH.low;
    into[1] = PUBLISHED_HASH.high;
  } else {
    plainOf(bytes, from, until, into);
  }
};

function hasher(name: string, hashOf: KeyHash): Variant<"series-id"> {
  const part: SeriesHasher = {
    hash(batch, from, until) {
      hashRows(batch, from, until, hashOf);
    },
  };
  return { slot: "series-id", name, traits: { stable: false }, open: () => part };
}

/** Fills the hashes of a range of rows. */
export function hashRows(batch: WriteBatch, from: number, until: number, hashOf: KeyHash): void {
  const words = new Uint32Array(2);
  for (let row = from; row < until; row += 1) {
    hashOf(batch.keys, batch.keyAt[row]!, batch.keyAt[row + 1]!, words);
    batch.hashes[2 * row] = words[0]!;
    batch.hashes[2 * row + 1] = words[1]!;
  }
}
