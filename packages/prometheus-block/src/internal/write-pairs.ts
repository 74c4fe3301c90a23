import type { Pause } from "@varve/contracts";
import { RUN_MAX, WordSorter } from "./write-sort.ts";
import { Slots } from "./write-slots.ts";
import { PagedWords } from "./write-words.ts";

/** The pair of two empty strings, which stands for all series: the first of every block. */
export const ALL_PAIR = 0;

/** Pairs that were asked for lately, by their hash: a slot has three words, name, value and the id plus one. */
const RECENT_BITS = 12;
const RECENT_WORDS = 3;

/**
 * The distinct pairs of a name and a value, by their symbols' ordinals, and how many series carry each.
 * Pairs have ids in order of first sight, and after `sort` places in order of name and value.
 */
export class Pairs {
  readonly #slots = new Slots();
  readonly #recent = new Uint32Array(RECENT_WORDS << RECENT_BITS);
  readonly #names = new PagedWords();
  readonly #values = new PagedWords();
  readonly #counts = new PagedWords();
  #order: Uint32Array = new Uint32Array(0);
  #places = new Uint32Array(0);
  /** Entries of all lists, known after `sort`. */
  entries = 0;

  constructor() {
    this.intern(0, 0);
  }

  /** Pairs that have an id. */
  get count(): number {
    return this.#names.length;
  }

  /** The id of a pair, a new one when it was not seen before. */
  intern(name: number, value: number): number {
    const known = this.find(name, value);
    if (known >= 0) return known;
    this.#values.push(value);
    this.#counts.push(0);
    const id = this.#names.push(name);
    this.#slots.add(hashPair(name, value), id);
    return id;
  }

  /** The id of a pair, or -1. */
  find(name: number, value: number): number {
    const recent = this.#recent;
    const hash = hashPair(name, value);
    const at = (hash >>> (32 - RECENT_BITS)) * RECENT_WORDS;
    if (recent[at] === name && recent[at + 1] === value && recent[at + 2] !== 0) {
      return recent[at + 2]! - 1;
    }
    const id = this.#search(hash, name, value);
    recent[at] = name;
    recent[at + 1] = value;
    recent[at + 2] = id + 1;
    return id;
  }

  /** One more series carries the pair. */
  addSeries(id: number): void {
    this.#counts.increment(id);
  }

  /** Gives every pair that a series carries its place. No pair comes after. */
  async sort(pause: Pause): Promise<void> {
    const sorter = new WordSorter(this.count);
    let used = 0;
    for (let id = 0; id < this.count; id += 1) {
      const count = this.#counts.get(id);
      if (count === 0) continue; // Of a series without chunks.
      this.entries += count;
      sorter.ids[used] = id;
      sorter.keys[used] = this.#values.get(id);
      used += 1;
      if (used % RUN_MAX === 0) await pause();
    }
    await sorter.sort(0, used, pause); // Stable: by value first, then by name.
    for (let at = 0; at < used; at += 1) {
      sorter.keys[at] = this.#names.get(sorter.ids[at]!);
      if (at % RUN_MAX === RUN_MAX - 1) await pause();
    }
    await sorter.sort(0, used, pause);
    this.#order = sorter.ids.subarray(0, used);
    this.#places = new Uint32Array(this.count);
    for (let place = 0; place < used; place += 1) {
      this.#places[this.#order[place]!] = place;
      if (place % RUN_MAX === RUN_MAX - 1) await pause();
    }
  }

  /** Pairs that have a place, known after `sort`. */
  get placed(): number {
    return this.#order.length;
  }

  placeOf(id: number): number {
    return this.#places[id]!;
  }

  nameAt(place: number): number {
    return this.#names.get(this.#order[place]!);
  }

  valueAt(place: number): number {
    return this.#values.get(this.#order[place]!);
  }

  /** Series that carry the pair at a place. */
  countAt(place: number): number {
    return this.#counts.get(this.#order[place]!);
  }

  #search(hash: number, name: number, value: number): number {
    const slots = this.#slots;
    for (let id = slots.first(hash); id >= 0; id = slots.next()) {
      if (this.#values.get(id) === value && this.#names.get(id) === name) return id;
    }
    return -1;
  }
}

/** Mixes two ordinals, as MurmurHash3 finishes: they count from 0, and nobody can choose them to collide. */
function hashPair(name: number, value: number): number {
  let hash = Math.imul(name + 1, 0x9e3779b1) ^ value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
