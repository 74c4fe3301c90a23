import { copyBytes, crc32c, uvarintBytes, writeU32, writeU64, writeUvarint } from "@varve/bytes";
import { type Descriptor, type Disk, StorageError } from "@varve/contracts";
import { writeAll } from "@varve/disk/transfer";
import { CRC_BYTES, LENGTH_BYTES } from "./layout.ts";

/** Bytes that one write carries: larger writes gained nothing. */
export const OUTPUT_BUFFER_BYTES = 256 * 1024;

/** The most that a section's length can say. */
const SECTION_BYTES_MAX = 2 ** 32 - 1;

/**
 * A file that is written once, front to back, through a buffer.
 *
 * Callers `reserve` room and write into `buffer` at `at` themselves, or use the `put` methods, which reserve. After
 * a failed write the file's end is unknown, so every later write throws POISONED.
 */
export class OutputFile {
  readonly path: string;
  /** What was not written yet is buffer[0 … at). */
  buffer: Uint8Array;
  at = 0;
  readonly fd: Descriptor;
  readonly #disk: Disk;
  #written = 0;
  #isClosed = false;
  #isPoisoned = false;
  /** Where the section begins whose checksum is kept, or -1; and the part of the checksum that was written. */
  #sectionAt = -1;
  #crc = 0;
  #crcFrom = 0;

  /** Creates the file. `buffer` is this file's until it is closed. */
  constructor(disk: Disk, path: string, buffer: Uint8Array) {
    this.#disk = disk;
    this.path = path;
    this.buffer = buffer;
    this.fd = disk.open(path, "create");
  }

  /** Bytes put so far. */
  get position(): number {
    return this.#written + this.at;
  }

  /** Makes room for `bytes` more bytes at `buffer[at]`. May replace the buffer. */
  reserve(bytes: number): void {
    if (this.at + bytes <= this.buffer.length) return;
    this.flush();
    if (bytes > this.buffer.length) this.buffer = new Uint8Array(bytes);
  }

  putU32(value: number): void {
    this.reserve(4);
    writeU32(this.buffer, this.at, value);
    this.at += 4;
  }

  putU64(value: number): void {
    this.reserve(8);
    writeU64(this.buffer, this.at, value);
    this.at += 8;
  }

  putUvarint(value: number): void {
    this.reserve(uvarintBytes(value));
    this.at = writeUvarint(this.buffer, this.at, value);
  }

  putBytes(bytes: Uint8Array, from: number, until: number): void {
    this.reserve(until - from);
    this.at = copyBytes(bytes, from, until, this.buffer, this.at);
  }

  /** Puts zeros up to the next multiple of `align`, a power of two. */
  pad(align: number): void {
    const zeros = -this.position & (align - 1);
    this.reserve(zeros);
    this.buffer.fill(0, this.at, this.at + zeros);
    this.at += zeros;
  }

  /** Begins a section: its length is filled in by `endSection`, and its checksum kept until then. */
  beginSection(): void {
    this.putU32(0);
    this.#sectionAt = this.position;
    this.#crcFrom = this.at;
    this.#crc = 0;
  }

  /** Fills in the section's length and puts its checksum. Throws LIMIT when it is too long for its length field. */
  endSection(): void {
    const length = this.position - this.#sectionAt;
    if (length > SECTION_BYTES_MAX) throw this.#sectionTooLong(length);
    this.reserve(CRC_BYTES);
    this.#crc = crc32c(this.buffer, this.#crcFrom, this.at, this.#crc);
    const lengthAt = this.#sectionAt - LENGTH_BYTES;
    this.#sectionAt = -1;
    this.putU32(this.#crc);
    this.#patchU32(lengthAt, length);
  }

  /** Writes what the buffer holds. */
  flush(): void {
    if (this.#isPoisoned) throw this.#poisoned();
    if (this.at === 0) return;
    if (this.#sectionAt >= 0) {
      this.#crc = crc32c(this.buffer, this.#crcFrom, this.at, this.#crc);
      this.#crcFrom = 0;
    }
    this.#isPoisoned = true; // Unless the write returns.
    writeAll(this.#disk, this.fd, this.buffer, 0, this.at, this.#written);
    this.#isPoisoned = false;
    this.#written += this.at;
    this.at = 0;
  }

  /** Writes all, waits until it is durable, and closes the file. */
  async finish(): Promise<void> {
    this.flush();
    this.#isPoisoned = true;
    await this.#disk.datasyncAsync(this.fd);
    this.#isPoisoned = false;
    this.close();
  }

  /** Closes the file as it is. Idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#disk.close(this.fd);
  }

  /** Overwrites four bytes, in the buffer when they are still there. */
  #patchU32(position: number, value: number): void {
    if (position >= this.#written) {
      writeU32(this.buffer, position - this.#written, value);
      return;
    }
    // They were reserved as one, so all four were written.
    const word = new Uint8Array(4);
    writeU32(word, 0, value);
    this.#isPoisoned = true;
    writeAll(this.#disk, this.fd, word, 0, 4, position);
    this.#isPoisoned = false;
  }

  #poisoned(): StorageError {
    return new StorageError(
      "POISONED",
      `${this.path}@${this.#written}: an earlier write failed, and the file's end is unknown; abort the block`,
      { facts: { path: this.path, offset: this.#written } },
    );
  }

  #sectionTooLong(length: number): StorageError {
    const offset = this.#sectionAt - LENGTH_BYTES;
    return new StorageError(
      "LIMIT",
      `${this.path}@${offset}: a section of ${length} bytes is too long for a block; ` +
        "nothing was published; cut blocks of fewer labels",
      { facts: { path: this.path, offset, value: length, limit: SECTION_BYTES_MAX } },
    );
  }
}
