import { NO_OFFSET, type Memory, type SeriesRef } from "@varve/contracts";
import { ArenaPages, PAGE_WORDS } from "./arena-pages.ts";
import { equalsKey, loadKey, storeKey } from "./key-words.ts";

/** Where a key lies: the index of a word of the memory. Never 0 for a stored key. */
export type KeyAt = number;

/** No key. */
export const NO_KEY: KeyAt = 0;

/** Words in front of a key: its length in bytes, its place in the slot table, and its series, 0 once released. */
const LENGTH = 0;
const PLACE = 1;
const REF = 2;
const HEADER_WORDS = 3;
/** Keys of more words get a span of their own: at most a quarter of a page is left over at its end. */
const PIECE_WORDS_MAX = PAGE_WORDS / 4;
/** What looking at a released piece costs, in words of a key that is moved. */
const SKIP_WORDS = 4;

/** Told of each key that the arena moves. */
export type KeyMoved = (ref: SeriesRef, place: number, to: KeyAt) => void;

/**
 * Key bytes in pages of the linear memory, filled one after the other: a log that is cleaned as it ages.
 *
 * A page whose keys were all released goes back to the memory. One that is half released waits until a third of all
 * pages is not in use; then `tidy` moves its keys to the page at hand, a few a call. So pages take at most
 * twice what their keys do, and each word released pays for one that is moved. When the memory is full, `store` slides
 * the keys of one page together instead. Pieces are whole numbers of two words.
 */
export class KeyArena {
  readonly #memory: Memory;
  readonly #words: Int32Array;
  readonly pages: ArenaPages;
  readonly #moved: KeyMoved;
  readonly #large = new Map<KeyAt, number>();
  #largeBytes = 0;
  /** Words that `tidy` may spend. */
  #credit = 0;
  /** The page that `tidy` empties, and how far it came. */
  #source = 0;
  #cursor = 0;
  /** No page has so many words to gain by sliding: found out by the last try. */
  #slackMax = Infinity;

  constructor(memory: Memory, words: Int32Array, moved: KeyMoved) {
    this.#memory = memory;
    this.#words = words;
    this.pages = new ArenaPages(memory);
    this.#moved = moved;
  }

  /** Bytes taken from the memory. */
  get bytes(): number {
    return this.pages.bytes + this.#largeBytes;
  }

  /** Copies a key in, and returns where it lies: NO_KEY when the memory is full. */
  store(place: number, ref: SeriesRef, source: Int32Array, byteAt: number, length: number): KeyAt {
    const size = sizeOf(length);
    let at = size > PIECE_WORDS_MAX ? this.#takeLarge(size) : this.pages.carve(size);
    if (at === NO_KEY && size <= PIECE_WORDS_MAX && this.#slide(size)) at = this.pages.carve(size);
    if (at === NO_KEY) return NO_KEY;
    const words = this.#words;
    words[at + LENGTH] = length;
    words[at + PLACE] = place;
    words[at + REF] = ref;
    storeKey(words, at + HEADER_WORDS, source, byteAt, length);
    return at;
  }

  length(at: KeyAt): number {
    return this.#words[at + LENGTH]! >>> 0;
  }

  /** The place that the key was stored with. */
  place(at: KeyAt): number {
    return this.#words[at + PLACE]!;
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
    if (size > PIECE_WORDS_MAX) {
      this.#giveLarge(at);
      return;
    }
    this.#credit += size + SKIP_WORDS;
    this.#slackMax = Infinity;
    this.#drop(at, size);
  }

  /**
   * Moves keys out of pages that are half released, as many as what was released since pays for. Moves nothing
   * while most of the pages is in use: series that expire together leave whole pages behind them.
   */
  tidy(): void {
    const pages = this.pages;
    while (this.#credit > 0 && pages.isLoose) {
      if (this.#source === 0) {
        this.#source = pages.anySparse();
        this.#cursor = this.#source;
        if (this.#source === 0) break;
      }
      if (!this.#moveNext()) break;
    }
    if (this.#credit > 0) this.#credit = 0; // There was nothing to do: no later call makes up for it.
  }

  /** Takes a page in advance, and returns its byte offset: NO_OFFSET when the memory is full. */
  reserve(): number {
    return this.pages.reserve();
  }

  dispose(): void {
    this.pages.dispose();
    for (const [at, bytes] of this.#large) this.#memory.give(at * 4, bytes);
    this.#large.clear();
    this.#largeBytes = 0;
    this.#source = 0;
  }

  /** Moves the next key of the page that is emptied. False when there is no memory to move it to. */
  #moveNext(): boolean {
    const words = this.#words;
    const from = this.#cursor;
    const size = sizeOf(words[from + LENGTH]!);
    const ref = words[from + REF]! >>> 0;
    if (ref === 0) {
      this.#credit -= SKIP_WORDS;
    } else {
      const to = this.pages.carve(size);
      if (to === NO_KEY) return false;
      this.#credit -= size;
      this.#move(from, to, size, ref);
      this.#drop(from, size);
    }
    this.#cursor = from + size;
    return true;
  }

  /** Marks a piece as released. */
  #drop(at: KeyAt, size: number): void {
    this.#words[at + REF] = 0;
    if (this.pages.release(at, size) === this.#source) this.#source = 0;
  }

  /** Slides the keys of the page together that gains most by it, and goes on filling that one. False when none has room for `size`. */
  #slide(size: number): boolean {
    if (size > this.#slackMax) return false;
    const page = this.pages.slackest();
    const slack = page === 0 ? 0 : this.pages.slack(page);
    if (slack < size) {
      this.#slackMax = slack;
      return false;
    }
    const end = page + this.pages.used(page);
    let to = page;
    for (let from = page; from < end;) {
      const pieceWords = sizeOf(this.#words[from + LENGTH]!);
      const ref = this.#words[from + REF]! >>> 0;
      if (ref !== 0) {
        if (from !== to) this.#move(from, to, pieceWords, ref);
        to += pieceWords;
      }
      from += pieceWords;
    }
    if (page === this.#source) this.#source = 0;
    this.pages.refill(page, to);
    return true;
  }

  #move(from: KeyAt, to: KeyAt, size: number, ref: SeriesRef): void {
    const words = this.#words;
    for (let i = 0; i < size; i += 1) words[to + i] = words[from + i]!;
    this.#moved(ref, words[to + PLACE]!, to);
  }

  #takeLarge(size: number): KeyAt {
    const bytes = size * 4;
    const at = this.#memory.take(bytes, true);
    if (at === NO_OFFSET) return NO_KEY;
    this.#large.set(at / 4, bytes);
    this.#largeBytes += bytes;
    return at / 4;
  }

  #giveLarge(at: KeyAt): void {
    const bytes = this.#large.get(at)!;
    this.#large.delete(at);
    this.#largeBytes -= bytes;
    this.#memory.give(at * 4, bytes);
  }
}

/** Words that a key of `length` bytes takes, header and padding included: an even number. */
function sizeOf(length: number): number {
  return (HEADER_WORDS + ((length + 3) >>> 2) + 1) & ~1;
}
