import { type Allocator, isStorageError, StorageError } from "@varve/contracts";
import { type ChunkTable, FILE, FILE_OFFSET, LENGTH, SEALED_REGION } from "./chunk-table.ts";
import { placeOf, recordBytes } from "./format.ts";
import { Ring } from "./ring.ts";
import type { SealedFiles } from "./sealed-files.ts";
import type { SpentFiles } from "./spent-files.ts";
import type { SealedWriter } from "./sealed-writer.ts";
import type { Trust } from "./trust.ts";

export interface PipelineOptions {
  readonly chunks: ChunkTable;
  readonly allocator: Allocator;
  readonly files: SealedFiles;
  readonly writer: SealedWriter;
  readonly trust: Trust;
  readonly spent: SpentFiles;
  readonly unsyncedBytesMax: number;
}

/** Longest stretch of writing between two turns of the event loop, in milliseconds. */
const STRETCH_MS = 4;

/**
 * The way of a full chunk: sealed, written, synced, and its memory given back; from there on `Trust` answers
 * for it. Chunks go in the order in which they were sealed, so `sealed/` never holds a chunk of a series
 * without those before it.
 */
export class Pipeline {
  /** Chunks that wait to be written, and those that wait for their sync. */
  readonly sealed = new Ring();
  readonly written = new Ring();
  chunksPersisted = 0;
  bytesPersisted = 0;
  persistedInAppend = 0;
  /** A failure that a writer met, kept for `maintain` to tell. Writers do not try again before that. */
  failure: unknown;
  /** Why nothing can be written any more. */
  poison: unknown;
  readonly #chunks: ChunkTable;
  readonly #allocator: Allocator;
  readonly #files: SealedFiles;
  readonly #writer: SealedWriter;
  readonly #trust: Trust;
  readonly #spent: SpentFiles;
  readonly #unsyncedBytesMax: number;
  /** Capacity of written chunks that are still in memory; the first `#givenBack` written ones are not. */
  #unsyncedBytes = 0;
  #givenBack = 0;

  constructor(options: PipelineOptions) {
    this.#chunks = options.chunks;
    this.#allocator = options.allocator;
    this.#files = options.files;
    this.#writer = options.writer;
    this.#trust = options.trust;
    this.#spent = options.spent;
    this.#unsyncedBytesMax = options.unsyncedBytesMax;
  }

  /** Writes waiting chunks with one write, and returns how many. */
  persist(chunksMax: number): number {
    const count = this.#writer.write(this.sealed, chunksMax);
    for (let i = 0; i < count; i += 1) {
      const chunk = this.sealed.shift();
      this.written.push(chunk);
      this.bytesPersisted += recordBytes(this.#chunks.word(chunk, LENGTH));
      this.#unsyncedBytes += this.#allocator.capacity(this.#chunks.word(chunk, SEALED_REGION));
    }
    this.chunksPersisted += count;
    while (this.#unsyncedBytes > this.#unsyncedBytesMax && this.#givenBack < this.written.length) {
      this.#giveBack(this.written.at(this.#givenBack));
      this.#givenBack += 1;
    }
    return count;
  }

  /**
   * Writes what waits until the time is over, with one write in any case. However much time there is, the event loop gets its
   * turn every few milliseconds. Throws what kept it from writing, and the poison that may come meanwhile.
   */
  async persistUntil(untilMs: number, chunksPerWrite: number): Promise<void> {
    let stretchEnds = performance.now() + STRETCH_MS;
    while (this.sealed.length > 0) {
      this.persist(chunksPerWrite);
      const now = performance.now();
      if (now >= untilMs) return;
      if (now < stretchEnds) continue;
      await new Promise((resolve) => setImmediate(resolve));
      if (this.poison !== undefined) throw this.poison;
      stretchEnds = performance.now() + STRETCH_MS;
    }
  }

  /** Writes until at most `chunksLeft` wait, while a writer waits. A failure is kept for `maintain`. */
  persistInAppend(chunksLeft: number, chunksPerWrite: number): void {
    if (this.failure !== undefined || this.poison !== undefined) return;
    try {
      while (this.sealed.length > chunksLeft) {
        this.persistedInAppend += this.persist(chunksPerWrite);
      }
    } catch (error) {
      this.#keep(error);
    }
  }

  /** Writes all that waits, in a turn of the event loop of its own. A failure is kept for `maintain`. */
  persistInTurn(): void {
    if (this.failure !== undefined || this.poison !== undefined) return;
    try {
      while (this.sealed.length > 0) this.persist(Number.POSITIVE_INFINITY);
    } catch (error) {
      this.failure = error; // Whatever it is: nobody else could catch it.
    }
  }

  /** Writes marks that state the trusted place to two files, unless they do, and syncs until the time is over. */
  async tell(untilMs: number): Promise<void> {
    if (this.poison !== undefined) throw this.poison;
    let failure: unknown;
    try {
      this.#writer.writeMarks();
    } catch (error) {
      if (!isStorageError(error)) throw error;
      failure = error; // One mark may be written, and is worth its sync.
    }
    await this.#sync(untilMs);
    if (failure !== undefined) throw failure;
  }

  /** Syncs chunks that were written, oldest first, until the time is over. */
  async sync(untilMs: number): Promise<void> {
    if (this.written.length > 0) await this.#sync(untilMs);
  }

  async #sync(untilMs: number): Promise<void> {
    try {
      await this.#files.sync(untilMs);
    } catch (error) {
      this.#afterFailedSync(error);
      throw error;
    }
    this.#settle();
  }

  /** Makes room in memory while a writer waits: writes what waits, and syncs. Answers how many chunks gave theirs back. */
  relieve(chunksPerWrite: number): number {
    const before = this.written.length + this.sealed.length;
    this.persistInAppend(0, chunksPerWrite);
    if (this.failure !== undefined || this.poison !== undefined) return 0;
    try {
      this.#files.syncNow();
      this.#settle();
    } catch (error) {
      this.#afterFailedSync(error);
      this.#keep(error);
    }
    return before - this.written.length - this.sealed.length;
  }

  /** Gives all memory back. */
  release(): void {
    for (const ring of [this.written, this.sealed]) {
      for (let i = 0; i < ring.length; i += 1) {
        const region = this.#chunks.word(ring.at(i), SEALED_REGION);
        if (region !== 0) this.#allocator.release(region);
      }
    }
  }

  #settle(): void {
    const { durable } = this.#files;
    this.#trust.settle(durable);
    while (this.written.length > 0) {
      const chunk = this.written.at(0);
      const file = this.#chunks.word(chunk, FILE);
      if (placeOf(file, this.#chunks.word(chunk, FILE_OFFSET)) >= durable) return;
      this.written.shift();
      if (this.#givenBack > 0) this.#givenBack -= 1;
      else this.#giveBack(chunk);
      this.#chunks.settle(chunk);
      this.#spent.written(file);
      this.#trust.hold(this.#chunks.firstLsn(chunk), durable);
    }
  }

  #giveBack(chunk: number): void {
    const region = this.#chunks.word(chunk, SEALED_REGION);
    this.#unsyncedBytes -= this.#allocator.capacity(region);
    this.#chunks.setWord(chunk, SEALED_REGION, 0);
    this.#allocator.release(region);
  }

  #keep(error: unknown): void {
    if (!isStorageError(error)) throw error;
    this.failure ??= error;
  }

  /** What was written since the last good sync is in doubt: it is written again, from memory, to a new file. */
  #afterFailedSync(error: unknown): void {
    if (!this.#files.isLost) return;
    if (this.#givenBack > 0) {
      this.poison = new StorageError(
        "POISONED",
        "a sync in sealed/ failed, and chunks it was for are no longer in memory; " +
          "what the log holds is safe: close and open again",
        { cause: error },
      );
      return;
    }
    this.#writer.restart();
    while (this.written.length > 0) {
      const chunk = this.written.pop();
      this.#chunks.setWord(chunk, FILE, 0);
      this.sealed.unshift(chunk);
    }
    this.#unsyncedBytes = 0;
  }
}
