import { type Ids, NO_ID } from "./postings-list.ts";

/** No id. */
export const NO_IDS: Ids = { countMax: 0, seek: () => NO_ID };

/** Lists up to this are joined as they are read; more of them are gathered first. */
const STREAMS_MAX = 16;

/** Ids that are in every one of `all`, of which there is at least one. */
export function intersect(all: readonly Ids[]): Ids {
  return all.length === 1 ? all[0]! : new Intersection(all);
}

/** Ids that are in any of `all`. Many lists are read at once, so that going on is cheap. */
export function unite(all: readonly Ids[]): Ids {
  if (all.length === 0) return NO_IDS;
  if (all.length === 1) return all[0]!;
  return all.length <= STREAMS_MAX ? new Union(all) : gather(all);
}

/** Ids of `ids` that are not in `others`. */
export function subtract(ids: Ids, others: Ids): Ids {
  return others.countMax === 0 ? ids : new Difference(ids, others);
}

class Intersection implements Ids {
  readonly countMax: number;
  /** The one with the fewest ids leads. */
  readonly #all: readonly Ids[];

  constructor(all: readonly Ids[]) {
    this.#all = all.toSorted((a, b) => a.countMax - b.countMax);
    this.countMax = this.#all[0]!.countMax;
  }

  seek(from: number): number {
    const all = this.#all;
    let id = all[0]!.seek(from);
    for (let i = 1; i < all.length && id !== NO_ID;) {
      const found = all[i]!.seek(id);
      if (found === id) {
        i += 1;
        continue;
      }
      id = found === NO_ID ? NO_ID : all[0]!.seek(found);
      i = 1;
    }
    return id;
  }
}

class Union implements Ids {
  readonly countMax: number;
  readonly #all: readonly Ids[];
  /** By list: its first id that was not passed. */
  readonly #heads: Float64Array;

  constructor(all: readonly Ids[]) {
    this.#all = all;
    this.#heads = new Float64Array(all.length).fill(-1);
    this.countMax = all.reduce((sum, { countMax }) => sum + countMax, 0);
  }

  seek(from: number): number {
    const heads = this.#heads;
    let first = NO_ID;
    for (let i = 0; i < heads.length; i += 1) {
      let head = heads[i]!;
      if (head < from) {
        head = this.#all[i]!.seek(from);
        heads[i] = head;
      }
      if (head < first) first = head;
    }
    return first;
  }
}

class Difference implements Ids {
  readonly countMax: number;
  readonly #ids: Ids;
  readonly #others: Ids;

  constructor(ids: Ids, others: Ids) {
    this.#ids = ids;
    this.#others = others;
    this.countMax = ids.countMax;
  }

  seek(from: number): number {
    let id = this.#ids.seek(from);
    while (id !== NO_ID && this.#others.seek(id) === id) id = this.#ids.seek(id + 1);
    return id;
  }
}

/** A bit an id: cheaper than sorting once the ids are more than a few in a hundred of their range. */
const BITS_PER_ID = 64;

/** Reads all lists and keeps their ids, as sorted words or as bits, whichever takes less. */
function gather(all: readonly Ids[]): Ids {
  let count = 0;
  for (const { countMax } of all) count += countMax;
  const ids = new Uint32Array(count);
  let length = 0;
  let last = 0;
  for (const list of all) {
    for (let id = list.seek(0); id !== NO_ID; id = list.seek(id + 1)) {
      ids[length] = id;
      length += 1;
      if (id > last) last = id;
    }
  }
  const found = ids.subarray(0, length);
  return length * BITS_PER_ID < last ? new SortedIds(found.sort()) : bitsOf(found, last);
}

function bitsOf(ids: Uint32Array, last: number): Ids {
  const words = new Uint32Array(Math.floor(last / 32) + 1);
  for (let i = 0; i < ids.length; i += 1) {
    const id = ids[i]!;
    words[id >>> 5]! |= 1 << (id & 31);
  }
  return new BitIds(words, ids.length);
}

class SortedIds implements Ids {
  readonly countMax: number;
  readonly #ids: Uint32Array;
  #at = 0;

  constructor(ids: Uint32Array) {
    this.#ids = ids;
    this.countMax = ids.length;
  }

  seek(from: number): number {
    const ids = this.#ids;
    let low = this.#at;
    if (low < ids.length && ids[low]! < from) {
      let step = 1;
      while (low + step < ids.length && ids[low + step]! < from) {
        low += step;
        step *= 2;
      }
      let high = Math.min(low + step, ids.length);
      while (high - low > 1) {
        const middle = (low + high) >>> 1;
        if (ids[middle]! < from) low = middle;
        else high = middle;
      }
      low = high;
    }
    this.#at = low;
    return low < ids.length ? ids[low]! : NO_ID;
  }
}

class BitIds implements Ids {
  readonly countMax: number;
  readonly #words: Uint32Array;

  constructor(words: Uint32Array, countMax: number) {
    this.#words = words;
    this.countMax = countMax;
  }

  seek(from: number): number {
    const words = this.#words;
    let at = Math.floor(from / 32);
    if (at >= words.length) return NO_ID;
    let word = words[at]! & (-1 << (from & 31));
    while (word === 0) {
      at += 1;
      if (at === words.length) return NO_ID;
      word = words[at]!;
    }
    return at * 32 + (31 - Math.clz32(word & -word));
  }
}
