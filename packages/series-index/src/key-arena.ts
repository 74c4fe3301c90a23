import { NO_OFFSET, type Memory } from "@varve/contracts";
import { equalsKey, loadKey, storeKey } from "./key-words.ts";

/** Where a key lies: the index of a word of the memory. Never 0 for a stored key. */
export type KeyAt = number;

/** No key. */
export const NO_KEY: KeyAt = 0;

/** Keys are carved from spans of this size, in bytes; one that does not fit gets a span of its own. */
export const ARENA_PAGE_BYTES = 64 * 1024;

const PAGE_WORDS = ARENA_PAGE_BYTES / 4;

/** Words in front of a key: its length in bytes, then its hash, which `drop` needs to find its slot again. */
const LENGTH = 0;
const HASH_LOW = 1;
const HASH_HIGH = 2;
const HEADER_WORDS = 3;
/** In a released piece: where the next one of its size lies. */
const NEXT_FREE = 0;

/**
 * Key bytes in pages of the linear memory.
 *
 * Pieces are whole numbers of two words. A released piece waits in a list of its exact size: series that
 * come and go have keys of the same few lengths, so the lists are used up, and nothing is ever moved.
 */
export class KeyArena {
  readonly #memory: Memory;
  readonly #words: Int32Array;
  /** First released piece of each size, by its number of word pairs. */
  readonly #free = new Int32Array(PAGE_WORDS / 2 + 1);
  readonly #pages: number[] = [];
  /** Pages taken in advance. */
  readonly #spare: number[] = [];
  readonly #large = new Map<KeyAt, number>();
  #next = 0;
  #end = 0;
  #bytes = 0;

  constructor(memory: Memory, words: Int32Array) {
    this.#memory = memory;
    this.#words = words;
  }

  /** Bytes taken from the memory. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Copies a key in, and returns where it lies: NO_KEY when the memory is full. */
  store(low: number, high: number, source: Int32Array, byteAt: number, length: number): KeyAt {
    const size = sizeOf(length);
    const at = size > PAGE_WORDS ? this.#takeLarge(size) : this.#carve(size);
    if (at === NO_KEY) return NO_KEY;
    const words = this.#words;
    words[at + LENGTH] = length;
    words[at + HASH_LOW] = low;
    words[at + HASH_HIGH] = high;
    storeKey(words, at + HEADER_WORDS, source, byteAt, length);
    return at;
  }

  length(at: KeyAt): number {
    return this.#words[at + LENGTH]! >>> 0;
  }

  hashLow(at: KeyAt): number {
    return this.#words[at + HASH_LOW]!;
  }

  hashHigh(at: KeyAt): number {
    return this.#words[at + HASH_HIGH]!;
  }

  equals(at: KeyAt, source: Int32Array, byteAt: number, length: number): boolean {
    if (this.#words[at + LENGTH] !== length) return false;
    return equalsKey(this.#words, at + HEADER_WORDS, source, byteAt, length);
  }

  /** Copies a key out, and returns its length in bytes. */
  load(at: KeyAt, into: Uint8Array, to: number): number {
    const length = this.length(at);
    loadKey(this.#words, at + HEADER_WORDS, into, to, length);
    return length;
  }

  release(at: KeyAt): void {
    const size = sizeOf(this.length(at));
    if (size <= PAGE_WORDS) {
      this.#keep(at, size);
      return;
    }
    const bytes = this.#large.get(at)!;
    this.#large.delete(at);
    this.#bytes -= bytes;
    this.#memory.give(at * 4, bytes);
  }

  /** Takes a page in advance, and returns its byte offset: NO_OFFSET when the memory is full. */
  reserve(): number {
    const at = this.#takePage();
    if (at !== NO_OFFSET) this.#spare.push(at);
    return at;
  }

  dispose(): void {
    for (const at of this.#pages) this.#memory.give(at, ARENA_PAGE_BYTES);
    for (const [at, bytes] of this.#large) this.#memory.give(at * 4, bytes);
    this.#pages.length = 0;
    this.#large.clear();
    this.#bytes = 0;
  }

  #carve(size: number): KeyAt {
    const released = this.#free[size >>> 1]!;
    if (released !== NO_KEY) {
      this.#free[size >>> 1] = this.#words[released + NEXT_FREE]!;
      return released;
    }
    if (this.#next + size > this.#end && !this.#turnPage()) return NO_KEY;
    const at = this.#next;
    this.#next = at + size;
    return at;
  }

  #turnPage(): boolean {
    const page = this.#spare.shift() ?? this.#takePage();
    if (page === NO_OFFSET) return false;
    const left = this.#end - this.#next;
    if (left > HEADER_WORDS) this.#keep(this.#next, left);
    this.#next = page / 4;
    this.#end = this.#next + PAGE_WORDS;
    return true;
  }

  #takePage(): number {
    const at = this.#memory.take(ARENA_PAGE_BYTES, true);
    if (at === NO_OFFSET) return NO_OFFSET;
    this.#pages.push(at);
    this.#bytes += ARENA_PAGE_BYTES;
    return at;
  }

  #takeLarge(size: number): KeyAt {
    const bytes = size * 4;
    const at = this.#memory.take(bytes, true);
    if (at === NO_OFFSET) return NO_KEY;
    this.#large.set(at / 4, bytes);
    this.#bytes += bytes;
    return at / 4;
  }

  #keep(at: KeyAt, size: number): void {
    this.#words[at + NEXT_FREE] = this.#free[size >>> 1]!;
    this.#free[size >>> 1] = at;
  }
}

/** Words that a key of `length` bytes takes, header and padding included: an even number. */
function sizeOf(length: number): number {
  return (HEADER_WORDS + ((length + 3) >>> 2) + 1) & ~1;
}
