import type { Memory, WriteBatch } from "@varve/contracts";

/** The memory in which a batch's keys lie, as words from its start on. Usually it is the index's own. */
export class KeySources {
  readonly #memory: Memory;
  readonly #words: Int32Array;
  /** The words of the last other memory, so that a call makes no view. */
  #foreign: Int32Array;

  constructor(memory: Memory, words: Int32Array) {
    this.#memory = memory;
    this.#words = words;
    this.#foreign = words;
  }

  of(batch: WriteBatch): Int32Array {
    if (batch.memory === this.#memory) return this.#words;
    if (this.#foreign.buffer !== batch.keys.buffer) {
      this.#foreign = batch.memory.words(0, batch.memory.bytesMax / 4);
    }
    return this.#foreign;
  }
}
