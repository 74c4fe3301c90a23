import { readU32 } from "@varve/bytes";
import type { Descriptor, Disk } from "@varve/contracts";
import { readFully } from "@varve/disk/transfer";
import type { PageCache } from "./page-cache.ts";
import { closed, corrupt } from "./read-errors.ts";

/** A file of a block that is open for reading through the cache. Its size is that at the opening. */
export class BlockFile {
  readonly path: string;
  readonly size: number;
  readonly cache: PageCache;
  readonly number: number;
  readonly #disk: Disk;
  readonly #fd: Descriptor;
  #isClosed = false;

  constructor(disk: Disk, cache: PageCache, path: string) {
    this.path = path;
    this.cache = cache;
    this.#disk = disk;
    this.#fd = disk.open(path, "read");
    try {
      this.size = disk.size(this.#fd);
    } catch (error) {
      disk.close(this.#fd);
      throw error;
    }
    this.number = cache.add(disk, this.#fd);
  }

  /** Finds a page in the cache, or reads it. Throws CLOSED when the block was closed. */
  slot(page: number): number {
    if (this.#isClosed) throw closed(this.path);
    return this.cache.slot(this.number, page);
  }

  /** Reads past the cache: for what is read once. Throws BLOCK_CORRUPT when the file ends before. */
  read(bytes: Uint8Array, from: number, length: number, position: number): void {
    if (this.#isClosed) throw closed(this.path);
    const count = readFully(this.#disk, this.#fd, bytes, from, length, position);
    if (count < length) throw corrupt(this.path, position, "the file ends too early");
  }

  /** Idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.cache.remove(this.number);
    this.#disk.close(this.#fd);
  }
}

/** A page that no file has: the first `view` finds another one. */
const NO_PAGE = -1;

/**
 * A window on a file: after `view`, the range asked for lies in `bytes` from `at` on, until the next call on this
 * view, or until any other view brings a page into the cache. Allocates only for ranges that cross pages.
 */
export class FileView {
  readonly file: BlockFile;
  bytes: Uint8Array = new Uint8Array(0);
  at = 0;
  readonly #cache: PageCache;
  readonly #pageBytes: number;
  #page = NO_PAGE;
  #slot = 0;
  #stamp = 0;
  #pageContent: Uint8Array = new Uint8Array(0);
  #pageLength = 0;
  #gathered: Uint8Array = new Uint8Array(0);

  constructor(file: BlockFile) {
    this.file = file;
    this.#cache = file.cache;
    this.#pageBytes = file.cache.pageBytes;
  }

  /** Shows `length` bytes from `position` on. Throws BLOCK_CORRUPT when the file does not reach that far. */
  view(position: number, length: number): void {
    const page = Math.floor(position / this.#pageBytes);
    if (page !== this.#page || this.#cache.stamp(this.#slot) !== this.#stamp) this.#turn(page);
    const at = position - page * this.#pageBytes;
    if (at + length > this.#pageLength) {
      this.#gather(position, length);
      return;
    }
    this.bytes = this.#pageContent;
    this.at = at;
  }

  /** Shows up to `length` bytes and returns how many: fewer where the file ends. */
  viewUpTo(position: number, length: number): number {
    const shown = Math.max(0, Math.min(length, this.file.size - position));
    this.view(position, shown);
    return shown;
  }

  /** Reads a big-endian word. */
  u32(position: number): number {
    this.view(position, 4);
    return readU32(this.bytes, this.at);
  }

  #turn(page: number): void {
    this.#page = NO_PAGE;
    const slot = this.file.slot(page);
    this.#slot = slot;
    this.#stamp = this.#cache.stamp(slot);
    this.#pageContent = this.#cache.bytesOf(slot);
    this.#pageLength = this.#cache.lengthOf(slot);
    this.#page = page;
  }

  #gather(position: number, length: number): void {
    const { file } = this;
    if (position + length > file.size) {
      throw corrupt(file.path, position, `${length} bytes do not fit into ${file.size}`);
    }
    if (this.#gathered.length < length) {
      this.#gathered = new Uint8Array(Math.max(length, this.#gathered.length * 2));
    }
    for (let done = 0; done < length;) {
      const page = Math.floor((position + done) / this.#pageBytes);
      this.#turn(page);
      const from = position + done - page * this.#pageBytes;
      const until = Math.min(this.#pageLength, from + length - done);
      if (until <= from) throw corrupt(file.path, position + done, "the file ends too early");
      this.#gathered.set(this.#pageContent.subarray(from, until), done);
      done += until - from;
    }
    this.bytes = this.#gathered;
    this.at = 0;
  }
}
