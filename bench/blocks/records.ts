import { closeSync, openSync, readSync, writeSync } from "node:fs";

const BUFFER_BYTES = 256 * 1024;
const LENGTH_BYTES = 2;

/** Writes records of up to 64 KiB one behind the other, each behind its length. */
export class RecordFile {
  readonly #fd: number;
  readonly #buffer = new Uint8Array(BUFFER_BYTES);
  #at = 0;

  constructor(path: string) {
    this.#fd = openSync(path, "w");
  }

  put(bytes: Uint8Array, from: number, until: number): void {
    const length = until - from;
    if (this.#at + LENGTH_BYTES + length > BUFFER_BYTES) this.#flush();
    this.#buffer[this.#at] = length >>> 8;
    this.#buffer[this.#at + 1] = length;
    this.#buffer.set(bytes.subarray(from, until), this.#at + LENGTH_BYTES);
    this.#at += LENGTH_BYTES + length;
  }

  close(): void {
    this.#flush();
    closeSync(this.#fd);
  }

  #flush(): void {
    for (let at = 0; at < this.#at;) at += writeSync(this.#fd, this.#buffer, at, this.#at - at);
    this.#at = 0;
  }
}

/** Reads them again, through one buffer: a record is bytes[from … until) until the next. */
export class RecordReader {
  readonly bytes = new Uint8Array(BUFFER_BYTES);
  from = 0;
  until = 0;
  readonly #fd: number;
  #filled = 0;

  constructor(path: string) {
    this.#fd = openSync(path, "r");
  }

  /** Moves to the next record. False at the end. */
  next(): boolean {
    if (!this.#reach(this.until + LENGTH_BYTES)) return false;
    const { bytes, until } = this;
    const length = (bytes[until]! << 8) | bytes[until + 1]!;
    this.from = until + LENGTH_BYTES;
    this.until = this.from + length;
    if (this.#reach(this.until)) return true;
    throw new Error("a record of the input is cut off");
  }

  close(): void {
    closeSync(this.#fd);
  }

  /** Makes the bytes before `end` be there. Keeps what begins at the last record's end, or at its bytes. */
  #reach(end: number): boolean {
    if (end <= this.#filled) return true;
    const kept = Math.min(this.from, this.until, this.#filled);
    this.bytes.copyWithin(0, kept, this.#filled);
    this.from -= kept;
    this.until -= kept;
    this.#filled -= kept;
    while (this.#filled < end - kept) {
      const read = readSync(this.#fd, this.bytes, this.#filled, BUFFER_BYTES - this.#filled, null);
      if (read === 0) return false;
      this.#filled += read;
    }
    return true;
  }
}
