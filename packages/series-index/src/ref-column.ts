import { NO_OFFSET, type Memory, type SeriesRef } from "@varve/contracts";
import { NO_KEY, type KeyAt } from "./key-arena.ts";

/** Refs whose keys are listed in one page: 16 KiB. */
const PAGE_REFS = 4096;
const PAGE_BYTES = PAGE_REFS * 4;
const PAGE_SHIFT = 12;

/**
 * Where the key of each ref lies, in pages of the linear memory.
 *
 * Growth takes a page and copies nothing. A page whose last series was dropped goes back, since refs never return.
 */
export class RefColumn {
  readonly #memory: Memory;
  readonly #words: Int32Array;
  /** Word index of each page: 0 where there is none. One word for 4,096 refs, so its doubling is short. */
  #pages = new Int32Array(64);
  #live = new Uint16Array(64);
  #count = 0;

  constructor(memory: Memory, words: Int32Array) {
    this.#memory = memory;
    this.#words = words;
  }

  get bytes(): number {
    return this.#count * PAGE_BYTES + this.#pages.byteLength + this.#live.byteLength;
  }

  get(ref: SeriesRef): KeyAt {
    const number = ref >>> PAGE_SHIFT;
    const page = number < this.#pages.length ? this.#pages[number]! : 0;
    return page === 0 ? NO_KEY : this.#words[page + (ref & (PAGE_REFS - 1))]!;
  }

  /** Makes room for a ref. False when the memory is full. */
  ensure(ref: SeriesRef): boolean {
    const number = ref >>> PAGE_SHIFT;
    if (number >= this.#pages.length) this.#widen(number);
    if (this.#pages[number] !== 0) return true;
    const at = this.#memory.take(PAGE_BYTES);
    if (at === NO_OFFSET) return false;
    this.#pages[number] = at / 4;
    this.#count += 1;
    return true;
  }

  /** Lists the key of a ref that has room and none yet. */
  set(ref: SeriesRef, key: KeyAt): void {
    const number = ref >>> PAGE_SHIFT;
    this.#words[this.#pages[number]! + (ref & (PAGE_REFS - 1))] = key;
    this.#live[number]! += 1;
  }

  /** Forgets the key of a ref that has one. */
  clear(ref: SeriesRef): void {
    const number = ref >>> PAGE_SHIFT;
    const page = this.#pages[number]!;
    this.#words[page + (ref & (PAGE_REFS - 1))] = NO_KEY;
    this.#live[number]! -= 1;
    if (this.#live[number] === 0) this.#giveBack(number);
  }

  dispose(): void {
    for (let number = 0; number < this.#pages.length; number += 1) {
      if (this.#pages[number] !== 0) this.#giveBack(number);
    }
  }

  #giveBack(number: number): void {
    this.#memory.give(this.#pages[number]! * 4, PAGE_BYTES);
    this.#pages[number] = 0;
    this.#count -= 1;
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
