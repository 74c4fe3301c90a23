import { crc32c, readU32, VarintReader } from "@varve/bytes";
import { CRC_BYTES, LENGTH_BYTES } from "./layout.ts";
import { corrupt } from "./read-errors.ts";
import type { BlockFile } from "./read-file.ts";

/** Bytes that one read brings: well below a millisecond of work. */
const READ_BYTES = 64 * 1024;
/** Names and values above this do not occur. */
const TEXT_BYTES_MAX = 16 * 2 ** 20;
const VARINT_BYTES = 10;

/**
 * Goes once through a section `u32 length | body | u32 crc32c(body)` of a file, past the cache, and checks its
 * checksum at the end. Nothing it returns is trusted before.
 */
export class SectionReader {
  readonly file: BlockFile;
  /** What was read and not passed: bytes[at … end). */
  bytes: Uint8Array = new Uint8Array(READ_BYTES);
  at = 0;
  /** Where the body begins and ends in the file. */
  readonly from: number;
  readonly until: number;
  #end = 0;
  /** File position of bytes[#end]. */
  #loaded: number;
  #crc = 0;
  readonly #storedCrc: number;
  readonly #varints = new VarintReader();
  #pausedAt: number;

  /** The section lies at `position`, and ends before `limit`. Throws BLOCK_CORRUPT when it cannot. */
  constructor(file: BlockFile, position: number, limit: number) {
    this.file = file;
    const word = new Uint8Array(4);
    if (position + LENGTH_BYTES + CRC_BYTES > limit) throw this.#cutOff(position);
    file.read(word, 0, 4, position);
    this.from = position + LENGTH_BYTES;
    this.until = this.from + readU32(word, 0);
    if (this.until + CRC_BYTES > limit) throw this.#cutOff(position);
    file.read(word, 0, 4, this.until);
    this.#storedCrc = readU32(word, 0);
    this.#loaded = this.from;
    this.#pausedAt = this.from;
  }

  /** Where the next byte lies in the file. */
  get position(): number {
    return this.#loaded - (this.#end - this.at);
  }

  /** A read's worth of the section was passed since this was last true: time to ask for a pause. */
  get isPauseDue(): boolean {
    if (this.position - this.#pausedAt < READ_BYTES) return false;
    this.#pausedAt = this.position;
    return true;
  }

  u32(): number {
    this.#need(4);
    const value = readU32(this.bytes, this.at);
    this.at += 4;
    return value;
  }

  uvarint(): number {
    if (this.#end - this.at < VARINT_BYTES) this.#fill(VARINT_BYTES);
    this.#varints.reset(this.bytes, this.at, this.#end);
    const value = this.#varints.unsigned();
    if (this.#varints.failed) throw this.damaged("a number is malformed");
    this.at = this.#varints.at;
    return value;
  }

  /** Reads a length and makes that many bytes lie in `bytes` from `at` on. The caller adds the length to `at`. */
  text(): number {
    const length = this.uvarint();
    if (length > TEXT_BYTES_MAX) throw this.damaged(`a text of ${length} bytes`);
    this.#need(length);
    return length;
  }

  /** Reads what is left, and throws BLOCK_CORRUPT unless the checksum is right. */
  finish(): void {
    while (this.#loaded < this.until) {
      this.at = this.#end;
      this.#fill(READ_BYTES);
    }
    if (this.#crc !== this.#storedCrc) {
      throw corrupt(this.file.path, this.from - LENGTH_BYTES, "a section's checksum is wrong");
    }
  }

  damaged(problem: string): Error {
    return corrupt(this.file.path, this.position, problem);
  }

  #need(count: number): void {
    if (this.#end - this.at >= count) return;
    this.#fill(count);
    if (this.#end - this.at < count) throw this.damaged("a section ends too early");
  }

  /** Reads on until `count` bytes are there, or the section ends. */
  #fill(count: number): void {
    const left = this.#end - this.at;
    const wanted = Math.min(Math.max(count, READ_BYTES), left + this.until - this.#loaded);
    if (wanted > this.bytes.length) {
      const bytes = new Uint8Array(wanted);
      bytes.set(this.bytes.subarray(this.at, this.#end));
      this.bytes = bytes;
    } else {
      this.bytes.copyWithin(0, this.at, this.#end);
    }
    this.at = 0;
    this.#end = left;
    const more = wanted - left;
    if (more <= 0) return;
    this.file.read(this.bytes, left, more, this.#loaded);
    this.#crc = crc32c(this.bytes, left, wanted, this.#crc);
    this.#end = wanted;
    this.#loaded += more;
  }

  #cutOff(position: number): Error {
    return corrupt(this.file.path, position, "a section reaches beyond its place");
  }
}
