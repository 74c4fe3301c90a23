import type { SeriesKeys, SeriesRef } from "@varve/contracts";
import { compareKeys } from "./key.ts";

/** Keys that one run sorts: their bytes fit a core's cache. */
const RUN_SERIES = 512;

/**
 * Puts series into label order without holding all their keys at once: runs of a few hundred are sorted in the
 * cache, then merged through a heap. Takes 4 bytes a series, and one key a run.
 *
 * First `add` for each series, once; then `next`, which may be called over any length of time as long as `keys` keeps
 * the series. About 2 µs a series of 200 bytes of key, in pieces: no call takes longer than a run's sort.
 */
export class KeySorter {
  /** The series that `next` moved to, and its key: `key[0 … keyLength)`, until the next call. */
  ref: SeriesRef = 0;
  key: Uint8Array = new Uint8Array(0);
  keyLength = 0;
  readonly #keys: SeriesKeys;
  #refs = new Uint32Array(RUN_SERIES);
  #count = 0;
  /** Keys of the run that fills, one behind the other, and where each begins. */
  #arena = new Uint8Array(RUN_SERIES * 64);
  readonly #starts = new Uint32Array(RUN_SERIES + 1);
  #runLength = 0;
  /** By run: its next series, and where it ends. */
  #runs: Run[] = [];
  /** A heap of the runs that have a series left, least key first; null until the first `next`. */
  #heap: Run[] | null = null;

  constructor(keys: SeriesKeys) {
    this.#keys = keys;
  }

  get length(): number {
    return this.#count;
  }

  /**
   * Adds a series. Its key can be read at once: `addedKeys[addedFrom … addedUntil)`. A series without a key is
   * passed over, and the answer is false.
   */
  add(ref: SeriesRef): boolean {
    const length = this.#keys.keyBytes(ref);
    if (length === 0) return false;
    if (this.#runLength === RUN_SERIES) this.#endRun();
    const from = this.#starts[this.#runLength]!;
    if (from + length > this.#arena.length) this.#growArena(from + length);
    this.#keys.copyKey(ref, this.#arena, from);
    if (this.#count === this.#refs.length) this.#growRefs();
    this.#refs[this.#count] = ref;
    this.#count += 1;
    this.#runLength += 1;
    this.#starts[this.#runLength] = from + length;
    return true;
  }

  /** Where the key of the series added last lies, until the next `add`. */
  get addedKeys(): Uint8Array {
    return this.#arena;
  }

  get addedFrom(): number {
    return this.#starts[this.#runLength - 1]!;
  }

  get addedUntil(): number {
    return this.#starts[this.#runLength]!;
  }

  /** Moves to the next series in label order. False at the end. */
  next(): boolean {
    if (this.#heap === null) this.#begin();
    const heap = this.#heap!;
    const run = heap[0];
    if (run === undefined) return false;
    this.ref = this.#refs[run.at]!;
    // The head's key becomes ours, and our old array the run's next head: no copy.
    const { key } = this;
    this.key = run.key;
    this.keyLength = run.keyLength;
    run.key = key;
    run.at += 1;
    if (run.at < run.end) this.#load(run);
    else {
      const last = heap.pop()!;
      if (heap.length === 0) return true;
      if (last !== run) heap[0] = last;
    }
    sink(heap, 0);
    return true;
  }

  #begin(): void {
    if (this.#runLength > 0) this.#endRun();
    this.#arena = new Uint8Array(0);
    for (const run of this.#runs) this.#load(run);
    const heap = this.#runs;
    for (let i = (heap.length >> 1) - 1; i >= 0; i -= 1) sink(heap, i);
    this.#heap = heap;
    this.#runs = [];
  }

  #load(run: Run): void {
    const ref = this.#refs[run.at]!;
    const length = this.#keys.keyBytes(ref);
    if (run.key.length < length) run.key = new Uint8Array(length * 2);
    this.#keys.copyKey(ref, run.key, 0);
    run.keyLength = length;
  }

  #endRun(): void {
    const begin = this.#count - this.#runLength;
    const arena = this.#arena;
    const starts = this.#starts;
    const order = Array.from({ length: this.#runLength }, (_, i) => i);
    order.sort((a, b) =>
      compareKeys(arena, starts[a]!, starts[a + 1]!, arena, starts[b]!, starts[b + 1]!),
    );
    const refs = this.#refs.slice(begin, this.#count);
    for (let i = 0; i < order.length; i += 1) this.#refs[begin + i] = refs[order[i]!]!;
    this.#runs.push({ at: begin, end: this.#count, key: new Uint8Array(0), keyLength: 0 });
    this.#runLength = 0;
  }

  #growArena(wanted: number): void {
    const arena = new Uint8Array(Math.max(this.#arena.length * 2, wanted));
    arena.set(this.#arena);
    this.#arena = arena;
  }

  #growRefs(): void {
    const refs = new Uint32Array(this.#refs.length * 2);
    refs.set(this.#refs);
    this.#refs = refs;
  }
}

/** A sorted run: the refs from `at` to `end` are left, and the key is that of the first. */
interface Run {
  at: number;
  readonly end: number;
  key: Uint8Array;
  keyLength: number;
}

function sink(heap: Run[], from: number): void {
  const run = heap[from]!;
  let at = from;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
    if (!isBefore(heap[child]!, run)) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = run;
}

function isBefore(a: Run, b: Run): boolean {
  return compareKeys(a.key, 0, a.keyLength, b.key, 0, b.keyLength) < 0;
}
