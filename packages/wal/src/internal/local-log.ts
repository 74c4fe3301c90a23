import { makeRecordBuffer, type OwnedRecordBuffer } from "@varve/bytes";
import {
  assert,
  type Lsn,
  type RecordBuffer,
  type WalRecovery,
  type WalStats,
  type WalVisitor,
  type WriteAheadLog,
} from "@varve/contracts";
import { closedError, reservedError } from "./errors.ts";
import { isReserved } from "./layout.ts";
import type { LogFiles } from "./log-files.ts";
import { LogWriter } from "./log-writer.ts";
import { turn } from "./turn.ts";

const NEW = 0;
const RUNNING = 1;
const CLOSED = 2;

/**
 * What the logs that write on the caller's thread have in common: opening, replay, checkpoints, closing.
 * A variant decides when a batch is written and synced.
 */
export abstract class LocalLog implements WriteAheadLog {
  readonly buffer: OwnedRecordBuffer;
  protected readonly writer: LogWriter;
  protected stalls = 0;
  readonly #files: LogFiles;
  #state = NEW;
  #upkeep: Promise<void> = Promise.resolve();

  constructor(files: LogFiles, options: { readonly groupBytes: number; readonly kernel: boolean }) {
    const memory = options.kernel ? files.memory : undefined;
    this.#files = files;
    this.buffer = makeRecordBuffer({ memory });
    this.writer = new LogWriter(files, { groupBytes: options.groupBytes, memory });
  }

  get accepted(): Lsn {
    return this.writer.accepted;
  }

  get written(): Lsn {
    return this.writer.written;
  }

  get durable(): Lsn {
    return this.writer.durable;
  }

  get stats(): WalStats {
    const { batches, recordBytes, framedBytes, writes, syncs, bytesOnDisk } = this.writer;
    return { batches, recordBytes, framedBytes, writes, syncs, bytesOnDisk, stalls: this.stalls };
  }

  replay(visit: WalVisitor): WalRecovery {
    assert(this.#state === NEW, "a log is replayed once, before its first append");
    const { recovery, start } = this.#files.recover(visit);
    this.writer.start(start);
    this.#state = RUNNING;
    return recovery;
  }

  append(): Lsn {
    const { buffer } = this;
    try {
      if (this.#state !== RUNNING || this.writer.failure !== null) this.refuse();
      if (buffer.count === 0) return this.writer.accepted;
      checkTypes(buffer);
      return this.accept();
    } finally {
      buffer.clear();
    }
  }

  abstract commit(): Promise<Lsn>;

  checkpoint(fill: (into: RecordBuffer) => boolean, until: Lsn): Promise<void> {
    return this.#exclusively(async () => {
      assert(until <= this.accepted, `a checkpoint is of accepted batches, got ${until}`);
      if (until === 0) return; // It would stand for nothing.
      await this.commit();
      if (until >= this.accepted) this.writer.roll();
      const segment = this.#files.checkpointSegment(until);
      if (segment === this.writer.segment) this.writer.roll();
      await turn(); // A roll takes its time.
      const grown = await this.#files.checkpoint(segment, until, fill);
      this.writer.sealedBytes += grown; // Not in one line: segments may roll while this waits.
    });
  }

  truncateBefore(lsn: Lsn): Promise<void> {
    return this.#exclusively(async () => {
      const freed = await this.#files.truncateBefore(lsn);
      this.writer.sealedBytes -= freed; // Not in one line: segments may roll while this waits.
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#state === CLOSED) return;
    const wasRunning = this.#state === RUNNING;
    this.#state = CLOSED;
    await this.#upkeep;
    this.stop();
    try {
      if (wasRunning) await this.writer.close();
    } finally {
      this.writer.framer.dispose();
      this.buffer[Symbol.dispose]();
    }
  }

  /** Frames what `buffer` holds, and does with it what the variant promises. */
  protected abstract accept(): Lsn;
  /** The log closes: no timer, no hook. */
  protected abstract stop(): void;

  /** Throws why nothing can be appended or committed now; returns if it can. */
  protected refuse(): void {
    if (this.#state === CLOSED) throw closedError();
    assert(this.#state === RUNNING, "a log is replayed before its first append");
    this.writer.guard();
  }

  /** Checkpoints and truncations, one after the other. */
  #exclusively(work: () => Promise<void>): Promise<void> {
    const result = this.#upkeep.then(async () => {
      this.refuse();
      await work();
    });
    this.#upkeep = result.catch(() => undefined);
    return result;
  }
}

/** Throws INPUT if a record has a type that only the log itself writes. */
export function checkTypes(buffer: RecordBuffer): void {
  const { bytes, ends, count } = buffer;
  let from = 0;
  for (let i = 0; i < count; i += 1) {
    const until = ends[i]!;
    if (until > from && isReserved(bytes[from]!)) throw reservedError(bytes[from]!);
    from = until;
  }
}
