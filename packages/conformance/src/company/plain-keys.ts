import type { SeriesKeys, SeriesRef } from "@varve/contracts";

/** Keys by ref in a Map, set and forgotten by hand: what an index is to those that only read its keys. */
export class PlainKeys implements SeriesKeys {
  nextRef: SeriesRef = 1;
  readonly #keys = new Map<SeriesRef, Uint8Array>();

  /** Gives a series its key, and raises `nextRef` above it. */
  set(ref: SeriesRef, key: Uint8Array): void {
    this.#keys.set(ref, key);
    this.nextRef = Math.max(this.nextRef, ref + 1);
  }

  /** Forgets a series; `nextRef` stays. */
  delete(ref: SeriesRef): void {
    this.#keys.delete(ref);
  }

  keyBytes(ref: SeriesRef): number {
    return this.#keys.get(ref)?.length ?? 0;
  }

  copyKey(ref: SeriesRef, into: Uint8Array, at: number): number {
    const key = this.#keys.get(ref);
    if (key === undefined) return 0;
    into.set(key, at);
    return key.length;
  }
}
