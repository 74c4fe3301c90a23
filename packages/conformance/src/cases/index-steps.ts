import { NO_SERIES, type SeriesIndex } from "@varve/contracts";
import { sameList } from "../expect.ts";
import type { KeyHash } from "../hashing.ts";
import { addKeyed } from "../rows.ts";
import type { Trial } from "../trial.ts";

export type IndexTrial = Trial<"series-index">;

/** Opens an index of a new store: nothing to adopt. */
export async function openFresh(
  trial: IndexTrial,
  overrides: Parameters<IndexTrial["open"]>[0] = {},
): Promise<SeriesIndex> {
  const index = await trial.open(overrides);
  index.settle(1);
  return index;
}

/** Finds keys in batches, and returns their refs. */
export function find(
  trial: IndexTrial,
  index: SeriesIndex,
  keys: readonly Uint8Array[],
  hashOf?: KeyHash,
): number[] {
  return inBatches(trial, keys, hashOf, (batch) => index.find(batch, 0, batch.length));
}

/** Inserts keys as an engine does, find first, and returns their refs. */
export function insert(
  trial: IndexTrial,
  index: SeriesIndex,
  keys: readonly Uint8Array[],
  hashOf?: KeyHash,
): number[] {
  return inBatches(trial, keys, hashOf, (batch) => {
    index.find(batch, 0, batch.length);
    index.insert(batch, 0, batch.length);
  });
}

/** Binds keys to refs as a replay does. */
export function adopt(
  trial: IndexTrial,
  index: SeriesIndex,
  keys: readonly Uint8Array[],
  refs: readonly number[],
  hashOf?: KeyHash,
): void {
  let at = 0;
  inBatches(trial, keys, hashOf, (batch) => {
    for (let row = 0; row < batch.length; row += 1) batch.refs[row] = refs[at++]!;
    index.adopt(batch, 0, batch.length);
  });
}

export function drop(index: SeriesIndex, refs: readonly number[]): void {
  index.drop(Uint32Array.from(refs), refs.length);
}

/** The key behind a ref; empty when there is none. */
export function keyBehind(index: SeriesIndex, ref: number): Uint8Array {
  const into = new Uint8Array(index.keyBytes(ref) + 8).fill(0xee);
  const length = index.copyKey(ref, into, 4);
  sameList(into.subarray(0, 4), [0xee, 0xee, 0xee, 0xee], `bytes before the key of ref ${ref}`);
  sameList(
    into.subarray(length + 4),
    new Uint8Array(into.length - length - 4).fill(0xee),
    `bytes after the key of ref ${ref}`,
  );
  return into.slice(4, 4 + length);
}

export function refsOf(count: number, from = 1): number[] {
  return Array.from({ length: count }, (_, i) => from + i);
}

export function none(count: number): number[] {
  return Array.from({ length: count }, () => NO_SERIES);
}

function inBatches(
  trial: IndexTrial,
  keys: readonly Uint8Array[],
  hashOf: KeyHash | undefined,
  work: (batch: ReturnType<IndexTrial["batch"]>) => void,
): number[] {
  const rows = 500;
  const batch = trial.batch(rows);
  const refs: number[] = [];
  for (let from = 0; from < keys.length; from += rows) {
    batch.clear();
    for (const key of keys.slice(from, from + rows)) {
      addKeyed(batch, key, hashOf === undefined ? {} : { hashOf });
    }
    work(batch);
    refs.push(...batch.refs.subarray(0, batch.length));
  }
  batch.dispose();
  return refs;
}
