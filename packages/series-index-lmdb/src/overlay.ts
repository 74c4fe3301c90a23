import { equalBytes } from "@varve/bytes";
import type { SeriesRef } from "@varve/contracts";

/** A series that is bound and not yet in a transaction. */
export interface Pending {
  readonly ref: SeriesRef;
  readonly low: number;
  readonly high: number;
  readonly key: Uint8Array;
}

/** Series that wait for the next transaction: found at once, by key and by ref. */
export class Overlay {
  /** By a word of the hash; series that share one follow each other. */
  readonly #byHash = new Map<number, Pending[]>();
  readonly #byRef = new Map<SeriesRef, Pending>();
  #keyBytes = 0;

  get size(): number {
    return this.#byRef.size;
  }

  get bytes(): number {
    return this.#keyBytes + this.#byRef.size * 200;
  }

  find(
    low: number,
    high: number,
    bytes: Uint8Array,
    from: number,
    until: number,
  ): Pending | undefined {
    const chain = this.#byHash.get((low ^ high) | 0);
    if (chain === undefined) return undefined;
    for (const pending of chain) {
      const { key } = pending;
      if (pending.low !== low || pending.high !== high) continue;
      if (equalBytes(key, 0, key.length, bytes, from, until)) return pending;
    }
    return undefined;
  }

  get(ref: SeriesRef): Pending | undefined {
    return this.#byRef.get(ref);
  }

  add(pending: Pending): void {
    const word = (pending.low ^ pending.high) | 0;
    const chain = this.#byHash.get(word);
    if (chain === undefined) this.#byHash.set(word, [pending]);
    else chain.push(pending);
    this.#byRef.set(pending.ref, pending);
    this.#keyBytes += pending.key.length;
  }

  /** Takes a series out; false when it is not here. */
  remove(ref: SeriesRef): boolean {
    const pending = this.#byRef.get(ref);
    if (pending === undefined) return false;
    this.#byRef.delete(ref);
    this.#keyBytes -= pending.key.length;
    const word = (pending.low ^ pending.high) | 0;
    const chain = this.#byHash.get(word)!;
    if (chain.length === 1) this.#byHash.delete(word);
    else chain.splice(chain.indexOf(pending), 1);
    return true;
  }

  /** All series, in the order in which the store keeps them: neighbours share pages. */
  sorted(): Pending[] {
    return [...this.#byRef.values()].toSorted((a, b) => a.high - b.high || a.low - b.low);
  }

  clear(): void {
    this.#byHash.clear();
    this.#byRef.clear();
    this.#keyBytes = 0;
  }
}
