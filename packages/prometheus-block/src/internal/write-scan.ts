import { crc32c, readU32 } from "@varve/bytes";
import { type Disk, StorageError } from "@varve/contracts";
import { readFully } from "@varve/disk/transfer";
import { CRC_BYTES, SERIES_ALIGN } from "./layout.ts";
import type { OutputFile } from "./write-output.ts";

/** Bytes that one read brings. */
const READ_BYTES = 128 * 1024;

/** Goes once through a series section that was just written, and trusts none of it until its checksum is right. */
export class SeriesScan {
  /** The series' id: where its entry lies, in units of the alignment. */
  id = 0;
  readonly #disk: Disk;
  readonly #file: OutputFile;
  readonly #until: number;
  #bytes = new Uint8Array(READ_BYTES);
  /** What was read: bytes[at … end), from `position` of the file on. */
  #at = 0;
  #end = 0;
  #position: number;
  /** Where the fields of the entry go on. */
  #field = 0;

  /** The section lies at from … until-1 of the file, whose buffer was flushed. `from` need not be aligned. */
  constructor(disk: Disk, file: OutputFile, from: number, until: number) {
    this.#disk = disk;
    this.#file = file;
    this.#until = until;
    this.#position = from + (-from & (SERIES_ALIGN - 1));
  }

  /** Reads on. False when the section is done. */
  fill(): boolean {
    const left = this.#end - this.#at;
    if (this.#position + left >= this.#until) {
      if (left > 0) throw this.#damaged("ends inside an entry");
      return false;
    }
    if (left > this.#bytes.length >>> 1) this.#grow();
    this.#bytes.copyWithin(0, this.#at, this.#end);
    const from = this.#position + left;
    const length = Math.min(this.#bytes.length - left, this.#until - from);
    const count = readFully(this.#disk, this.#file.fd, this.#bytes, left, length, from);
    if (count < length) throw this.#damaged("was cut off");
    this.#at = 0;
    this.#end = left + count;
    return true;
  }

  /** Moves to the next entry. False when it was not read in whole. */
  next(): boolean {
    const bytes = this.#bytes;
    const end = this.#end;
    let at = this.#at;
    let length = 0;
    let scale = 1;
    for (;;) {
      if (at >= end) return false;
      const byte = bytes[at++]!;
      length += (byte & 0x7f) * scale;
      if (byte < 0x80) break;
      scale *= 128;
    }
    const bodyEnd = at + length;
    if (bodyEnd + CRC_BYTES > end) return false;
    if (crc32c(bytes, at, bodyEnd) !== readU32(bytes, bodyEnd)) throw this.#damaged("has changed");
    this.id = this.#position / SERIES_ALIGN;
    this.#field = at;
    const entryBytes = bodyEnd + CRC_BYTES - this.#at;
    const step = entryBytes + (-entryBytes & (SERIES_ALIGN - 1));
    // The last entry has no padding behind it.
    const next = Math.min(this.#at + step, end);
    this.#position += next - this.#at;
    this.#at = next;
    return true;
  }

  /** The next field of the entry: an unsigned varint of at most 32 bits. */
  uvarint(): number {
    const bytes = this.#bytes;
    let at = this.#field;
    let byte = bytes[at++]!;
    let value = byte & 0x7f;
    for (let shift = 7; byte >= 0x80; shift += 7) {
      byte = bytes[at++]!;
      value |= (byte & 0x7f) << shift;
    }
    this.#field = at;
    return value >>> 0;
  }

  #grow(): void {
    const bytes = new Uint8Array(this.#bytes.length * 2);
    bytes.set(this.#bytes);
    this.#bytes = bytes;
  }

  #damaged(what: string): StorageError {
    return new StorageError(
      "BLOCK_CORRUPT",
      `${this.#file.path}@${this.#position}: the series section ${what} since it was written; ` +
        "nothing was published; abort the block, check the disk and try again",
      { facts: { path: this.#file.path, offset: this.#position } },
    );
  }
}
