import type { Descriptor, Disk, Lsn, Memory, StorageError } from "@varve/contracts";
import { isFull, poisonedError, segmentLimitError, syncError } from "./errors.ts";
import { Framer } from "./framer.ts";
import { createSegment, type LogPlace } from "./segment-file.ts";
import type { WriterMark } from "./writer-mark.ts";
import { framedBytesMax, SEGMENT_HEAD_BYTES, segmentName } from "./layout.ts";

/** Where a log goes on after recovery. */
export interface LogStart {
  /** Number of the segment to create. */
  readonly segment: number;
  /** Last batch that the log holds: durable. */
  readonly lsn: Lsn;
  readonly chain: number;
  /** Bytes that the other files of the log hold. */
  readonly bytesOnDisk: number;
}

const NO_FILE = -1;

/**
 * Writes batches to segments: frames them in memory, writes at positions it owns, syncs and rolls.
 *
 * A full disk at a write leaves it as it was, to be tried again. Every other failure poisons it: a failed sync
 * is never repeated, and neither is anything else on that file. A segment is whole and durable before the
 * next one exists, so a torn tail can only be in the last.
 */
export class LogWriter {
  accepted: Lsn = 0;
  written: Lsn = 0;
  durable: Lsn = 0;
  segment = 0;
  /** First batch of the current segment. */
  segmentFirstLsn: Lsn = 1;
  /** Why every further call fails; null while all is well. */
  failure: StorageError | null = null;
  batches = 0;
  recordBytes = 0;
  framedBytes = 0;
  writes = 0;
  syncs = 0;
  /** Bytes of the log's files but the current segment's. */
  sealedBytes = 0;

  readonly framer: Framer;
  readonly #disk: Disk;
  readonly #place: LogPlace;
  #fd: Descriptor = NO_FILE;
  /** Bytes of the framer's output that an interrupted write already put into the file. */
  #sent = 0;
  #syncing: Promise<void> | null = null;
  #syncingFd: Descriptor = NO_FILE;
  /** A rolled segment whose sync is under way: closed, and counted as durable, when that ends well. */
  #rolledFd: Descriptor = NO_FILE;
  #rolledLsn: Lsn = 0;

  constructor(
    place: LogPlace,
    options: { readonly groupBytes: number; readonly memory?: Memory | undefined },
  ) {
    this.#place = place;
    this.#disk = place.disk;
    this.framer = new Framer({ bytes: options.groupBytes, memory: options.memory });
  }

  get bytesOnDisk(): number {
    return this.sealedBytes + this.framer.base + this.#sent;
  }

  /** Bytes framed that are not in the file yet. */
  get pending(): number {
    return this.framer.length - this.#sent;
  }

  /** True while a sync runs beside the caller. */
  get isSyncing(): boolean {
    return this.#syncing !== null;
  }

  /** Creates the segment to write to. */
  start(start: LogStart): void {
    this.accepted = this.written = this.durable = start.lsn;
    this.sealedBytes = start.bytesOnDisk;
    this.framer.setChain(start.chain);
    this.#fd = this.#create(start.segment);
  }

  /** Goes on in a segment that another writer created and left. */
  adopt(start: LogStart, position: number): void {
    this.accepted = this.written = this.durable = start.lsn;
    this.sealedBytes = start.bytesOnDisk;
    this.framer.setChain(start.chain);
    this.framer.base = position;
    this.#fd = this.#disk.open(this.#path(start.segment), "update");
    this.segment = start.segment;
    this.segmentFirstLsn = start.lsn + 1;
  }

  /** Leaves the current segment to another writer: where it ends. */
  leave(): number {
    this.#disk.close(this.#take());
    return this.framer.base;
  }

  /** The limit that a batch has to keep, whatever the segment. Throws LIMIT. */
  static checkSize(records: number, bytes: number, segmentBytesMax: number): void {
    const most = framedBytesMax(records, bytes);
    const max = segmentBytesMax - SEGMENT_HEAD_BYTES;
    if (most > max) throw segmentLimitError(most, max);
  }

  /** Rolls if a batch of that size does not fit the rest of the segment, and makes room in memory. */
  prepare(records: number, bytes: number): void {
    const most = framedBytesMax(records, bytes);
    const max = this.#place.segmentBytesMax;
    if (this.framer.position + most > max) {
      if (most > max - SEGMENT_HEAD_BYTES) throw segmentLimitError(most, max - SEGMENT_HEAD_BYTES);
      this.roll();
    }
    this.framer.reserve(most);
  }

  /** Frames a batch and accepts it: records end at `base` + ends[endsFrom …]. `prepare` made the room. */
  frame(
    bytes: Uint8Array,
    base: number,
    ends: Uint32Array,
    endsFrom: number,
    records: number,
  ): Lsn {
    const framer = this.framer;
    const before = framer.length;
    const lsn = this.accepted + 1;
    let from = base;
    for (let i = 0; i < records; i += 1) {
      const until = base + ends[endsFrom + i]!;
      framer.record(bytes, from, until);
      from = until;
    }
    framer.commit(records, lsn, this.durable);
    this.accepted = lsn;
    this.batches += 1;
    this.recordBytes += from - base;
    this.framedBytes += framer.length - before;
    return lsn;
  }

  /** Writes what is framed. On a full disk all of it stays framed, and the next call goes on. */
  flush(): void {
    this.guard();
    const framer = this.framer;
    try {
      while (this.#sent < framer.length) {
        this.writes += 1;
        this.#sent += this.#disk.write(
          this.#fd,
          framer.out,
          this.#sent,
          framer.length - this.#sent,
          framer.base + this.#sent,
        );
      }
    } catch (error) {
      if (!isFull(error)) this.poison(error);
      throw error;
    }
    framer.release();
    this.#sent = 0;
    this.written = this.accepted;
  }

  /** Makes all that is written durable, while the caller waits. */
  sync(): void {
    this.guard();
    const lsn = this.written;
    this.#datasync(this.#fd);
    // The kernel tells a failure only once: while another sync of the file runs, its result counts too.
    if (this.#syncing === null) this.durable = lsn;
  }

  /** Makes all that is written durable beside the caller. One at a time; rejects with WAL_SYNC. */
  syncBeside(): Promise<void> {
    this.#syncing ??= this.#runSync().finally(() => {
      this.#syncing = null;
      this.#syncingFd = NO_FILE;
    });
    return this.#syncing;
  }

  /** Ends the segment, durably, and starts the next. */
  roll(): void {
    this.framer.padPage();
    this.flush();
    this.#datasync(this.#fd);
    const fd = this.#fd;
    const bytes = this.framer.base;
    try {
      this.#fd = this.#create(this.segment + 1);
    } catch (error) {
      this.framer.base = bytes;
      this.framer.length = 0;
      throw error;
    }
    this.sealedBytes += bytes;
    if (this.#syncingFd === fd) {
      this.#rolledFd = fd;
      this.#rolledLsn = this.written;
    } else {
      this.#closeFile(fd);
      if (this.#syncing === null) this.durable = this.written;
    }
  }

  /** Takes back the batches framed since `mark`, of which nothing may stay in the file. */
  withdraw(mark: WriterMark): void {
    this.accepted = mark.accepted;
    this.framer.length = 0;
    this.framer.setChain(mark.chain);
    this.batches = mark.batches;
    this.recordBytes = mark.recordBytes;
    this.framedBytes = mark.framedBytes;
    this.#sent = 0;
    try {
      this.#disk.truncate(this.#fd, this.framer.base);
    } catch (error) {
      this.poison(error); // The partial frame stays; nothing may follow it.
    }
  }

  /** Ends the log, when no sync runs beside the caller any more. */
  async close(): Promise<void> {
    while (this.#syncing !== null) await this.#syncing.catch(() => undefined);
    this.closeNow();
  }

  /** Ends the log: everything durable, an end record, the last page whole. After a failure it only closes the file. */
  closeNow(): void {
    if (this.#fd === NO_FILE) return;
    try {
      if (this.failure !== null) return;
      this.flush();
      this.sync();
      // The end record stands for all before it, so all before it is durable first.
      this.framer.reserve(SEGMENT_HEAD_BYTES * 2);
      this.framer.end(this.accepted);
      this.framer.padPage();
      this.flush();
      this.sync(); // Where this fails, the next opening renews the record before it believes it.
    } finally {
      this.#closeFile(this.#take());
    }
  }

  /** Closes the file and writes nothing: for a log that failed to open. */
  abandon(): void {
    if (this.#fd !== NO_FILE) this.#closeFile(this.#take());
  }

  poison(error: unknown): void {
    this.failure ??= poisonedError(error);
  }

  guard(): void {
    if (this.failure !== null) throw this.failure;
  }

  #take(): Descriptor {
    const fd = this.#fd;
    this.#fd = NO_FILE;
    return fd;
  }

  #path(segment: number): string {
    return `${this.#place.dir}/${segmentName(segment)}`;
  }

  #datasync(fd: Descriptor): void {
    this.syncs += 1;
    try {
      this.#disk.datasync(fd);
    } catch (error) {
      this.poison(error);
      throw syncError(this.#path(this.segment), error);
    }
  }

  async #runSync(): Promise<void> {
    const fd = this.#fd;
    const path = this.#path(this.segment);
    const lsn = this.written;
    this.guard();
    this.#syncingFd = fd;
    this.syncs += 1;
    try {
      await this.#disk.datasyncAsync(fd);
    } catch (error) {
      this.poison(error);
      throw syncError(path, error);
    } finally {
      if (this.#rolledFd === fd) {
        this.#rolledFd = NO_FILE;
        this.#closeFile(fd);
      }
    }
    this.guard();
    this.durable = Math.max(this.durable, lsn, this.#rolledLsn);
  }

  /** Creates a segment with its first record. The framer is empty. */
  #create(segment: number): Descriptor {
    const { framer } = this;
    const { chain } = framer;
    const path = this.#path(segment);
    try {
      const fd = createSegment(this.#place, path, framer, this.accepted + 1);
      this.writes += 1;
      this.syncs += 1;
      this.segment = segment;
      this.segmentFirstLsn = this.accepted + 1;
      return fd;
    } catch (error) {
      framer.setChain(chain);
      if (!isFull(error)) this.poison(error);
      throw error;
    }
  }

  #closeFile(fd: Descriptor): void {
    try {
      this.#disk.close(fd);
    } catch (error) {
      this.poison(error);
    }
  }
}
