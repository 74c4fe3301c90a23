import type { Labels } from "@varve/contracts";
import { BRACE_CLOSE } from "./ascii.ts";

/** Series that are remembered at once. */
const SERIES_MAX = 1 << 16;
/** Series that there is room for at first: most inputs are small. */
const SERIES_AT_FIRST = 1 << 8;
/** Bytes of series text that are remembered at once. */
const TEXT_BYTES_MAX = 16 * 1024 * 1024;
/** Misses for each remembered series after which what is remembered is of no use. */
const STALE_MISSES = 4;

/** Slots that are looked at for one text: keeps texts that were made to collide from costing more than a parse. */
const PROBES_MAX = 64;

/** Start and factor of FNV-1a, 32 bits. */
export const HASH_START = 0x811c9dc5 | 0;
export const HASH_FACTOR = 0x01000193;

/**
 * Remembers which label set a series' text stands for, because most lines name a series that was named before.
 *
 * One label object is handed out for all lines of a series while it is remembered. Bounded: 65,536 series and
 * 16 MiB of text. When full it keeps what it has, which serves files that repeat their series in turn, until
 * misses say that the file has moved on.
 */
export class SeriesCache {
  #slots = new Int32Array(SERIES_AT_FIRST * 2); // Entry + 1; 0 is free.
  #hashes = new Int32Array(SERIES_AT_FIRST);
  #ends = new Uint32Array(SERIES_AT_FIRST + 1); // Entry i's text is [ends[i], ends[i + 1]).
  readonly #labels: Labels[] = [];
  #text = new Uint8Array(4 * 1024);
  #misses = 0;
  #lastBytes = new Uint8Array(1024);
  #lastLength = 0;
  #last: Labels | undefined;

  /**
   * The length of the last text that was added when the bytes begin with it and it ends with a brace, which
   * ends a series whatever follows; otherwise 0. Saves a dump from looking for the end of each series.
   */
  beginsWithLast(bytes: Uint8Array, from: number, until: number): number {
    const length = this.#lastLength;
    if (length === 0 || from + length > until) return 0;
    if (bytes[from + length - 1] !== BRACE_CLOSE) return 0;
    return same(bytes, from, from + length, this.#lastBytes, 0) ? length : 0;
  }

  /** The label set of the last text that was added. */
  get last(): Labels | undefined {
    return this.#last;
  }

  /** The label set of the text, if it is remembered. `hash` is FNV-1a of the text, or any other function of it. */
  find(bytes: Uint8Array, from: number, until: number, hash: number): Labels | undefined {
    if (until - from === this.#lastLength && same(bytes, from, until, this.#lastBytes, 0)) {
      return this.#last;
    }
    const mask = this.#slots.length - 1;
    let slot = spread(hash) & mask;
    for (let probe = 0; probe < PROBES_MAX; probe += 1, slot = (slot + 1) & mask) {
      const entry = this.#slots[slot]! - 1;
      if (entry < 0) return undefined;
      if (this.#hashes[entry] !== hash) continue;
      const at = this.#ends[entry]!;
      if (this.#ends[entry + 1]! - at !== until - from) continue;
      if (same(bytes, from, until, this.#text, at)) return this.#labels[entry];
    }
    return undefined;
  }

  /** Remembers a text that was not found. */
  add(bytes: Uint8Array, from: number, until: number, hash: number, labels: Labels): void {
    this.#remember(bytes, from, until, labels);
    const entry = this.#labels.length;
    const at = this.#ends[entry]!;
    const end = at + until - from;
    if (entry === this.#hashes.length && entry < SERIES_MAX) this.#growTable();
    const slot = this.#freeSlot(hash);
    if (entry === SERIES_MAX || end > TEXT_BYTES_MAX || slot < 0) {
      this.#misses += 1;
      if (this.#misses > entry * STALE_MISSES) this.#clear();
      return;
    }
    if (end > this.#text.length) this.#grow(end);
    this.#text.set(bytes.subarray(from, until), at);
    this.#ends[entry + 1] = end;
    this.#hashes[entry] = hash;
    this.#labels.push(labels);
    this.#slots[slot] = entry + 1;
  }

  #freeSlot(hash: number): number {
    const mask = this.#slots.length - 1;
    let slot = spread(hash) & mask;
    for (let probe = 0; probe < PROBES_MAX; probe += 1, slot = (slot + 1) & mask) {
      if (this.#slots[slot] === 0) return slot;
    }
    return -1;
  }

  /** The last text is remembered apart: a dump has all samples of a series together, however many there are. */
  #remember(bytes: Uint8Array, from: number, until: number, labels: Labels): void {
    const length = until - from;
    if (length > this.#lastBytes.length) this.#lastBytes = new Uint8Array(length * 2);
    this.#lastBytes.set(bytes.subarray(from, until), 0);
    this.#lastLength = length;
    this.#last = labels;
  }

  #growTable(): void {
    const count = this.#labels.length;
    const hashes = new Int32Array(count * 2);
    const ends = new Uint32Array(count * 2 + 1);
    hashes.set(this.#hashes);
    ends.set(this.#ends);
    this.#hashes = hashes;
    this.#ends = ends;
    this.#slots = new Int32Array(count * 4);
    for (let entry = 0; entry < count; entry += 1) {
      const slot = this.#freeSlot(hashes[entry]!);
      if (slot >= 0) this.#slots[slot] = entry + 1; // Otherwise it is only found no more.
    }
  }

  #grow(needed: number): void {
    const text = new Uint8Array(Math.min(TEXT_BYTES_MAX, Math.max(needed, this.#text.length * 2)));
    text.set(this.#text);
    this.#text = text;
  }

  #clear(): void {
    this.#slots.fill(0);
    this.#labels.length = 0;
    this.#misses = 0;
  }
}

function spread(hash: number): number {
  return hash ^ (hash >>> 15);
}

function same(a: Uint8Array, from: number, until: number, b: Uint8Array, at: number): boolean {
  for (let i = from, j = at; i < until; i += 1, j += 1) if (a[i] !== b[j]) return false;
  return true;
}
