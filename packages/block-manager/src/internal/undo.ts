import { assert, NO_OFFSET, type Memory, type Offset } from "@varve/contracts";

/** Bytes of a row: the time of the sample before, its value, the series' flags, the series. */
const UNDO_BYTES = 24;
/** Double of a row. */
const TIME = 0;
/** Words of a row. */
const LOW = 2;
const HIGH = 3;
const FLAGS = 4;
const SERIES = 5;
const DOUBLES = UNDO_BYTES / 8;
const WORDS = UNDO_BYTES / 4;
/** Bytes before the first row: a word for the number of rows. */
const HEAD_BYTES = 8;
/** Rows to begin with. */
const ROWS = 256;

/**
 * What rows were before they were admitted, for `withdraw`: a stack in the memory that empties when all admitted rows
 * are applied. It doubles when it is full, so it is as large as the most rows that ever waited.
 */
export class UndoStack {
  /** How many of the rows are applied. */
  applied = 0;
  /** Rows there is room for. */
  capacity = 0;
  /** Where it lies in the memory. */
  at: Offset = NO_OFFSET;
  readonly #memory: Memory;
  #top: Int32Array = new Int32Array(1);
  /** The rows twice. */
  #doubles: Float64Array = new Float64Array(0);
  #words: Int32Array = new Int32Array(0);

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  /** Rows admitted since the stack was last empty. */
  get top(): number {
    return this.#top[0]!;
  }

  /** Makes room for a row more. False when the memory is full. */
  makeRoom(): boolean {
    if (this.top < this.capacity) return true;
    const capacity = this.capacity === 0 ? ROWS : this.capacity * 2;
    const bytes = capacity * UNDO_BYTES;
    const at = this.#memory.take(HEAD_BYTES + bytes);
    if (at === NO_OFFSET) return false;
    const words = this.#memory.words(at + HEAD_BYTES, bytes / 4);
    words.set(this.#words); // As words: times keep their bits.
    const top = this.#memory.words(at, 1);
    top.set(this.#top);
    this.dispose();
    this.at = at;
    this.capacity = capacity;
    this.#top = top;
    this.#doubles = this.#memory.doubles(at + HEAD_BYTES, bytes / 8);
    this.#words = words;
    return true;
  }

  /** Puts a row on, for which there is room: the series, and its last time, value and flags. */
  push(ref: number, time: number, low: number, high: number, flags: number): void {
    const row = this.top;
    const word = row * WORDS;
    this.#doubles[row * DOUBLES + TIME] = time;
    this.#words[word + LOW] = low;
    this.#words[word + HIGH] = high;
    this.#words[word + FLAGS] = flags;
    this.#words[word + SERIES] = ref;
    this.#top[0] = row + 1;
  }

  /** Takes the newest row off, which must be of this series, and returns its number. */
  pop(ref: number): number {
    const row = this.top - 1;
    assert(row >= this.applied, "a row is withdrawn that is admitted and not applied");
    const series = this.#words[row * WORDS + SERIES]! >>> 0;
    assert(series === ref, `rows are withdrawn in reverse: series ${series} came before ${ref}`);
    this.#top[0] = row;
    return row;
  }

  time(row: number): number {
    return this.#doubles[row * DOUBLES + TIME]!;
  }

  low(row: number): number {
    return this.#words[row * WORDS + LOW]!;
  }

  high(row: number): number {
    return this.#words[row * WORDS + HIGH]!;
  }

  flags(row: number): number {
    return this.#words[row * WORDS + FLAGS]!;
  }

  /** `count` rows more are applied. */
  apply(count: number): void {
    this.applied += count;
    if (this.applied >= this.top) {
      this.applied = 0;
      this.#top[0] = 0;
    }
  }

  /** Gives the memory back. */
  dispose(): void {
    if (this.at !== NO_OFFSET) this.#memory.give(this.at, HEAD_BYTES + this.capacity * UNDO_BYTES);
    this.at = NO_OFFSET;
    this.capacity = 0;
  }
}
