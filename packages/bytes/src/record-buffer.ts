import { NO_OFFSET, type Memory, type Offset, type RecordBuffer } from "@varve/contracts";

export interface RecordBufferOptions {
  /** Bytes to begin with. */
  readonly bytes?: number;
  /** Where it lies, as long as there is room: kernels write it there. */
  readonly memory?: Memory;
}

/** A record buffer that gives back what it took of a memory. It is not used after that. */
export type OwnedRecordBuffer = RecordBuffer & Disposable;

/** Makes a record buffer that doubles when it is full. Where the memory has no room for it, it goes on outside. */
export function makeRecordBuffer(options: RecordBufferOptions = {}): OwnedRecordBuffer {
  return new GrowingRecordBuffer(options);
}

class GrowingRecordBuffer implements OwnedRecordBuffer {
  bytes: Uint8Array = new Uint8Array(0);
  length = 0;
  ends: Uint32Array = new Uint32Array(64);
  count = 0;
  readonly #memory: Memory | undefined;
  /** Where it lies in the memory, if it does. */
  #at: Offset = NO_OFFSET;

  constructor({ bytes = 64 * 1024, memory }: RecordBufferOptions) {
    this.#memory = memory;
    this.#move(bytes);
  }

  reserve(more: number): void {
    const wanted = this.length + more;
    if (wanted > this.bytes.length) this.#move(Math.max(this.bytes.length * 2, wanted));
  }

  endRecord(): void {
    if (this.count === this.ends.length) {
      const ends = new Uint32Array(this.ends.length * 2);
      ends.set(this.ends);
      this.ends = ends;
    }
    this.ends[this.count] = this.length;
    this.count += 1;
  }

  clear(): void {
    this.length = 0;
    this.count = 0;
  }

  [Symbol.dispose](): void {
    if (this.#at !== NO_OFFSET) this.#memory!.give(this.#at, this.bytes.length);
    this.#at = NO_OFFSET;
    this.bytes = new Uint8Array(0);
  }

  #move(size: number): void {
    const at = this.#memory?.take(size, true) ?? NO_OFFSET;
    const bytes = at === NO_OFFSET ? new Uint8Array(size) : this.#memory!.bytes(at, size);
    bytes.set(this.bytes.subarray(0, this.length));
    this[Symbol.dispose]();
    this.#at = at;
    this.bytes = bytes;
  }
}
