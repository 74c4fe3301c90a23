import type { SeriesRef } from "@varve/contracts";

/** A set of refs as one bit each. Grows by doubling: 4 million series take 512 KiB. */
export class RefSet {
  /** Calls of `delete` so far: a ref that was in the set may be gone once it has changed. */
  deletions = 0;
  #words = new Uint32Array(1024);

  has(ref: SeriesRef): boolean {
    const word = ref >>> 5;
    return word < this.#words.length && ((this.#words[word]! >>> (ref & 31)) & 1) === 1;
  }

  add(ref: SeriesRef): void {
    const word = ref >>> 5;
    if (word >= this.#words.length) this.#grow(word);
    this.#words[word]! |= 1 << (ref & 31);
  }

  delete(ref: SeriesRef): void {
    this.deletions += 1;
    const word = ref >>> 5;
    if (word < this.#words.length) this.#words[word]! &= ~(1 << (ref & 31));
  }

  #grow(word: number): void {
    const words = new Uint32Array(Math.max(this.#words.length * 2, word + 1));
    words.set(this.#words);
    this.#words = words;
  }
}
