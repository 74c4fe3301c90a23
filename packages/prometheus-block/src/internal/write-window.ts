import type { Pairs } from "./write-pairs.ts";

/** A range of entries: from the `skipped`-th of the list at place `first` on, up to some entry of the one at `last`. */
export class PostingsWindow {
  first = 0;
  last = 0;
  skipped = 0;
  length = 0;
  readonly entries: Uint32Array;
  /** By list: where in the window its next entry goes. Negative while it is skipped. */
  #cursors = new Float64Array(0);
  readonly #pairs: Pairs;
  /** Where the next window begins. */
  #place = 0;
  #entry = 0;

  constructor(pairs: Pairs, entriesMax: number) {
    this.#pairs = pairs;
    this.entries = new Uint32Array(entriesMax);
  }

  /** Moves behind the last window. False when all lists are done. */
  next(): boolean {
    const pairs = this.#pairs;
    if (this.#place === pairs.placed) return false;
    this.first = this.#place;
    this.skipped = this.#entry;
    this.length = 0;
    let place = this.#place;
    let entry = this.#entry;
    for (; place < pairs.placed && this.length < this.entries.length; place += 1, entry = 0) {
      const left = pairs.countAt(place) - entry;
      const room = this.entries.length - this.length;
      this.length += Math.min(left, room);
      this.last = place;
      if (left > room) {
        entry += room;
        break;
      }
    }
    this.#place = place;
    this.#entry = entry;
    this.#placeCursors();
    return true;
  }

  /** The next entry of the window's list with this number, counted from 0. */
  put(list: number, entry: number): void {
    const at = this.#cursors[list]!;
    this.#cursors[list] = at + 1;
    if (at >= 0 && at < this.length) this.entries[at] = entry;
  }

  #placeCursors(): void {
    const lists = this.last - this.first + 1;
    if (this.#cursors.length < lists) this.#cursors = new Float64Array(lists);
    let at = -this.skipped;
    for (let i = 0; i < lists; i += 1) {
      this.#cursors[i] = at;
      at += this.#pairs.countAt(this.first + i);
    }
  }
}
