import type { HashSeed, SeriesHasher, WriteBatch } from "@varve/contracts";
import { add, flip, highOf, multiply, rotate, set, type Words } from "./words64.ts";

/** xxh64's primes, in halves. */
const P1_LOW = 0x85ebca87;
const P1_HIGH = 0x9e3779b1;
const P2_LOW = 0x27d4eb4f;
const P2_HIGH = 0xc2b2ae3d;
const P3_LOW = 0x9e3779f9;
const P3_HIGH = 0x165667b1;
const P4_LOW = 0xc2b2ae63;
const P4_HIGH = 0x85ebca77;
const P5_LOW = 0x165667c5;
const P5_HIGH = 0x27d4eb2f;

/** Where numbers lie: the hash, one on its way into it, and four lanes. */
const HASH = 0;
const WORD = 2;
const LANES = 4;
const LANES_END = 12;

/** Bytes that the lanes take together, 8 each. */
const STRIPE_BYTES = 32;

/** xxh64 in halves of 32 bits: without a bigint, and without a copy of the key. */
export class Xxh64Hasher implements SeriesHasher {
  readonly #low: number;
  readonly #high: number;
  readonly #words: Words = new Int32Array(LANES_END);

  constructor({ low, high }: HashSeed) {
    this.#low = low | 0;
    this.#high = high | 0;
  }

  hash(batch: WriteBatch, from: number, until: number): void {
    const { keys, keyAt, hashes } = batch;
    const words = this.#words;
    for (let row = from; row < until; row += 1) {
      this.#hashKey(keys, keyAt[row]!, keyAt[row + 1]!);
      hashes[2 * row] = words[HASH]!;
      hashes[2 * row + 1] = words[HASH + 1]!;
    }
  }

  #hashKey(keys: Uint8Array, start: number, end: number): void {
    const words = this.#words;
    const length = end - start;
    let at = start;
    if (length < STRIPE_BYTES) {
      set(words, HASH, this.#low, this.#high);
      add(words, HASH, P5_LOW, P5_HIGH);
    } else {
      at = end - (length % STRIPE_BYTES);
      this.#hashStripes(keys, start, at);
    }
    add(words, HASH, length, 0);
    for (; at + 8 <= end; at += 8) {
      set(words, WORD, 0, 0);
      round(words, WORD, wordAt(keys, at), wordAt(keys, at + 4));
      flip(words, HASH, WORD);
      rotate(words, HASH, 27);
      multiply(words, HASH, P1_LOW, P1_HIGH);
      add(words, HASH, P4_LOW, P4_HIGH);
    }
    if (at + 4 <= end) {
      set(words, WORD, wordAt(keys, at), 0);
      multiply(words, WORD, P1_LOW, P1_HIGH);
      flip(words, HASH, WORD);
      rotate(words, HASH, 23);
      multiply(words, HASH, P2_LOW, P2_HIGH);
      add(words, HASH, P3_LOW, P3_HIGH);
      at += 4;
    }
    for (; at < end; at += 1) {
      set(words, WORD, keys[at]!, 0);
      multiply(words, WORD, P5_LOW, P5_HIGH);
      flip(words, HASH, WORD);
      rotate(words, HASH, 11);
      multiply(words, HASH, P1_LOW, P1_HIGH);
    }
    finish(words);
  }

  /** Whole stripes into the lanes, and the lanes into the hash. */
  #hashStripes(keys: Uint8Array, from: number, until: number): void {
    const words = this.#words;
    for (let lane = LANES; lane < LANES_END; lane += 2) set(words, lane, this.#low, this.#high);
    add(words, LANES, P1_LOW, P1_HIGH);
    add(words, LANES, P2_LOW, P2_HIGH);
    add(words, LANES + 2, P2_LOW, P2_HIGH);
    add(words, LANES + 6, -P1_LOW, ~P1_HIGH); // Takes P1 away.
    // Lanes know nothing of one another, so that one can be done after the other.
    for (let lane = LANES; lane < LANES_END; lane += 2) {
      for (let at = from + 4 * (lane - LANES); at < until; at += STRIPE_BYTES) {
        round(words, lane, wordAt(keys, at), wordAt(keys, at + 4));
      }
    }
    set(words, HASH, 0, 0);
    addRotated(words, LANES, 1);
    addRotated(words, LANES + 2, 7);
    addRotated(words, LANES + 4, 12);
    addRotated(words, LANES + 6, 18);
    for (let lane = LANES; lane < LANES_END; lane += 2) {
      set(words, WORD, 0, 0);
      round(words, WORD, words[lane]!, words[lane + 1]!);
      flip(words, HASH, WORD);
      multiply(words, HASH, P1_LOW, P1_HIGH);
      add(words, HASH, P4_LOW, P4_HIGH);
    }
  }
}

/** 64 bits of a key into the number at `at`: adds them times P2, rotates by 31, multiplies by P1. */
function round(words: Words, at: number, low: number, high: number): void {
  const added = Math.imul(low, P2_LOW);
  const sum = (words[at]! + added) | 0;
  const carry = sum >>> 0 < added >>> 0 ? 1 : 0;
  const sumHigh = (words[at + 1]! + highOf(low, high, P2_LOW, P2_HIGH) + carry) | 0;
  const rotated = (sum << 31) | (sumHigh >>> 1);
  words[at] = Math.imul(rotated, P1_LOW);
  words[at + 1] = highOf(rotated, (sumHigh << 31) | (sum >>> 1), P1_LOW, P1_HIGH);
}

/** Adds a rotated lane to the hash. */
function addRotated(words: Words, lane: number, bits: number): void {
  set(words, WORD, words[lane]!, words[lane + 1]!);
  rotate(words, WORD, bits);
  add(words, HASH, words[WORD]!, words[WORD + 1]!);
}

/** Makes every bit of the hash reach all others: it is flipped by itself shifted right by 33, 29 and 32 bits. */
function finish(words: Words): void {
  set(words, HASH, words[HASH]! ^ (words[HASH + 1]! >>> 1), words[HASH + 1]!);
  multiply(words, HASH, P2_LOW, P2_HIGH);
  const low = words[HASH]!;
  const high = words[HASH + 1]!;
  set(words, HASH, low ^ ((low >>> 29) | (high << 3)), high ^ (high >>> 29));
  multiply(words, HASH, P3_LOW, P3_HIGH);
  set(words, HASH, words[HASH]! ^ words[HASH + 1]!, words[HASH + 1]!);
}

/** Four bytes, the first one lowest. */
function wordAt(keys: Uint8Array, at: number): number {
  return keys[at]! | (keys[at + 1]! << 8) | (keys[at + 2]! << 16) | (keys[at + 3]! << 24);
}
