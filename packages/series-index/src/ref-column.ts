import { NO_OFFSET, type Memory, type SeriesRef } from "@varve/contracts";
import { NO_KEY, type KeyAt } from "./key-arena.ts";

/** Refs whose keys are listed in one page: 4 KiB, a word each. */
const PAGE_REFS = 1024;
const PAGE_BYTES = PAGE_REFS * 4;
const PAGE_SHIFT = 10;
const PAGE_MASK = PAGE_REFS - 1;
/** A page with so few keys left becomes a list of pairs: ref, key. */
const PAIRS_MAX = 32;
const PAIRS_BYTES = PAIRS_MAX * 8;

/**
 * Where the key of each ref lies, in pages of the linear memory.
 *
 * Growth takes a page and copies nothing. Refs never return, so a page only empties: when few keys are left it becomes a list
 * of 256 B, and when none is, that goes back. So series that stay among millions that went cost 128 B each at most.
 */
export class RefColumn {
  readonly #memory: Memory;
  readonly #words: Int32Array;
  /** By number: word index of the page, negated where it is a list of pairs, 0 where there is none. Its doubling is short. */
  #pages = new Int32Array(64);
  #live = new Uint16Array(64);
  #pageCount = 0;
  #listCount = 0;

  constructor(memory: Memory, words: Int32Array) {
    this.#memory = memory;
    this.#words = words;
  }

  get bytes(): number {
    const directory = this.#pages.byteLength + this.#live.byteLength;
    return this.#pageCount * PAGE_BYTES + this.#listCount * PAIRS_BYTES + directory;
  }

  get(ref: SeriesRef): KeyAt {
    const number = ref >>> PAGE_SHIFT;
    const page = number < this.#pages.length ? this.#pages[number]! : 0;
    if (page > 0) return this.#words[page + (ref & PAGE_MASK)]!;
    if (page === 0) return NO_KEY;
    const pair = this.#pairOf(ref);
    return pair === 0 ? NO_KEY : this.#words[pair + 1]!;
  }

  /** Makes room for a ref. False when the memory is full. */
  ensure(ref: SeriesRef): boolean {
    const number = ref >>> PAGE_SHIFT;
    if (number >= this.#pages.length) this.#widen(number);
    const page = this.#pages[number]!;
    if (page > 0) return true;
    const at = this.#memory.take(PAGE_BYTES);
    if (at === NO_OFFSET) return false;
    if (page < 0) this.#unlist(number, at / 4);
    this.#pages[number] = at / 4;
    this.#pageCount += 1;
    return true;
  }

  /** Lists the key of a ref that has room and none yet. */
  set(ref: SeriesRef, key: KeyAt): void {
    const number = ref >>> PAGE_SHIFT;
    this.#words[this.#pages[number]! + (ref & PAGE_MASK)] = key;
    this.#live[number]! += 1;
  }

  /** Where the key of a ref is listed, as a word index: 0 where it has no room, or its page is a list. */
  placeOf(ref: SeriesRef): number {
    const number = ref >>> PAGE_SHIFT;
    const page = number < this.#pages.length ? this.#pages[number]! : 0;
    return page > 0 ? page + (ref & PAGE_MASK) : 0;
  }

  /** Refs of a page from this one on. */
  left(ref: SeriesRef): number {
    return PAGE_REFS - (ref & PAGE_MASK);
  }

  /** The keys of `count` refs of one page, from this one on, were listed at their places. */
  filled(ref: SeriesRef, count: number): void {
    this.#live[ref >>> PAGE_SHIFT]! += count;
  }

  /** Changes the key of a ref that has one: it was moved. */
  move(ref: SeriesRef, key: KeyAt): void {
    const page = this.#pages[ref >>> PAGE_SHIFT]!;
    const at = page > 0 ? page + (ref & PAGE_MASK) : this.#pairOf(ref) + 1;
    this.#words[at] = key;
  }

  /** Forgets the key of a ref that has one. */
  clear(ref: SeriesRef): void {
    const number = ref >>> PAGE_SHIFT;
    const page = this.#pages[number]!;
    const live = this.#live[number]! - 1;
    const words = this.#words;
    if (page > 0) {
      words[page + (ref & PAGE_MASK)] = NO_KEY;
    } else {
      const pair = this.#pairOf(ref);
      const last = 2 * live - page;
      words[pair] = words[last]!;
      words[pair + 1] = words[last + 1]!;
    }
    this.#live[number] = live;
    if (live === 0) this.#giveBack(number);
    else if (page > 0 && live === PAIRS_MAX) this.#list(number, ref);
  }

  dispose(): void {
    for (let number = 0; number < this.#pages.length; number += 1) {
      if (this.#pages[number] !== 0) this.#giveBack(number);
      this.#live[number] = 0;
    }
  }

  /** Where the pair of a ref lies whose page is a list: 0 when it has none. */
  #pairOf(ref: SeriesRef): number {
    const number = ref >>> PAGE_SHIFT;
    const start = -this.#pages[number]!;
    const end = start + 2 * this.#live[number]!;
    for (let at = start; at < end; at += 2) if (this.#words[at] === (ref | 0)) return at;
    return 0;
  }

  /** Makes a page a list. It stays as it is when the memory is full. */
  #list(number: number, ref: SeriesRef): void {
    const at = this.#memory.take(PAIRS_BYTES, true);
    if (at === NO_OFFSET) return;
    const words = this.#words;
    const page = this.#pages[number]!;
    const first = ref & ~PAGE_MASK;
    let pair = at / 4;
    for (let i = 0; i < PAGE_REFS; i += 1) {
      const key = words[page + i]!;
      if (key === NO_KEY) continue;
      words[pair] = first + i;
      words[pair + 1] = key;
      pair += 2;
    }
    this.#memory.give(page * 4, PAGE_BYTES);
    this.#pageCount -= 1;
    this.#pages[number] = -at / 4;
    this.#listCount += 1;
  }

  /** Spreads a list over a fresh page. */
  #unlist(number: number, page: number): void {
    const words = this.#words;
    const start = -this.#pages[number]!;
    for (let i = 0; i < this.#live[number]!; i += 1) {
      words[page + (words[start + 2 * i]! & PAGE_MASK)] = words[start + 2 * i + 1]!;
    }
    this.#memory.give(start * 4, PAIRS_BYTES);
    this.#listCount -= 1;
  }

  #giveBack(number: number): void {
    const page = this.#pages[number]!;
    if (page > 0) {
      this.#memory.give(page * 4, PAGE_BYTES);
      this.#pageCount -= 1;
    } else {
      this.#memory.give(-page * 4, PAIRS_BYTES);
      this.#listCount -= 1;
    }
    this.#pages[number] = 0;
  }

  #widen(number: number): void {
    const length = Math.max(this.#pages.length * 2, number + 1);
    const pages = new Int32Array(length);
    const live = new Uint16Array(length);
    pages.set(this.#pages);
    live.set(this.#live);
    this.#pages = pages;
    this.#live = live;
  }
}
