import {
  LIMIT,
  NO_SERIES,
  OPEN,
  type IndexSettlement,
  type SeriesIndex,
  type SeriesIndexStats,
  type SeriesRef,
  type WriteBatch,
} from "@varve/contracts";
import { equalBytes } from "./compare.ts";

/** An index one key at a time, for authors who want to start small: `fromScalar` makes a batch part of it. */
export interface ScalarIndex {
  /** The ref bound to a key, or NO_SERIES. `hash` is the key's, as two words; `key` is valid only during the call. */
  get(key: Uint8Array, hashLow: number, hashHigh: number): SeriesRef;
  /** Binds a key to a ref; the key is the callee's to keep. */
  set(key: Uint8Array, hashLow: number, hashHigh: number, ref: SeriesRef): void;
  /** Forgets a binding that exists. */
  delete(key: Uint8Array, hashLow: number, hashHigh: number, ref: SeriesRef): void;
}

/**
 * Lifts a scalar index to the batch contract: refs, limits, key copies and replay are done here.
 * Costs an allocation a key and a row more than an index written for batches.
 */
export function fromScalar(
  scalar: ScalarIndex,
  options: { readonly seriesMax?: number } = {},
): SeriesIndex {
  const { seriesMax = 2 ** 32 - 1 } = options;
  return new LiftedIndex(scalar, seriesMax);
}

interface Entry {
  readonly key: Uint8Array;
  readonly hashLow: number;
  readonly hashHigh: number;
}

class LiftedIndex implements SeriesIndex {
  readonly #scalar: ScalarIndex;
  readonly #seriesMax: number;
  readonly #entries = new Map<SeriesRef, Entry>();
  #nextRef: SeriesRef = 1;
  #bytes = 0;

  constructor(scalar: ScalarIndex, seriesMax: number) {
    this.#scalar = scalar;
    this.#seriesMax = seriesMax;
  }

  get size(): number {
    return this.#entries.size;
  }

  get nextRef(): SeriesRef {
    return this.#nextRef;
  }

  get stats(): SeriesIndexStats {
    return {
      probes: 0,
      growths: 0,
      collisions: 0,
      overflowed: 0,
      bytes: this.#bytes,
      transactions: 0,
    };
  }

  find(batch: WriteBatch, from: number, until: number): void {
    for (let row = from; row < until; row += 1) {
      if (batch.refs[row] === NO_SERIES) batch.refs[row] = this.#lookUp(batch, row);
    }
  }

  insert(batch: WriteBatch, from: number, until: number): number {
    let inserted = 0;
    for (let row = from; row < until; row += 1) {
      if (batch.status[row] !== OPEN || batch.refs[row] !== NO_SERIES) continue;
      let ref = this.#lookUp(batch, row);
      if (ref === NO_SERIES) {
        if (this.size >= this.#seriesMax || this.#nextRef > 0xffffffff) {
          batch.status[row] = LIMIT;
          continue;
        }
        ref = this.#nextRef;
        this.#bind(batch, row, ref);
        inserted += 1;
      }
      batch.refs[row] = ref;
    }
    return inserted;
  }

  adopt(batch: WriteBatch, from: number, until: number): void {
    for (let row = from; row < until; row += 1) {
      const ref = batch.refs[row]!;
      const known = this.#lookUp(batch, row);
      if (known === ref) continue;
      if (known !== NO_SERIES) this.#forget(known);
      this.#forget(ref);
      this.#bind(batch, row, ref);
    }
  }

  settle(nextRef: SeriesRef): IndexSettlement {
    this.#nextRef = Math.max(this.#nextRef, nextRef);
    return { rebuilt: false, reason: "", dropped: 0 };
  }

  drop(refs: Uint32Array, count: number): void {
    for (let i = 0; i < count; i += 1) this.#forget(refs[i]!);
  }

  keyBytes(ref: SeriesRef): number {
    return this.#entries.get(ref)?.key.length ?? 0;
  }

  copyKey(ref: SeriesRef, into: Uint8Array, at: number): number {
    const entry = this.#entries.get(ref);
    if (entry === undefined) return 0;
    into.set(entry.key, at);
    return entry.key.length;
  }

  async commit(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {
    this.#entries.clear();
  }

  #lookUp(batch: WriteBatch, row: number): SeriesRef {
    const from = batch.keyAt[row]!;
    const until = batch.keyAt[row + 1]!;
    const key = batch.keys.subarray(from, until);
    const ref = this.#scalar.get(key, batch.hashes[2 * row]!, batch.hashes[2 * row + 1]!);
    // The whole key decides, even where an author trusted the hash.
    const entry = ref === NO_SERIES ? undefined : this.#entries.get(ref);
    if (entry === undefined) return NO_SERIES;
    return equalBytes(entry.key, 0, entry.key.length, batch.keys, from, until) ? ref : NO_SERIES;
  }

  #bind(batch: WriteBatch, row: number, ref: SeriesRef): void {
    const key = batch.keys.slice(batch.keyAt[row], batch.keyAt[row + 1]);
    const hashLow = batch.hashes[2 * row]!;
    const hashHigh = batch.hashes[2 * row + 1]!;
    this.#scalar.set(key, hashLow, hashHigh, ref);
    this.#entries.set(ref, { key, hashLow, hashHigh });
    this.#bytes += key.length;
    this.#nextRef = Math.max(this.#nextRef, ref + 1);
  }

  #forget(ref: SeriesRef): void {
    const entry = this.#entries.get(ref);
    if (entry === undefined) return;
    this.#scalar.delete(entry.key, entry.hashLow, entry.hashHigh, ref);
    this.#entries.delete(ref);
    this.#bytes -= entry.key.length;
  }
}
