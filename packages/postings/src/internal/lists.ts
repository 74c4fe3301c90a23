import { RUN_WORDS_MAX, RunPool } from "./run-pool.ts";
import type { RefBits } from "./ref-bits.ts";

/** Words of a pair's record. The three at the end hold a list of up to three refs, or say where a longer one is. */
export const HASH = 0;
export const NAME = 1;
export const VALUE_AT = 2;
const LENGTH = 3;
/** The highest ref of the list. */
const LAST = 4;
const REFS = 5;
const INLINE_MAX = 3;
/** A record has eight words. */
const RECORD_LOG2 = 3;
/** The second word of a longer list: its refs were not put in ascending, and are not sorted yet. */
const IS_UNSORTED = REFS + 1;

/** A part of a list that lies in one piece: words[from … until). */
export interface Stretch {
  words: Uint32Array;
  from: number;
  until: number;
}

/**
 * A record for each pair of a name and a value, with its list of refs: up to three lie in the record, up to 16,384 in
 * a run that doubles, more in pages of that many. No list is ever copied whole because it grew past a page.
 */
export class Lists {
  readonly #records = new RunPool();
  readonly #runs = new RunPool();
  /** Addresses of the pages of lists longer than one, by the number that their records hold. */
  readonly #directories: (number[] | undefined)[] = [];
  readonly #freeDirectories: number[] = [];
  readonly #stretch: Stretch = { words: new Uint32Array(0), from: 0, until: 0 };
  #directoryBytes = 0;

  get bytes(): number {
    return this.#records.bytes + this.#runs.bytes + this.#directoryBytes;
  }

  /** Makes a pair with an empty list. */
  addPair(hash: number, name: number, valueAt: number): number {
    const pair = this.#records.acquire(RECORD_LOG2);
    const record = this.#records.words(pair);
    const at = this.#records.offset(pair);
    record[at + HASH] = hash;
    record[at + NAME] = name;
    record[at + VALUE_AT] = valueAt;
    record[at + LENGTH] = 0;
    record[at + LAST] = 0;
    return pair;
  }

  /** Lets go of a pair whose list is empty. */
  removePair(pair: number): void {
    this.#records.release(pair);
  }

  /** A word of a pair's record: HASH, NAME or VALUE_AT. */
  get(pair: number, word: number): number {
    return this.#records.words(pair)[this.#records.offset(pair) + word]!;
  }

  set(pair: number, word: number, value: number): void {
    this.#records.words(pair)[this.#records.offset(pair) + word] = value;
  }

  length(pair: number): number {
    return this.get(pair, LENGTH);
  }

  /** Puts a ref at the end of a list; one that is lower than the last is put in its place when the list is read. */
  append(pair: number, ref: number): void {
    const record = this.#records.words(pair);
    const at = this.#records.offset(pair);
    const length = record[at + LENGTH]!;
    record[at + LENGTH] = length + 1;
    const last = record[at + LAST]!;
    if (ref > last) record[at + LAST] = ref;
    if (length < INLINE_MAX) {
      insertInline(record, at + REFS, length, ref);
      return;
    }
    if (length >= RUN_WORDS_MAX) this.#appendPaged(record, at, length, ref);
    else this.#appendRun(record, at, length, ref);
    if (ref < last) record[at + IS_UNSORTED] = 1;
  }

  /** How many stretches a list has. Sorts it first where that is due. */
  stretches(pair: number): number {
    const record = this.#records.words(pair);
    const at = this.#records.offset(pair);
    const length = record[at + LENGTH]!;
    if (length > INLINE_MAX && record[at + IS_UNSORTED] === 1) this.#sort(pair);
    return Math.ceil(length / RUN_WORDS_MAX);
  }

  /** Finds the i-th stretch of a list. It holds until a list changes. */
  stretch(pair: number, i: number, into: Stretch): void {
    const record = this.#records.words(pair);
    const at = this.#records.offset(pair);
    const length = record[at + LENGTH]!;
    if (length <= INLINE_MAX) {
      into.words = record;
      into.from = at + REFS;
      into.until = into.from + length;
      return;
    }
    const place = record[at + REFS]!;
    const address = length <= RUN_WORDS_MAX ? place : this.#directories[place]![i]!;
    into.words = this.#runs.words(address);
    into.from = this.#runs.offset(address);
    into.until = into.from + Math.min(RUN_WORDS_MAX, length - i * RUN_WORDS_MAX);
  }

  /** Copies a whole list to into[at …], ascending. Returns the position behind it. */
  copy(pair: number, into: Uint32Array, at: number): number {
    const stretch = this.#stretch;
    const count = this.stretches(pair);
    let to = at;
    for (let i = 0; i < count; i += 1) {
      this.stretch(pair, i, stretch);
      const { words, from, until } = stretch;
      for (let k = from; k < until; k += 1) into[to++] = words[k]!;
    }
    return to;
  }

  /** From now on lists that are written go to new pages: see `rewrite`. */
  closePages(): void {
    this.#runs.closePages();
  }

  /** Writes a list anew, without the refs that are in `without`. */
  rewrite(pair: number, without: RefBits): void {
    if (this.length(pair) <= INLINE_MAX) {
      this.#strikeInline(pair, without);
      return;
    }
    let left = this.length(pair);
    const record = this.#records.words(pair);
    const at = this.#records.offset(pair);
    const place = record[at + REFS]!;
    record[at + LENGTH] = 0;
    record[at + LAST] = 0;
    if (left <= RUN_WORDS_MAX) {
      this.#moveRun(pair, place, left, without);
      return;
    }
    for (const address of this.#dropDirectory(place)) {
      this.#moveRun(pair, address, Math.min(RUN_WORDS_MAX, left), without);
      left -= RUN_WORDS_MAX;
    }
  }

  #strikeInline(pair: number, without: RefBits): void {
    const record = this.#records.words(pair);
    const at = this.#records.offset(pair);
    const length = record[at + LENGTH]!;
    let kept = 0;
    for (let i = 0; i < length; i += 1) {
      const ref = record[at + REFS + i]!;
      if (!without.has(ref)) record[at + REFS + kept++] = ref;
    }
    record[at + LENGTH] = kept;
    record[at + LAST] = kept === 0 ? 0 : record[at + REFS + kept - 1]!;
  }

  /** Appends what stays of a run to the pair's new list, and gives the run back. */
  #moveRun(pair: number, address: number, length: number, without: RefBits): void {
    const words = this.#runs.words(address);
    const from = this.#runs.offset(address);
    for (let k = from; k < from + length; k += 1) {
      if (!without.has(words[k]!)) this.append(pair, words[k]!);
    }
    this.#runs.release(address);
  }

  #appendRun(record: Uint32Array, at: number, length: number, ref: number): void {
    if (length === INLINE_MAX) {
      const address = this.#runs.acquire(2);
      const words = this.#runs.words(address);
      const to = this.#runs.offset(address);
      for (let i = 0; i < INLINE_MAX; i += 1) words[to + i] = record[at + REFS + i]!;
      words[to + INLINE_MAX] = ref;
      record[at + REFS] = address;
      record[at + IS_UNSORTED] = 0;
      return;
    }
    let address = record[at + REFS]!;
    if ((length & (length - 1)) === 0) {
      address = this.#grow(address, length);
      record[at + REFS] = address;
    }
    this.#runs.words(address)[this.#runs.offset(address) + length] = ref;
  }

  #grow(address: number, length: number): number {
    const larger = this.#runs.acquire(32 - Math.clz32(length));
    const words = this.#runs.words(address);
    const from = this.#runs.offset(address);
    const target = this.#runs.words(larger);
    const to = this.#runs.offset(larger);
    for (let i = 0; i < length; i += 1) target[to + i] = words[from + i]!;
    this.#runs.release(address);
    return larger;
  }

  #appendPaged(record: Uint32Array, at: number, length: number, ref: number): void {
    if (length === RUN_WORDS_MAX) record[at + REFS] = this.#addDirectory(record[at + REFS]!);
    const pages = this.#directories[record[at + REFS]!]!;
    const offset = length & (RUN_WORDS_MAX - 1);
    if (offset === 0) {
      pages.push(this.#runs.acquire(Math.log2(RUN_WORDS_MAX)));
      this.#directoryBytes += 8;
    }
    this.#runs.words(pages[pages.length - 1]!)[offset] = ref;
  }

  #addDirectory(first: number): number {
    const number = this.#freeDirectories.pop() ?? this.#directories.length;
    this.#directories[number] = [first];
    this.#directoryBytes += 8;
    return number;
  }

  #dropDirectory(number: number): number[] {
    const pages = this.#directories[number]!;
    this.#directories[number] = undefined;
    this.#freeDirectories.push(number);
    this.#directoryBytes -= 8 * pages.length;
    return pages;
  }

  /** Sorts a list that is longer than a record holds. */
  #sort(pair: number): void {
    this.set(pair, IS_UNSORTED, 0);
    const refs = new Uint32Array(this.length(pair));
    this.copy(pair, refs, 0);
    refs.sort();
    const stretch = this.#stretch;
    for (let i = 0, at = 0; at < refs.length; i += 1) {
      this.stretch(pair, i, stretch);
      for (let k = stretch.from; k < stretch.until; k += 1) stretch.words[k] = refs[at++]!;
    }
  }
}

/** Keeps the few refs of a record sorted as they come. */
function insertInline(record: Uint32Array, from: number, length: number, ref: number): void {
  let at = from + length;
  while (at > from && record[at - 1]! > ref) {
    record[at] = record[at - 1]!;
    at -= 1;
  }
  record[at] = ref;
}
