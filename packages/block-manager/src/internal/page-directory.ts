import { NO_OFFSET, type Memory, type Offset } from "@varve/contracts";

/** Entries to begin with: a million series. */
const ENTRIES = 1024;

/**
 * Offsets of the pages of series, by their number, in the memory, for kernels. It doubles as pages come in their order;
 * one that lies further ahead is left out, and so are all once the memory is full: they are found without a kernel.
 */
export class PageDirectory {
  at: Offset = NO_OFFSET;
  length = 0;
  readonly #memory: Memory;
  #entries: Uint32Array = new Uint32Array(0);

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  /** Says where a page lies: `NO_OFFSET` when it is gone. */
  set(number: number, offset: Offset): void {
    if (number >= this.length && offset !== NO_OFFSET) this.#grow(number);
    if (number < this.length) this.#entries[number] = offset;
  }

  dispose(): void {
    if (this.at !== NO_OFFSET) this.#memory.give(this.at, this.length * 4);
    this.at = NO_OFFSET;
    this.length = 0;
  }

  #grow(number: number): void {
    const length = this.length === 0 ? ENTRIES : this.length * 2;
    if (number >= length) return;
    const at = this.#memory.take(length * 4);
    if (at === NO_OFFSET) return;
    const entries = this.#memory.unsigned(at, length);
    entries.set(this.#entries.subarray(0, this.length));
    this.dispose();
    this.at = at;
    this.length = length;
    this.#entries = entries;
  }
}
