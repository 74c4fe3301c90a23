import { spanBytes } from "@varve/bytes";
import { NO_OFFSET, type Memory } from "@varve/contracts";
import { CLASS_COUNT, LINE_BYTES, linesOf } from "./size-classes.ts";

/**
 * Words of a slab's entry in the table, at `slab << 4`. Positions and sizes are in lines.
 *
 * A slab holds COUNT regions of LINES each, from FIRST on. Those below FRESH were handed out before;
 * the ones of them that came back form a list that starts at FREE.
 */
export const FIRST = 0;
export const LINES = 1;
export const COUNT = 2;
export const FRESH = 3;
export const FREE = 4;
export const LIVE = 5;
/** The next slab of the same class with room, or 0. */
const NEXT = 6;
const CLASS = 7;
/** The span of memory that the slab lies in; 0 lines for an unused entry. */
const SPAN = 8;
const SPAN_LINES = 9;

/** Slabs are made of this many pages. A page belongs to one slab, which is how a region finds its own. */
const PAGES_PER_SLAB = 64;

/** From this part of a slab on, a region gets a slab of its own: less would be wasted than by a slab of few. */
const LARGE_PART = 8;

/** The slabs of an allocator: takes them from the memory, finds them, and gives empty ones back. */
export class Slabs {
  table = new Int32Array(64 << 4);
  #bytesTaken = 0;
  readonly #memory: Memory;
  readonly #bytesMax: number;
  readonly #slabLines: number;
  readonly #pageShift: number;
  /** The slab of each page; 0 where there is none. Entry 0 of the table stays unused. */
  readonly #pages: Uint32Array;
  /** For each class, the first slab with room. */
  readonly #first = new Int32Array(CLASS_COUNT);
  readonly #unused: number[] = [];
  #length = 1;
  /** Slabs without live regions. */
  #empty = 0;

  constructor(memory: Memory, bytesMax: number, slabBytes: number) {
    this.#memory = memory;
    this.#bytesMax = bytesMax;
    this.#slabLines = slabBytes / LINE_BYTES;
    this.#pageShift = Math.log2(this.#slabLines / PAGES_PER_SLAB);
    const lines = Math.ceil(memory.bytesMax / LINE_BYTES);
    this.#pages = new Uint32Array((lines >>> this.#pageShift) + 1);
  }

  /** Bytes of all slabs, in use or not, as the memory counts them. */
  get bytesTaken(): number {
    return this.#bytesTaken;
  }

  /** The slab in whose pages a line lies: 0 or undefined when there is none. */
  of(line: number): number | undefined {
    return this.#pages[line >>> this.#pageShift];
  }

  /** A slab of the class with room for a region, or 0 when the bound is reached. */
  withRoom(sizeClass: number): number {
    const slab = this.#first[sizeClass]!;
    return slab !== 0 ? slab : this.#carve(sizeClass);
  }

  /** Notes that `count` regions of the slab that `withRoom` gave were taken out of it. */
  acquired(slab: number, sizeClass: number, count: number): void {
    const { table } = this;
    const entry = slab << 4;
    const live = table[entry + LIVE]!;
    if (live === 0) this.#empty -= 1;
    table[entry + LIVE] = live + count;
    if (live + count === table[entry + COUNT]) this.#first[sizeClass] = table[entry + NEXT]!;
  }

  /** Notes that a region of the slab is about to be released. */
  releasing(slab: number): void {
    const { table } = this;
    const entry = slab << 4;
    const live = table[entry + LIVE]!;
    table[entry + LIVE] = live - 1;
    if (live === 1) this.#empty += 1;
    if (live === table[entry + COUNT]) this.#link(slab);
  }

  #link(slab: number): void {
    const entry = slab << 4;
    const sizeClass = this.table[entry + CLASS]!;
    this.table[entry + NEXT] = this.#first[sizeClass]!;
    this.#first[sizeClass] = slab;
  }

  /** Takes a new slab for the class; where there is no room for one, smaller ones, and the room of empty ones. */
  #carve(sizeClass: number): number {
    const lines = linesOf(sizeClass);
    if (lines * LINE_BYTES > this.#bytesMax) return 0; // No room that others give up would do.
    const large = lines * LARGE_PART >= this.#slabLines;
    const pageLines = 1 << this.#pageShift;
    for (;;) {
      if (large) {
        const span = this.#take(lines);
        if (span !== 0) return this.#add(sizeClass, span, lines, span, 1);
      }
      for (let size = this.#slabLines; !large && size >= lines; size >>>= 1) {
        const span = this.#take(size);
        if (span === 0) continue;
        // Whole pages only: a page at an end may hold the start of somebody else's.
        const first = Math.ceil(span / pageLines) * pageLines;
        const end = Math.floor((span + size) / pageLines) * pageLines;
        const count = Math.floor((end - first) / lines);
        if (count > 0) return this.#add(sizeClass, span, size, first, count);
        this.#give(span, size);
        break;
      }
      if (this.#empty === 0) return 0;
      this.#giveEmpty();
    }
  }

  #add(sizeClass: number, span: number, spanLines: number, first: number, count: number): number {
    const slab = this.#unused.pop() ?? this.#length++;
    if (slab << 4 === this.table.length) {
      const table = new Int32Array(this.table.length * 2);
      table.set(this.table);
      this.table = table;
    }
    const { table } = this;
    const entry = slab << 4;
    table[entry + FIRST] = first;
    table[entry + LINES] = linesOf(sizeClass);
    table[entry + COUNT] = count;
    table[entry + FRESH] = 0;
    table[entry + FREE] = 0;
    table[entry + LIVE] = 0;
    table[entry + CLASS] = sizeClass;
    table[entry + SPAN] = span;
    table[entry + SPAN_LINES] = spanLines;
    this.#setPages(slab, slab);
    this.#empty += 1;
    this.#link(slab);
    return slab;
  }

  /** Marks the pages in which regions of the slab start. */
  #setPages(slab: number, value: number): void {
    const entry = slab << 4;
    const first = this.table[entry + FIRST]!;
    const last = first + (this.table[entry + COUNT]! - 1) * this.table[entry + LINES]!;
    this.#pages.fill(value, first >>> this.#pageShift, (last >>> this.#pageShift) + 1);
  }

  /** Gives all slabs without live regions back, and links the others anew. */
  #giveEmpty(): void {
    const { table } = this;
    this.#first.fill(0);
    for (let slab = 1; slab < this.#length; slab += 1) {
      const entry = slab << 4;
      if (table[entry + SPAN_LINES] === 0) continue;
      const live = table[entry + LIVE]!;
      if (live === 0) {
        this.#setPages(slab, 0);
        this.#give(table[entry + SPAN]!, table[entry + SPAN_LINES]!);
        table[entry + SPAN_LINES] = 0;
        this.#unused.push(slab);
      } else if (live < table[entry + COUNT]!) {
        this.#link(slab);
      }
    }
    this.#empty = 0;
  }

  #take(lines: number): number {
    const size = spanBytes(lines * LINE_BYTES);
    if (this.#bytesTaken + size > this.#bytesMax) return 0;
    const at = this.#memory.take(lines * LINE_BYTES, true);
    if (at === NO_OFFSET) return 0;
    this.#bytesTaken += size;
    return at / LINE_BYTES;
  }

  #give(line: number, lines: number): void {
    this.#bytesTaken -= spanBytes(lines * LINE_BYTES);
    this.#memory.give(line * LINE_BYTES, lines * LINE_BYTES);
  }
}
