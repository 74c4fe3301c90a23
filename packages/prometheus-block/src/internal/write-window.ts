import type { Pause } from "@varve/contracts";
import type { Pairs } from "./write-pairs.ts";

/** Lists that are looked at without asking for a pause. */
const PIECE_LISTS = 2048;

/** A range of entries: from the `skipped`-th of the list at place `first` on, up to some entry of the one at `last`. */
export class PostingsWindow {
  first = 0;
  last = 0;
  skipped = 0;
  length = 0;
  readonly entries: Uint32Array;
  /** By list: where in the window its next entry goes. Negative while it is skipped. */
  readonly #cursors: Float64Array;
  readonly #pairs: Pairs;
  /** Where the next window begins. */
  #place = 0;
  #entry = 0;

  constructor(pairs: Pairs, entriesMax: number) {
    this.#pairs = pairs;
    this.entries = new Uint32Array(Math.min(pairs.entries, entriesMax));
    this.#cursors = new Float64Array(Math.min(pairs.placed, entriesMax)); // No list is empty.
  }

  /** Moves behind the last window. False when all lists are done. */
  async next(pause: Pause): Promise<boolean> {
    const pairs = this.#pairs;
    if (this.#place === pairs.placed) return false;
    this.first = this.#place;
    this.skipped = this.#entry;
    let begin = -this.skipped;
    let place = this.#place;
    for (; place < pairs.placed && begin < this.entries.length; place += 1) {
      this.#cursors[place - this.first] = begin;
      begin += pairs.countAt(place);
      if (place % PIECE_LISTS === 0) await pause();
    }
    this.last = place - 1;
    this.length = Math.min(begin, this.entries.length);
    // A list that goes on behind the window begins the next one.
    const left = begin - this.length;
    this.#place = left > 0 ? this.last : place;
    this.#entry = left > 0 ? pairs.countAt(this.last) - left : 0;
    return true;
  }

  /** The next entry of the window's list with this number, counted from 0. */
  put(list: number, entry: number): void {
    const at = this.#cursors[list]!;
    this.#cursors[list] = at + 1;
    if (at >= 0 && at < this.length) this.entries[at] = entry;
  }
}
