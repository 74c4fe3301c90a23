/** A queue of unsigned words. It doubles when it is full, and never shrinks. */
export class Ring {
  length = 0;
  #items = new Uint32Array(64);
  #head = 0;

  push(item: number): void {
    if (this.length === this.#items.length) this.#grow();
    this.#items[(this.#head + this.length) & (this.#items.length - 1)] = item;
    this.length += 1;
  }

  /** Puts an item in front of all others. */
  unshift(item: number): void {
    if (this.length === this.#items.length) this.#grow();
    this.#head = (this.#head - 1) & (this.#items.length - 1);
    this.#items[this.#head] = item;
    this.length += 1;
  }

  /** Takes the oldest item. The ring must not be empty. */
  shift(): number {
    const item = this.#items[this.#head]!;
    this.#head = (this.#head + 1) & (this.#items.length - 1);
    this.length -= 1;
    return item;
  }

  /** Takes the newest item. The ring must not be empty. */
  pop(): number {
    this.length -= 1;
    return this.#items[(this.#head + this.length) & (this.#items.length - 1)]!;
  }

  /** The i-th oldest item, 0 <= i < length. */
  at(i: number): number {
    return this.#items[(this.#head + i) & (this.#items.length - 1)]!;
  }

  #grow(): void {
    const items = new Uint32Array(this.#items.length * 2);
    for (let i = 0; i < this.length; i += 1) items[i] = this.at(i);
    this.#items = items;
    this.#head = 0;
  }
}
