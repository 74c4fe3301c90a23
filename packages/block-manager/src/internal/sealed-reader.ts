import { type Descriptor, type Disk, isStorageError, StorageError } from "@varve/contracts";
import { readFully } from "@varve/disk/transfer";
import { fileName, recordBytes, RecordView } from "./format.ts";

const NO_FILE = -1;
/** Files that stay open for reading. */
const OPEN_FILES_MAX = 16;

/** Reads records of `sealed/`, one at a time, and checks each. */
export class SealedReader {
  /** What `read` read last, and where the chunk's data begins. */
  bytes = new Uint8Array(4096);
  dataAt = 0;
  readonly #disk: Disk;
  readonly #dir: string;
  readonly #view = new RecordView();
  /** Descriptors by file number, the one used longest ago first. */
  readonly #open = new Map<number, Descriptor>();
  /** The file that was read last, which is mostly the next one, too. */
  #lastFile = NO_FILE;
  #lastFd: Descriptor = -1;

  constructor(disk: Disk, dir: string) {
    this.#disk = disk;
    this.#dir = dir;
  }

  /** Reads the record of a chunk to `bytes`. Throws BLOCK_CORRUPT when it is not what was written there. */
  read(file: number, offset: number, ref: number, length: number): void {
    const size = recordBytes(length);
    if (this.bytes.length < size) this.bytes = new Uint8Array(size * 2);
    if (file !== this.#lastFile) {
      this.#lastFd = this.#descriptor(file);
      this.#lastFile = file;
    }
    const count = readFully(this.#disk, this.#lastFd, this.bytes, 0, size, offset);
    const view = this.#view;
    const isSound = count === size && view.parse(this.bytes, 0, size);
    if (!isSound || view.ref !== ref || view.length !== length) {
      const path = this.#path(file);
      throw new StorageError(
        "BLOCK_CORRUPT",
        `${path}@${offset}: a chunk of series ${ref} is damaged; other chunks are not affected`,
        { facts: { path, offset, ref } },
      );
    }
    this.dataAt = view.dataAt;
  }

  /** The file is about to go. */
  forget(file: number): void {
    const fd = this.#open.get(file);
    if (fd === undefined) return;
    this.#open.delete(file);
    if (file === this.#lastFile) this.#lastFile = NO_FILE;
    this.#close(fd);
  }

  close(): void {
    for (const fd of this.#open.values()) this.#close(fd);
    this.#open.clear();
    this.#lastFile = NO_FILE;
  }

  #path(file: number): string {
    return `${this.#dir}/${fileName(file)}`;
  }

  #descriptor(file: number): Descriptor {
    const known = this.#open.get(file);
    if (known !== undefined) {
      this.#open.delete(file);
      this.#open.set(file, known);
      return known;
    }
    const fd = this.#disk.open(this.#path(file), "read");
    if (this.#open.size >= OPEN_FILES_MAX) {
      const [oldest, descriptor] = this.#open.entries().next().value!;
      this.#open.delete(oldest);
      this.#close(descriptor);
    }
    this.#open.set(file, fd);
    return fd;
  }

  #close(fd: Descriptor): void {
    try {
      this.#disk.close(fd);
    } catch (error) {
      if (!isStorageError(error)) throw error; // It was only read: nothing can be lost.
    }
  }
}
