import { copyBytes } from "@varve/bytes";
import type { Allocator, Disk } from "@varve/contracts";
import { isStorageError } from "@varve/contracts";
import { writeAll } from "@varve/disk/transfer";
import {
  type ChunkTable,
  FILE,
  FILE_OFFSET,
  LENGTH,
  MAX_TIME,
  MIN_TIME,
  REF,
  SEALED_REGION,
} from "./chunk-table.ts";
import {
  type Life,
  MARK_BYTES,
  placeOf,
  recordBytes,
  writeBeginning,
  writeHead,
  writeMark,
  writeTail,
} from "./format.ts";
import type { Ring } from "./ring.ts";
import type { SealedFile, SealedFiles } from "./sealed-files.ts";
import type { SpentFiles } from "./spent-files.ts";
import type { Trust } from "./trust.ts";

export interface SealedWriterOptions {
  readonly disk: Disk;
  readonly files: SealedFiles;
  readonly trust: Trust;
  readonly spent: SpentFiles;
  readonly chunks: ChunkTable;
  readonly allocator: Allocator;
  readonly encoding: number;
  readonly chunksPerFile: number;
  readonly fileBytesMax: number;
  /** Size of the buffer that one write empties. */
  readonly writeBytesMax: number;
}

/**
 * Most chunks that one write carries: a few microseconds each, several on a busy machine. Thousands of short chunks fit the
 * buffer, and held the event loop for up to 30 ms.
 */
const CHUNKS_PER_WRITE_MAX = 512;

/** Writes sealed chunks to the files of `sealed/`, with the marks that chain them. */
export class SealedWriter {
  writes = 0;
  readonly #options: SealedWriterOptions;
  readonly #files: SealedFiles;
  readonly #trust: Trust;
  readonly #buffer: Uint8Array;
  /** Where the last record ends that counts. */
  #end: number;
  /** The first file of this life, once there is one. */
  #life: Life | undefined;

  constructor(options: SealedWriterOptions) {
    this.#options = options;
    this.#files = options.files;
    this.#trust = options.trust;
    this.#buffer = new Uint8Array(options.writeBytesMax);
    this.#end = options.trust.trusted;
  }

  /**
   * Writes up to `chunksMax` chunks from the front of `queue`, as many as fit one write, and says where each
   * lies. Returns how many: they stay in the queue. On a failure nothing is said, and the next attempt
   * goes to the same place when the disk was full, and to a new file otherwise.
   */
  write(queue: Ring, chunksMax: number): number {
    const { chunks, allocator, chunksPerFile, fileBytesMax, encoding } = this.#options;
    const buffer = this.#buffer;
    const first = recordBytes(chunks.word(queue.at(0), LENGTH));
    const file = this.#fileFor(first);
    const prefix = this.#prefix(file);
    let at = prefix;
    let count = 0;
    const room = chunksPerFile - file.chunks;
    const countMax = Math.min(queue.length, chunksMax, room, CHUNKS_PER_WRITE_MAX);
    while (count < countMax) {
      const chunk = queue.at(count);
      const length = chunks.word(chunk, LENGTH);
      const until = at + recordBytes(length);
      if (until > buffer.length || (count > 0 && file.length + until > fileBytesMax)) break;
      chunks.setWord(chunk, FILE_OFFSET, file.length + at);
      const region = chunks.word(chunk, SEALED_REGION);
      const dataAt = writeHead(
        buffer,
        at,
        chunks.word(chunk, REF),
        chunks.double(chunk, MIN_TIME),
        chunks.double(chunk, MAX_TIME),
        encoding,
        length,
      );
      const from = allocator.at(region);
      const dataEnd = copyBytes(allocator.bytes(region), from, from + length, buffer, dataAt);
      at = writeTail(buffer, at, dataEnd);
      count += 1;
    }
    this.#put(file, at, prefix > 0);
    for (let i = 0; i < count; i += 1) chunks.setWord(queue.at(i), FILE, file.number);
    file.chunks += count;
    if (file.chunks >= chunksPerFile) this.#files.leave();
    return count;
  }

  /** Writes marks that state the trusted place to two files, unless they do: no chunk has to come with them. */
  writeMarks(): void {
    const { trusted, stated, isRepeated } = this.#trust;
    if (stated !== trusted) this.#putMark(this.#fileFor(0));
    if (isRepeated) return;
    const { current } = this.#files;
    // A file that a failure left empty is still to get its first mark.
    if (current !== undefined && current.length > 0) this.#files.leave();
    this.#putMark(this.#files.current ?? this.#create());
  }

  /** Goes on after a failed sync: the next file voids all that was written since the last good one. */
  restart(): void {
    for (const file of this.#files.lose()) this.#options.spent.holdsVoid(file);
    this.#trust.lose();
    this.#end = this.#files.durable;
  }

  #fileFor(bytes: number): SealedFile {
    const { current } = this.#files;
    if (current !== undefined) {
      const isFull = current.length + MARK_BYTES + bytes > this.#options.fileBytesMax;
      if (!isFull || current.chunks === 0) return current;
      this.#files.leave();
    }
    return this.#create();
  }

  #create(): SealedFile {
    const file = this.#files.create();
    this.#life ??= { file: file.number, after: this.#end };
    this.#options.spent.add(file.number, this.#end);
    return file;
  }

  /** Puts what a new file begins with, or a mark where one is due, at the start of the buffer. */
  #prefix(file: SealedFile): number {
    const { trusted, stated } = this.#trust;
    if (file.length === 0) return writeBeginning(this.#buffer, this.#end, trusted, this.#life!);
    if (trusted === stated) return 0;
    return writeMark(this.#buffer, 0, placeOf(file.number, file.length), trusted);
  }

  #putMark(file: SealedFile): void {
    this.#put(file, this.#prefix(file), true);
  }

  #put(file: SealedFile, length: number, hasMark: boolean): void {
    this.writes += 1;
    try {
      writeAll(this.#options.disk, file.fd, this.#buffer, 0, length, file.length);
    } catch (error) {
      // A full disk leaves a beginning, which the next attempt overwrites. After any other failure the
      // file's end is unknown: it is left as it is, and the next file's mark names where it is sound.
      if (isStorageError(error) && error.code !== "STORAGE_FULL") {
        this.#files.leave();
        this.#options.spent.holdsVoid(file.number);
      }
      throw error;
    }
    file.length += length;
    this.#end = placeOf(file.number, file.length);
    if (hasMark) this.#trust.mark(this.#end);
  }
}
