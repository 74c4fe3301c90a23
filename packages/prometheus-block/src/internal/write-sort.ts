import type { Pause } from "@varve/contracts";

/** Elements that are sorted without asking for a pause: about 0.2 ms, and as much for symbols to load their words. */
export const RUN_MAX = 4096;
/** Below this, moving elements beats counting digits. */
const INSERTION_MAX = 32;
const DIGIT_BITS = 8;
const DIGITS = 1 << DIGIT_BITS;
const PASSES = 32 / DIGIT_BITS;

/** Sorts ids by words: stable, least digit first. Ids and words are moved together, in the caller's sight. */
export class WordSorter {
  readonly keys: Uint32Array;
  readonly ids: Uint32Array;
  readonly #otherKeys: Uint32Array;
  readonly #otherIds: Uint32Array;
  /** By pass: how many words have each digit, then where the next of them goes. */
  readonly #places = new Uint32Array(PASSES * DIGITS);

  constructor(length: number) {
    this.keys = new Uint32Array(length);
    this.ids = new Uint32Array(length);
    this.#otherKeys = new Uint32Array(length);
    this.#otherIds = new Uint32Array(length);
  }

  /** Sorts at most RUN_MAX elements at once. */
  sortRun(from: number, until: number): void {
    if (until - from <= INSERTION_MAX) {
      insertionSort(this.keys, this.ids, from, until);
      return;
    }
    this.#places.fill(0);
    this.#count(from, until);
    let moves = 0;
    for (let pass = 0; pass < PASSES; pass += 1) {
      if (!this.#begin(pass, from, until)) continue;
      this.#move(pass, from, until, (moves & 1) === 1);
      moves += 1;
    }
    if ((moves & 1) === 1) this.#bring(from, until);
  }

  /** Sorts any number, asking `pause` every RUN_MAX elements. */
  async sort(from: number, until: number, pause: Pause): Promise<void> {
    this.#places.fill(0);
    for (let at = from; at < until; at += RUN_MAX) {
      this.#count(at, Math.min(at + RUN_MAX, until));
      await pause();
    }
    let moves = 0;
    for (let pass = 0; pass < PASSES; pass += 1) {
      if (!this.#begin(pass, from, until)) continue;
      for (let at = from; at < until; at += RUN_MAX) {
        this.#move(pass, at, Math.min(at + RUN_MAX, until), (moves & 1) === 1);
        await pause();
      }
      moves += 1;
    }
    if ((moves & 1) === 0) return;
    for (let at = from; at < until; at += RUN_MAX) {
      this.#bring(at, Math.min(at + RUN_MAX, until));
      await pause();
    }
  }

  #count(from: number, until: number): void {
    const places = this.#places;
    const { keys } = this;
    for (let at = from; at < until; at += 1) {
      const key = keys[at]!;
      places[key & 255]! += 1;
      places[256 + ((key >>> 8) & 255)]! += 1;
      places[512 + ((key >>> 16) & 255)]! += 1;
      places[768 + (key >>> 24)]! += 1;
    }
  }

  /** Turns counts into places. False when all words have the same digit, so that nothing would move. */
  #begin(pass: number, from: number, until: number): boolean {
    const places = this.#places;
    const end = (pass + 1) * DIGITS;
    let at = from;
    for (let i = pass * DIGITS; i < end; i += 1) {
      const count = places[i]!;
      if (count === until - from) return false;
      places[i] = at;
      at += count;
    }
    return true;
  }

  /** Moves elements to the other arrays, or back from there. */
  #move(pass: number, from: number, until: number, isBack: boolean): void {
    const keys = isBack ? this.#otherKeys : this.keys;
    const ids = isBack ? this.#otherIds : this.ids;
    const toKeys = isBack ? this.keys : this.#otherKeys;
    const toIds = isBack ? this.ids : this.#otherIds;
    const places = this.#places;
    const shift = pass * DIGIT_BITS;
    const first = pass * DIGITS;
    for (let at = from; at < until; at += 1) {
      const key = keys[at]!;
      const digit = first + ((key >>> shift) & (DIGITS - 1));
      const to = places[digit]!;
      places[digit] = to + 1;
      toKeys[to] = key;
      toIds[to] = ids[at]!;
    }
  }

  #bring(from: number, until: number): void {
    this.keys.set(this.#otherKeys.subarray(from, until), from);
    this.ids.set(this.#otherIds.subarray(from, until), from);
  }
}

function insertionSort(keys: Uint32Array, ids: Uint32Array, from: number, until: number): void {
  for (let i = from + 1; i < until; i += 1) {
    const key = keys[i]!;
    const id = ids[i]!;
    let at = i;
    while (at > from && keys[at - 1]! > key) {
      keys[at] = keys[at - 1]!;
      ids[at] = ids[at - 1]!;
      at -= 1;
    }
    keys[at] = key;
    ids[at] = id;
  }
}
