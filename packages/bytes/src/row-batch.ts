import { assert, NO_OFFSET, StorageError, type Memory, type WriteBatch } from "@varve/contracts";

/** Key bytes that a new batch has room for, a row. */
const KEY_BYTES_PER_ROW = 256;

/** Makes an empty batch of `capacity` rows in `memory`. Throws LIMIT when the memory is full. */
export function makeBatch(memory: Memory, capacity: number): RowBatch {
  assert(Number.isSafeInteger(capacity) && capacity > 0, `a batch has rows, got ${capacity}`);
  return new RowBatch(memory, capacity);
}

/** A write batch whose columns lie in one linear memory. `dispose` gives them back. */
export class RowBatch implements WriteBatch {
  readonly memory: Memory;
  readonly capacity: number;
  length = 0;
  keys: Uint8Array;
  readonly keyAt: Uint32Array;
  readonly hashes: Uint32Array;
  readonly refs: Uint32Array;
  readonly isNew: Uint8Array;
  readonly times: Float64Array;
  readonly values: Float64Array;
  readonly valueWords: Int32Array;
  readonly status: Uint8Array;
  #keysOffset: number;
  readonly #columnsOffset: number;
  readonly #columnsBytes: number;

  constructor(memory: Memory, capacity: number) {
    this.memory = memory;
    this.capacity = capacity;
    const rows = Math.ceil(capacity / 8) * 8; // Keeps every column aligned to 8 bytes.
    // Per row: times 8, values 8, hashes 8, refs 4, keyAt 4, isNew 1, status 1; keyAt has one entry more.
    this.#columnsBytes = rows * 34 + 8;
    this.#columnsOffset = take(memory, this.#columnsBytes);
    let at = this.#columnsOffset;
    this.times = memory.doubles(at, capacity);
    at += rows * 8;
    this.values = memory.doubles(at, capacity);
    this.valueWords = memory.words(at, capacity * 2);
    at += rows * 8;
    this.hashes = memory.unsigned(at, capacity * 2);
    at += rows * 8;
    this.refs = memory.unsigned(at, capacity);
    at += rows * 4;
    this.keyAt = memory.unsigned(at, capacity + 1);
    at += rows * 4 + 8;
    this.isNew = memory.bytes(at, capacity);
    at += rows;
    this.status = memory.bytes(at, capacity);
    const keyBytes = rows * KEY_BYTES_PER_ROW;
    try {
      this.#keysOffset = take(memory, keyBytes);
    } catch (error) {
      memory.give(this.#columnsOffset, this.#columnsBytes);
      throw error;
    }
    this.keys = memory.bytes(this.#keysOffset, keyBytes);
  }

  reserveKey(row: number, bytes: number): void {
    const used = this.keyAt[row]!;
    if (used + bytes <= this.keys.length) return;
    const doubled = Math.max(this.keys.length * 2, used + bytes);
    const roomy = this.memory.take(doubled, true);
    // Where doubling does not fit any more, what is needed may.
    const wanted = roomy === NO_OFFSET ? used + bytes : doubled;
    const offset = roomy === NO_OFFSET ? take(this.memory, wanted) : roomy;
    const keys = this.memory.bytes(offset, wanted);
    keys.set(this.keys.subarray(0, used));
    this.memory.give(this.#keysOffset, this.keys.length);
    this.#keysOffset = offset;
    this.keys = keys;
  }

  /** Empties the batch: no rows, no keys. */
  clear(): void {
    this.length = 0;
    this.keyAt[0] = 0;
  }

  /**
   * Adds a row without a key: OPEN, not new, without a ref. A key encoder, or `refs`, says which series.
   * Returns its number.
   */
  add(time: number, value: number): number {
    const row = this.length;
    // The text is made only where it is told, not at each call.
    if (row >= this.capacity)
      assert(false, `the batch has room: ${row} of ${this.capacity} rows are taken`);
    this.keyAt[row + 1] = this.keyAt[row]!;
    return this.addKeyed(time, value);
  }

  /** Adds a row whose key was already encoded as row `length`. Otherwise like `add`. */
  addKeyed(time: number, value: number): number {
    const row = this.length;
    this.refs[row] = 0;
    this.isNew[row] = 0;
    this.status[row] = 0;
    this.times[row] = time;
    this.values[row] = value;
    this.length = row + 1;
    return row;
  }

  /** Gives the batch's memory back. Its views must not be used again. */
  dispose(): void {
    this.memory.give(this.#columnsOffset, this.#columnsBytes);
    this.memory.give(this.#keysOffset, this.keys.length);
    this.length = 0;
  }
}

function take(memory: Memory, bytes: number): number {
  const at = memory.take(bytes);
  if (at === NO_OFFSET) {
    throw new StorageError(
      "LIMIT",
      `no ${bytes} bytes are left for a batch; open with a larger memoryBytesMax`,
      { facts: { limit: "memoryBytesMax", value: bytes, max: memory.bytesMax } },
    );
  }
  return at;
}
