import { NO_OFFSET, type Memory } from "@varve/contracts";
import { HEAP_ARRAYS, type TableArrays } from "./table-arrays.ts";

/** Slots of a segment. A split moves at most this many, and its 8 KiB stay in the first-level cache: 3 µs. */
export const SEGMENT_SLOTS = 512;
/** Words of a slot. */
export const SLOT_WORDS = 4;
/** Words of a segment. */
export const SEGMENT_WORDS = SEGMENT_SLOTS * SLOT_WORDS;
const SEGMENT_BYTES = SEGMENT_WORDS * 4;
/** Bits of a place that choose a segment; the other nine choose the slot. */
export const DEPTH_MAX = 23;
/** Bytes of what is known of a segment, by number. */
const RECORD_BYTES = 4;
/** Segments that there is room for to begin with. */
const RECORDS = 16;

/**
 * The directory of an extendible hash table, and what is known of each segment.
 *
 * The lowest `depth` bits of a place choose an entry of the directory; several entries lead to a segment that
 * was chosen by fewer bits. It takes 8 B for about 280 series, and doubles by copies of native speed. Segments that
 * a split parted can become one again, and the directory is halved once nothing needs its last two bits.
 */
export class Segments {
  readonly #memory: Memory;
  readonly #arrays: TableArrays;
  /** Where the segment of each entry starts, in words of the memory. */
  #starts: Int32Array;
  /** The number of that segment. */
  #numbers: Int32Array;
  /** By number: series in the segment, bits that chose it, and whether a series of it went to the overflow. */
  series: Uint16Array;
  depths = new Uint8Array(RECORDS);
  overflowed: Uint8Array;
  /** Whether all that a kernel reads lies in the linear memory. */
  isLinear = false;
  /** Counts how often that was laid elsewhere. */
  version = 0;
  #depth = 0;
  /** Bits that chose the first segments: room that was made up front stays. */
  #depthMin = 0;
  /** Segments that each number of bits chose. */
  readonly #atDepth = new Int32Array(DEPTH_MAX + 1);
  #count = 0;
  /** Numbers that were given out, and those of them that no segment has. */
  #numberCount = 0;
  readonly #unused: number[] = [];

  constructor(memory: Memory, arrays: TableArrays = HEAP_ARRAYS) {
    this.#memory = memory;
    this.#arrays = arrays;
    this.#starts = arrays.words(1);
    this.#numbers = arrays.words(1);
    this.series = arrays.shorts(RECORDS);
    this.overflowed = arrays.bytes(RECORDS);
    this.#lookAgain();
  }

  /** Byte offset of the words in which the segments of all entries start, where they lie in the memory. */
  get startsAt(): number {
    return this.#starts.byteOffset;
  }

  /** Byte offset of the numbers of those segments. */
  get numbersAt(): number {
    return this.#numbers.byteOffset;
  }

  /** What chooses an entry of a place. */
  get mask(): number {
    return this.#starts.length - 1;
  }

  get bytes(): number {
    const directoryBytes = this.#starts.byteLength * 2;
    return this.#count * SEGMENT_BYTES + directoryBytes + this.series.length * RECORD_BYTES;
  }

  /** Takes 2^depth segments. False when the memory is full; what was taken waits for `dispose`. */
  open(depth: number): boolean {
    this.#depth = depth;
    this.#depthMin = depth;
    this.#replace(this.#arrays.words(2 ** depth), this.#arrays.words(2 ** depth));
    for (let i = 0; i < this.#starts.length; i += 1) {
      const at = this.#memory.take(SEGMENT_BYTES);
      if (at === NO_OFFSET) return false;
      this.#starts[i] = at / 4;
      this.#numbers[i] = this.#add(depth, 0);
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
    const at = this.#memory.take(SEGMENT_BYTES);
    if (at === NO_OFFSET) return -1;
    if (depth === this.#depth) this.#widen();
    const fresh = this.#add(depth + 1, this.overflowed[number]!);
    this.#setDepth(number, depth + 1);
    this.#lead(place | (1 << depth), depth + 1, at / 4, fresh);
    return fresh;
  }

  /** The number of the segment that a split parted from the one of `place`; -1 when either was parted on, or none was. */
  twin(place: number): number {
    const depth = this.depths[this.number(place)]!;
    if (depth <= this.#depthMin) return -1;
    const twin = this.number(place ^ (1 << (depth - 1)));
    return this.depths[twin] === depth ? twin : -1;
  }

  /** Where the twin of the segment of `place` starts. */
  twinStart(place: number): number {
    return this.start(place ^ (1 << (this.depths[this.number(place)]! - 1)));
  }

  /** Gives the twin of the segment of `place` back, whose series are in that one by now. */
  merge(place: number): void {
    const number = this.number(place);
    const twin = this.twin(place);
    const depth = this.depths[number]!;
    this.#memory.give(this.twinStart(place) * 4, SEGMENT_BYTES);
    this.#lead(place ^ (1 << (depth - 1)), depth, this.start(place), number);
    this.series[number]! += this.series[twin]!;
    this.overflowed[number]! |= this.overflowed[twin]!;
    this.#atDepth[depth]! -= 1;
    this.#count -= 1;
    this.#unused.push(twin);
    this.#setDepth(number, depth - 1);
    if (this.#depth > this.#depthMin) this.#narrow();
  }

  /** Notes that the overflow is empty. */
  clearOverflowed(): void {
    this.overflowed.fill(0);
  }

  /** Calls `visit` with the byte offset and the size of each segment. */
  forEach(visit: (at: number, bytes: number) => void): void {
    const seen = new Uint8Array(this.#numberCount);
    for (let i = 0; i < this.#starts.length; i += 1) {
      const number = this.#numbers[i]!;
      if (this.#starts[i] === 0 || seen[number] === 1) continue;
      seen[number] = 1;
      visit(this.#starts[i]! * 4, SEGMENT_BYTES);
    }
  }

  dispose(): void {
    this.forEach((at, bytes) => this.#memory.give(at, bytes));
    this.#replace(new Int32Array(1), new Int32Array(1));
    this.#arrays.give(this.series);
    this.#arrays.give(this.overflowed);
    this.series = new Uint16Array(0);
    this.overflowed = new Uint8Array(0);
    this.#count = 0;
  }

  /** Notes a segment, and returns its number. */
  #add(depth: number, overflowed: number): number {
    const number = this.#unused.pop() ?? this.#numberCount++;
    if (number === this.series.length) this.#lengthen();
    this.depths[number] = depth;
    this.series[number] = 0;
    this.overflowed[number] = overflowed;
    this.#atDepth[depth]! += 1;
    this.#count += 1;
    return number;
  }

  #setDepth(number: number, depth: number): void {
    this.#atDepth[this.depths[number]!]! -= 1;
    this.#atDepth[depth]! += 1;
    this.depths[number] = depth;
  }

  /** Makes all entries whose lowest `depth` bits are those of `place` lead to a segment. */
  #lead(place: number, depth: number, start: number, number: number): void {
    const step = 1 << depth;
    for (let i = place & (step - 1); i < this.#starts.length; i += step) {
      this.#starts[i] = start;
      this.#numbers[i] = number;
    }
  }

  #widen(): void {
    const length = this.#starts.length;
    const starts = this.#copy(this.#starts, length * 2);
    const numbers = this.#copy(this.#numbers, length * 2);
    starts.set(this.#starts, length);
    numbers.set(this.#numbers, length);
    this.#replace(starts, numbers);
    this.#depth += 1;
  }

  /** Halves the directory when it could be a quarter: so the next splits do not double it at once. */
  #narrow(): void {
    if (this.#atDepth[this.#depth] !== 0 || this.#atDepth[this.#depth - 1] !== 0) return;
    const length = this.#starts.length / 2;
    this.#replace(this.#copy(this.#starts, length), this.#copy(this.#numbers, length));
    this.#depth -= 1;
  }

  /** The first `length` entries, or all and room for more. */
  #copy(entries: Int32Array, length: number): Int32Array {
    const copy = this.#arrays.words(length);
    copy.set(length < entries.length ? entries.subarray(0, length) : entries);
    return copy;
  }

  #replace(starts: Int32Array, numbers: Int32Array): void {
    this.#arrays.give(this.#starts);
    this.#arrays.give(this.#numbers);
    this.#starts = starts;
    this.#numbers = numbers;
    this.#lookAgain();
  }

  #lengthen(): void {
    const length = this.series.length * 2;
    const { series, depths, overflowed } = this;
    this.series = this.#arrays.shorts(length);
    this.depths = new Uint8Array(length);
    this.overflowed = this.#arrays.bytes(length);
    this.series.set(series);
    this.depths.set(depths);
    this.overflowed.set(overflowed);
    this.#arrays.give(series);
    this.#arrays.give(overflowed);
    this.#lookAgain();
  }

  #lookAgain(): void {
    const arrays = [this.#starts, this.#numbers, this.series, this.overflowed];
    this.isLinear = arrays.every((array) => this.#arrays.isLinear(array));
    this.version += 1;
  }
}
