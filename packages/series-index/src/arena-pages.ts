import { NO_OFFSET, type Memory } from "@varve/contracts";

/** Keys are carved from pages of this size, in bytes. */
export const ARENA_PAGE_BYTES = 64 * 1024;
/** The same in words. */
export const PAGE_WORDS = ARENA_PAGE_BYTES / 4;
const PAGE_SHIFT = 14;

/**
 * The pages of an arena: carves pieces off the one at hand, and knows how much of each is in use.
 *
 * Pages start anywhere. At most one starts in each 64 KiB of the memory, and that is a page's number: the page
 * of a piece is the one that starts in the piece's own 64 KiB, at or before it, or else in the 64 KiB before.
 * Positions and sizes are in words.
 */
export class ArenaPages {
  readonly #memory: Memory;
  /** By number: where the page starts (0 without one), words of all pieces, and of those that were released. */
  readonly #starts: Int32Array;
  readonly #used: Uint16Array;
  readonly #released: Uint16Array;
  /** Starts of full pages of which half or more was released. */
  readonly #sparse = new Set<number>();
  /** Pages taken in advance, by byte offset. */
  readonly #spare: number[] = [];
  #count = 0;
  /** Words of live pieces in full pages. */
  #liveWords = 0;
  /** The page at hand: its number, where the next piece begins, and where it ends. */
  #current = 0;
  #next = 0;
  #end = 0;

  constructor(memory: Memory) {
    this.#memory = memory;
    const numbers = Math.ceil(memory.bytesMax / ARENA_PAGE_BYTES);
    this.#starts = new Int32Array(numbers);
    this.#used = new Uint16Array(numbers);
    this.#released = new Uint16Array(numbers);
  }

  /** Bytes taken from the memory. */
  get bytes(): number {
    return (this.#count + this.#spare.length) * ARENA_PAGE_BYTES;
  }

  /** True when more than a third of the pages, the one at hand and one more excepted, is not in use. */
  get isLoose(): boolean {
    return this.#liveWords * 3 < (this.#count - 2) * PAGE_WORDS * 2;
  }

  /** A piece of an even number of words, at most a page: where it lies, or 0 when the memory is full. */
  carve(size: number): number {
    if (this.#next + size > this.#end && !this.#turn()) return 0;
    const at = this.#next;
    this.#next = at + size;
    return at;
  }

  /** Where the next piece begins, unless it goes to another page, and where the page at hand ends. */
  get next(): number {
    return this.#next;
  }

  get end(): number {
    return this.#end;
  }

  /** Pieces were carved off the page at hand up to `next`. */
  carved(next: number): void {
    this.#next = next;
  }

  /** Releases a piece. Returns where the page started that went back to the memory with it, or -1. */
  release(at: number, size: number): number {
    let number = at >>> PAGE_SHIFT;
    const start = this.#starts[number]!;
    if (start === 0 || start > at) number -= 1;
    const released = this.#released[number]! + size;
    this.#released[number] = released;
    if (number === this.#current) {
      if (released === this.#next - this.#starts[number]!) this.#empty(number);
      return -1;
    }
    this.#liveWords -= size;
    const used = this.#used[number]!;
    if (released === used) return this.#giveBack(number);
    if (released * 2 >= used && (released - size) * 2 < used)
      this.#sparse.add(this.#starts[number]!);
    return -1;
  }

  /** A page that is half released or more, the longest so of all: where it starts, or 0 when there is none. */
  anySparse(): number {
    for (const start of this.#sparse) return start;
    return 0;
  }

  /** The page of which most is not in live pieces: where it starts, or 0 without pages. */
  slackest(): number {
    let best = 0;
    let most = -1;
    for (const start of this.#starts) {
      const slack = start === 0 ? -1 : this.slack(start);
      if (slack <= most) continue;
      most = slack;
      best = start;
    }
    return best;
  }

  /** Words of a page that are not in live pieces. */
  slack(start: number): number {
    return PAGE_WORDS - this.used(start) + this.#released[start >>> PAGE_SHIFT]!;
  }

  /** Words of a page that were carved. */
  used(start: number): number {
    const number = start >>> PAGE_SHIFT;
    return number === this.#current ? this.#next - start : this.#used[number]!;
  }

  /** Makes a page the one at hand, in which all pieces are live and end at `next`. */
  refill(start: number, next: number): void {
    this.#finish();
    this.#sparse.delete(start);
    this.#current = start >>> PAGE_SHIFT;
    this.#liveWords -= this.#used[this.#current]! - this.#released[this.#current]!;
    this.#released[this.#current] = 0;
    this.#next = next;
    this.#end = start + PAGE_WORDS;
  }

  /** Takes a page in advance, and returns its byte offset: NO_OFFSET when the memory is full. */
  reserve(): number {
    const at = this.#memory.take(ARENA_PAGE_BYTES, true);
    if (at !== NO_OFFSET) this.#spare.push(at);
    return at;
  }

  dispose(): void {
    for (const start of this.#starts) {
      if (start !== 0) this.#memory.give(start * 4, ARENA_PAGE_BYTES);
    }
    for (const at of this.#spare) this.#memory.give(at, ARENA_PAGE_BYTES);
    this.#starts.fill(0);
    this.#sparse.clear();
    this.#spare.length = 0;
    this.#count = 0;
    this.#liveWords = 0;
    this.#next = 0;
    this.#end = 0;
  }

  #turn(): boolean {
    const at = this.#spare.shift() ?? this.#memory.take(ARENA_PAGE_BYTES, true);
    if (at === NO_OFFSET) return false;
    this.#finish();
    const start = at / 4;
    const number = start >>> PAGE_SHIFT;
    this.#starts[number] = start;
    this.#released[number] = 0;
    this.#count += 1;
    this.#current = number;
    this.#next = start;
    this.#end = start + PAGE_WORDS;
    return true;
  }

  /** Ends the filling of the page at hand. */
  #finish(): void {
    if (this.#end === 0) return;
    const number = this.#current;
    const start = this.#starts[number]!;
    const used = this.#next - start;
    const released = this.#released[number]!;
    this.#used[number] = used;
    this.#liveWords += used - released;
    if (released * 2 >= used) this.#sparse.add(start);
  }

  /** Begins the page at hand anew: nothing in it is live. */
  #empty(number: number): void {
    this.#next = this.#starts[number]!;
    this.#released[number] = 0;
  }

  #giveBack(number: number): number {
    const start = this.#starts[number]!;
    this.#sparse.delete(start);
    this.#starts[number] = 0;
    this.#count -= 1;
    this.#memory.give(start * 4, ARENA_PAGE_BYTES);
    return start;
  }
}
