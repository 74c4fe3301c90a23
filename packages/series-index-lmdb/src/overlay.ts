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
  /** By the text of the key: V8 seeds the hashes of strings, so that nobody can choose keys that crowd. */
  readonly #byKey = new Map<string, Pending>();
  readonly #byRef = new Map<SeriesRef, Pending>();
  #keyBytes = 0;

  get size(): number {
    return this.#byRef.size;
  }

  get bytes(): number {
    return this.#keyBytes + this.#byRef.size * 200;
  }

  find(bytes: Uint8Array, from: number, until: number): Pending | undefined {
    return this.#byKey.get(textOf(bytes, from, until));
  }

  get(ref: SeriesRef): Pending | undefined {
    return this.#byRef.get(ref);
  }

  add(pending: Pending): void {
    this.#byKey.set(textOf(pending.key, 0, pending.key.length), pending);
    this.#byRef.set(pending.ref, pending);
    this.#keyBytes += pending.key.length;
  }

  /** Takes a series out; false when it is not here. */
  remove(ref: SeriesRef): boolean {
    const pending = this.#byRef.get(ref);
    if (pending === undefined) return false;
    this.#byRef.delete(ref);
    this.#keyBytes -= pending.key.length;
    this.#byKey.delete(textOf(pending.key, 0, pending.key.length));
    return true;
  }

  /** All series, in the order in which the store keeps them: neighbours share pages. */
  sorted(): Pending[] {
    return [...this.#byRef.values()].toSorted((a, b) => a.high - b.high || a.low - b.low);
  }

  clear(): void {
    this.#byKey.clear();
    this.#byRef.clear();
    this.#keyBytes = 0;
  }
}

/** A character for each byte. A canonical key ends with 0xFF, so it never looks like an integer, which V8 would not seed. */
function textOf(bytes: Uint8Array, from: number, until: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, until - from).toString("latin1");
}
