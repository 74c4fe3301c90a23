import { assert } from "@varve/contracts";

const WORDS = 4;

/**
 * What rows were before they were admitted, for `withdraw`: a stack that empties when all admitted rows
 * are applied. It doubles when it is full, so it is as large as the most rows that ever waited.
 */
export class UndoStack {
  /** Rows admitted since the stack was last empty, and how many of them are applied. */
  top = 0;
  applied = 0;
  /** By row: time of the sample before. */
  times = new Float64Array(64);
  /** Four a row: its value's words, the series' flags, the series. */
  words = new Int32Array(64 * WORDS);

  grow(): void {
    const times = new Float64Array(this.times.length * 2);
    const words = new Int32Array(this.words.length * 2);
    times.set(this.times);
    words.set(this.words);
    this.times = times;
    this.words = words;
  }

  /** Takes the newest row off, which must be of this series, and returns its number. */
  pop(ref: number): number {
    const row = this.top - 1;
    assert(row >= this.applied, "a row is withdrawn that is admitted and not applied");
    assert(
      this.words[row * WORDS + 3]! >>> 0 === ref,
      `rows are withdrawn in reverse: series ${this.words[row * WORDS + 3]! >>> 0} came before ${ref}`,
    );
    this.top = row;
    return row;
  }

  /** `count` rows more are applied. */
  apply(count: number): void {
    this.applied += count;
    if (this.applied >= this.top) {
      this.applied = 0;
      this.top = 0;
    }
  }
}
