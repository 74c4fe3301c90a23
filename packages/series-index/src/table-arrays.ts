import { NO_OFFSET, type Memory } from "@varve/contracts";

/** Makes the arrays of a directory, zeroed, and takes them back. */
export interface TableArrays {
  words(length: number): Int32Array;
  shorts(length: number): Uint16Array;
  bytes(length: number): Uint8Array;
  give(array: Int32Array | Uint16Array | Uint8Array): void;
  /** Whether an array lies in the linear memory, where a kernel can read it. */
  isLinear(array: Int32Array | Uint16Array | Uint8Array): boolean;
}

/** Arrays on the JavaScript heap. */
export const HEAP_ARRAYS: TableArrays = {
  words: (length) => new Int32Array(length),
  shorts: (length) => new Uint16Array(length),
  bytes: (length) => new Uint8Array(length),
  give: () => undefined,
  isLinear: () => false,
};

/**
 * Arrays in the linear memory, for a kernel. On the heap once that is full: a table grows as it would without a kernel, and
 * is searched without one until it finds room again.
 */
export class LinearArrays implements TableArrays {
  readonly #memory: Memory;

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  words(length: number): Int32Array {
    const at = this.#memory.take(length * 4);
    return at === NO_OFFSET ? new Int32Array(length) : this.#memory.words(at, length);
  }

  shorts(length: number): Uint16Array {
    const at = this.#memory.take(length * 2);
    if (at === NO_OFFSET) return new Uint16Array(length);
    return new Uint16Array(this.#memory.wasm.buffer, at, length);
  }

  bytes(length: number): Uint8Array {
    const at = this.#memory.take(length);
    return at === NO_OFFSET ? new Uint8Array(length) : this.#memory.bytes(at, length);
  }

  give(array: Int32Array | Uint16Array | Uint8Array): void {
    if (this.isLinear(array)) this.#memory.give(array.byteOffset, array.byteLength);
  }

  isLinear(array: Int32Array | Uint16Array | Uint8Array): boolean {
    return array.buffer === this.#memory.wasm.buffer;
  }
}
