import { NO_OFFSET, type Memory } from "@varve/contracts";

/** Slots of a segment. A split moves at most this many, and its 8 KiB stay in the first-level cache: 3 µs. */
export const SEGMENT_SLOTS = 512;
/** Words of a slot. */
export const SLOT_WORDS = 4;
/** Words of a segment. */
export const SEGMENT_WORDS = SEGMENT_SLOTS * SLOT_WORDS;
const SEGMENT_BYTES = SEGMENT_WORDS * 4;
/** Bits of a place that choose a segment; the other nine choose the slot. */
export const DEPTH_MAX = 23;

/**
 * The directory of an extendible hash table, and what is known of each segment.
 *
 * The lowest `depth` bits of a place choose an entry of the directory; several entries lead to a segment that
 * was chosen by fewer bits. It takes 8 B for about 280 series, and doubles by copies of native speed.
 */
export class Segments {
  readonly #memory: Memory;
  /** Where the segment of each entry starts, in words of the memory. */
  #starts = new Int32Array(1);
  /** The number of that segment. */
  #numbers = new Int32Array(1);
  /** By number: series in the segment, bits that chose it, and whether a series of it went to the overflow. */
  series = new Uint16Array(16);
  depths = new Uint8Array(16);
  overflowed = new Uint8Array(16);
  #depth = 0;
  #count = 0;

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  get bytes(): number {
    return this.#count * SEGMENT_BYTES + this.#starts.byteLength * 2;
  }

  /** Takes 2^depth segments. False when the memory is full; what was taken waits for `dispose`. */
  open(depth: number): boolean {
    this.#depth = depth;
    this.#starts = new Int32Array(2 ** depth);
    this.#numbers = new Int32Array(2 ** depth);
    for (let i = 0; i < this.#starts.length; i += 1) {
      const start = this.#take(depth, 0);
      if (start === NO_OFFSET) return false;
      this.#starts[i] = start;
      this.#numbers[i] = i;
    }
    return true;
  }

  start(place: number): number {
    return this.#starts[place & (this.#starts.length - 1)]!;
  }

  number(place: number): number {
    return this.#numbers[place & (this.#numbers.length - 1)]!;
  }

  /**
   * Makes room for half of a segment: every second entry that led to it leads to a new one. Returns the number of
   * that, or -1 when there is no memory or no bit left. The slots are the caller's to part.
   */
  split(place: number): number {
    const number = this.number(place);
    const depth = this.depths[number]!;
    if (depth >= DEPTH_MAX) return -1;
    const start = this.#take(depth + 1, this.overflowed[number]!);
    if (start === NO_OFFSET) return -1;
    if (depth === this.#depth) this.#widen();
    const fresh = this.#count - 1;
    const bit = 1 << depth;
    for (let i = (place & (bit - 1)) | bit; i < this.#starts.length; i += bit << 1) {
      this.#starts[i] = start;
      this.#numbers[i] = fresh;
    }
    this.depths[number] = depth + 1;
    return fresh;
  }

  /** Calls `visit` with the byte offset and the size of each segment. */
  forEach(visit: (at: number, bytes: number) => void): void {
    const seen = new Uint8Array(this.#count);
    for (let i = 0; i < this.#starts.length; i += 1) {
      const number = this.#numbers[i]!;
      if (this.#starts[i] === 0 || seen[number] === 1) continue;
      seen[number] = 1;
      visit(this.#starts[i]! * 4, SEGMENT_BYTES);
    }
  }

  dispose(): void {
    this.forEach((at, bytes) => this.#memory.give(at, bytes));
    this.#starts.fill(0);
    this.#count = 0;
  }

  #take(depth: number, overflowed: number): number {
    const at = this.#memory.take(SEGMENT_BYTES);
    if (at === NO_OFFSET) return NO_OFFSET;
    if (this.#count === this.series.length) this.#lengthen();
    this.depths[this.#count] = depth;
    this.series[this.#count] = 0;
    this.overflowed[this.#count] = overflowed;
    this.#count += 1;
    return at / 4;
  }

  #widen(): void {
    this.#starts = twice(this.#starts);
    this.#numbers = twice(this.#numbers);
    this.#depth += 1;
  }

  #lengthen(): void {
    const length = this.series.length * 2;
    const { series, depths, overflowed } = this;
    this.series = new Uint16Array(length);
    this.depths = new Uint8Array(length);
    this.overflowed = new Uint8Array(length);
    this.series.set(series);
    this.depths.set(depths);
    this.overflowed.set(overflowed);
  }
}

function twice(entries: Int32Array): Int32Array<ArrayBuffer> {
  const wider = new Int32Array(entries.length * 2);
  wider.set(entries);
  wider.set(entries, entries.length);
  return wider;
}
