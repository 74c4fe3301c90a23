import { randomBytes } from "node:crypto";
import { NO_SERIES, type SeriesRef } from "@varve/contracts";
import { halfSipHash } from "./half-sip-hash.ts";

/** Heap bytes of a series here: an entry in a Map of numbers. */
const SERIES_BYTES = 40;

/**
 * Series whose hashes crowd one place of a table, found by a hash that nobody outside can aim at: keyed, with
 * a random key for each process. Empty unless someone chooses keys to collide, or the hash is poor.
 */
export class Overflow {
  readonly #first = new Map<number, SeriesRef>();
  /** Series that follow another with the same keyed hash. */
  readonly #next = new Map<SeriesRef, SeriesRef>();
  readonly #keyLow: number;
  readonly #keyHigh: number;
  #size = 0;

  constructor() {
    const key = randomBytes(8);
    this.#keyLow = key.readInt32LE(0);
    this.#keyHigh = key.readInt32LE(4);
  }

  get size(): number {
    return this.#size;
  }

  get bytes(): number {
    return this.#size * SERIES_BYTES;
  }

  hash(bytes: Uint8Array, from: number, until: number): number {
    return halfSipHash(bytes, from, until, this.#keyLow, this.#keyHigh);
  }

  /** The first series with this keyed hash, or NO_SERIES. */
  first(hash: number): SeriesRef {
    return this.#first.get(hash) ?? NO_SERIES;
  }

  /** The series after this one with the same keyed hash, or NO_SERIES. */
  next(ref: SeriesRef): SeriesRef {
    return this.#next.get(ref) ?? NO_SERIES;
  }

  add(hash: number, ref: SeriesRef): void {
    const first = this.#first.get(hash);
    if (first !== undefined) this.#next.set(ref, first);
    this.#first.set(hash, ref);
    this.#size += 1;
  }

  remove(hash: number, ref: SeriesRef): void {
    const after = this.#next.get(ref);
    let before: SeriesRef = NO_SERIES;
    for (let at = this.first(hash); at !== ref; at = this.next(at)) before = at;
    if (before !== NO_SERIES) link(this.#next, before, after);
    else link(this.#first, hash, after);
    this.#next.delete(ref);
    this.#size -= 1;
  }

  clear(): void {
    this.#first.clear();
    this.#next.clear();
    this.#size = 0;
  }
}

function link(map: Map<number, SeriesRef>, from: number, to: SeriesRef | undefined): void {
  if (to === undefined) map.delete(from);
  else map.set(from, to);
}
