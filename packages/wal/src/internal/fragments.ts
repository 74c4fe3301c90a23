import { crc32c, readU32 } from "@varve/bytes";
import type { Descriptor, Disk } from "@varve/contracts";
import { readFully } from "@varve/disk/transfer";
import {
  COMMIT_BYTES,
  COMMIT_TYPE,
  END_BYTES,
  END_TYPE,
  FULL,
  HEADER_BYTES,
  LAST,
  PAGE_BYTES,
  PAGE_MASK,
} from "./layout.ts";

/** What is wrong with a log, in one word. */
export type FaultKind = "crc" | "length" | "sequence" | "chain" | "header" | "missing";

/** Read at a time: 256 KiB, so that a log of any size is read in little memory. */
const CHUNK_BYTES = 8 * PAGE_BYTES;

const NO_BYTES = new Uint8Array(0);

/** Reads a segment file fragment by fragment, and trusts nothing in it. */
export class FragmentReader {
  bytes: Uint8Array = NO_BYTES;
  /** The fragment lies in bytes[from … until), its header just before; `offset` is the header's, in the file. */
  type = 0;
  from = 0;
  until = 0;
  offset = 0;
  /** What stopped the reader, when `next` says -1. */
  fault: FaultKind = "crc";
  faultText = "";
  size = 0;
  readonly #disk: Disk;
  #fd: Descriptor = -1;
  #chunkAt = 0;
  #at = 0;
  #end = 0;

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  /** Starts at the beginning of a file. */
  open(fd: Descriptor): void {
    this.#fd = fd;
    this.size = this.#disk.size(fd);
    // Small logs are the most, and are opened the fastest: nothing is set aside that they do not fill.
    const room = Math.min(CHUNK_BYTES, this.size);
    if (this.bytes.length < room) this.bytes = new Uint8Array(room);
    this.#chunkAt = 0;
    this.#at = 0;
    this.#end = 0;
  }

  /** Where the next fragment, or the padding before it, starts in the file. */
  get position(): number {
    return this.#chunkAt + this.#at;
  }

  /** Steps to the next fragment: 1 if there is one, 0 at the end of the file, -1 if something is wrong. */
  next(): number {
    for (;;) {
      if (this.#at === this.#end && !this.#load()) return 0;
      const { bytes } = this;
      const at = this.#at;
      const there = Math.min(PAGE_BYTES - (at & PAGE_MASK), this.#end - at);
      this.offset = this.#chunkAt + at;
      if (bytes[at] !== 0) return this.#fragment(at, there);
      for (let i = at + 1; i < at + there; i += 1) {
        if (bytes[i] !== 0) return this.#refuse("header", "padding that is not zero");
      }
      this.#at = at + there;
    }
  }

  /** Steps over damage: to the next thing in the page that looks like a commit or end record, or to the next page. */
  resync(): void {
    const { bytes } = this;
    const end = Math.min(this.#at - (this.#at & PAGE_MASK) + PAGE_BYTES, this.#end);
    const last = end - HEADER_BYTES - END_BYTES;
    for (let at = this.#at + 1; at <= last; at += 1) {
      if (bytes[at] !== FULL || bytes[at + 1] !== 0) continue;
      const length = bytes[at + 2]!;
      const type = bytes[at + HEADER_BYTES]!;
      const isCommit = length === COMMIT_BYTES && type === COMMIT_TYPE;
      if (!isCommit && !(length === END_BYTES && type === END_TYPE)) continue;
      const from = at + HEADER_BYTES;
      if (from + length > end) continue;
      if (crc32c(bytes, from, from + length) !== readU32(bytes, at + 3)) continue;
      this.#at = at;
      return;
    }
    this.#at = end;
  }

  #fragment(at: number, there: number): number {
    const { bytes } = this;
    const type = bytes[at]!;
    if (type > LAST) return this.#refuse("header", `a fragment of unknown type ${type}`);
    if (there < HEADER_BYTES) return this.#refuse("header", "a header that is cut short");
    const length = (bytes[at + 1]! << 8) | bytes[at + 2]!;
    if (HEADER_BYTES + length > there) {
      return this.#refuse(
        "length",
        `a fragment of ${length} bytes where ${there - HEADER_BYTES} are left`,
      );
    }
    const from = at + HEADER_BYTES;
    if (crc32c(bytes, from, from + length) !== readU32(bytes, at + 3)) {
      return this.#refuse("crc", "checksum mismatch");
    }
    this.type = type;
    this.from = from;
    this.until = from + length;
    this.#at = from + length;
    return 1;
  }

  #refuse(kind: FaultKind, text: string): number {
    this.fault = kind;
    this.faultText = text;
    return -1;
  }

  #load(): boolean {
    this.#chunkAt += this.#end;
    const wanted = Math.min(CHUNK_BYTES, this.size - this.#chunkAt);
    this.#at = 0;
    this.#end =
      wanted <= 0 ? 0 : readFully(this.#disk, this.#fd, this.bytes, 0, wanted, this.#chunkAt);
    return this.#end > 0;
  }
}
