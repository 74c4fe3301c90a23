import { isFull } from "./errors.ts";
import { LogWriter } from "./log-writer.ts";
import type { LogPlace } from "./segment-file.ts";
import {
  BEAT,
  BYTES_ON_DISK,
  CHAIN,
  CLOSE,
  COMMAND,
  DURABLE,
  ENDED,
  FAILED,
  FRAMED_BYTES,
  FULL,
  NO_COMMAND,
  POSITION,
  ROLL,
  RUNNING,
  SEALED_BYTES,
  SEGMENT,
  SIGNAL,
  START,
  START_LSN,
  STATE,
  SYNCS,
  WANTED,
  WRITES,
  WRITTEN,
  RingConsumer,
  type Ring,
} from "./ring.ts";

/** How long a full disk is left alone, in ms. */
const RETRY_MS = 100;

export interface RingWriterOptions {
  readonly groupBytesMax: number;
  readonly delayMsMax: number;
}

/**
 * The writing end of an asynchronous log: takes batches from the ring, frames, writes and syncs them.
 *
 * It is driven by `step`, in a worker or on the caller's thread, so that a simulated disk can crash it anywhere.
 */
export class RingWriter {
  isEnded = false;
  readonly #ring: Ring;
  readonly #consumer: RingConsumer;
  readonly #writer: LogWriter;
  readonly #groupBytesMax: number;
  readonly #delayMsMax: number;
  #isStarted = false;
  /** When the oldest batch was taken that is not durable. */
  #oldestMs = 0;

  constructor(ring: Ring, place: LogPlace, options: RingWriterOptions) {
    this.#ring = ring;
    this.#consumer = new RingConsumer(ring);
    this.#writer = new LogWriter(place, { groupBytes: options.groupBytesMax });
    this.#groupBytesMax = options.groupBytesMax;
    this.#delayMsMax = options.delayMsMax;
  }

  /** Something waits that a doze would delay too long. */
  get isUrgent(): boolean {
    const { control } = this.#ring;
    return Atomics.load(control, COMMAND) !== NO_COMMAND || this.#isWanted();
  }

  /** Nothing at all is in the ring. */
  get isEmpty(): boolean {
    return this.#consumer.isEmpty;
  }

  /**
   * Does what there is to do at the time given, and answers in how many ms it should be called again even if
   * nothing wakes it: Infinity if there is nothing left to do. Throws what poisons the log.
   */
  step(nowMs: number): number {
    const { control } = this.#ring;
    Atomics.add(control, BEAT, 1);
    let delayMs = Number.POSITIVE_INFINITY;
    try {
      const command = Atomics.load(control, COMMAND);
      if (command === START) this.#start();
      if (!this.#isStarted) return delayMs;
      this.#takeAll(nowMs);
      delayMs = this.#settle(nowMs);
      if (command === ROLL) this.#writer.roll();
      if (command === CLOSE) this.#close();
      if (command !== NO_COMMAND) Atomics.store(control, COMMAND, NO_COMMAND);
      if (Atomics.load(control, STATE) === FULL) Atomics.store(control, STATE, RUNNING);
    } catch (error) {
      this.#ring.tell(error);
      if (!isFull(error)) {
        Atomics.store(control, STATE, FAILED);
        throw error;
      }
      Atomics.store(control, STATE, FULL);
      Atomics.store(control, COMMAND, NO_COMMAND);
      delayMs = RETRY_MS;
    } finally {
      this.#publish();
    }
    return delayMs;
  }

  /** Closes the file as it is, after a failure. */
  abandon(): void {
    this.isEnded = true;
    this.#writer.abandon();
  }

  #start(): void {
    const { doubles } = this.#ring;
    this.#writer.adopt(
      {
        segment: doubles[SEGMENT]!,
        lsn: doubles[START_LSN]!,
        chain: doubles[CHAIN]!,
        bytesOnDisk: doubles[SEALED_BYTES]!,
      },
      doubles[POSITION]!,
    );
    this.#isStarted = true;
  }

  #takeAll(nowMs: number): void {
    const consumer = this.#consumer;
    const writer = this.#writer;
    const { bytes, ends } = this.#ring;
    while (consumer.peek()) {
      writer.prepare(consumer.records, consumer.length);
      if (writer.accepted === writer.durable) this.#oldestMs = nowMs;
      writer.frame(bytes, consumer.base, ends, consumer.endsFrom, consumer.records);
      consumer.take();
      if (writer.pending >= this.#groupBytesMax) writer.flush();
    }
  }

  /** Writes and syncs if it is time. Answers when it will be. */
  #settle(nowMs: number): number {
    const writer = this.#writer;
    if (writer.accepted === writer.durable) return Number.POSITIVE_INFINITY;
    const restMs = this.#oldestMs + this.#delayMsMax - nowMs;
    if (restMs > 0 && !this.isUrgent) return restMs;
    writer.flush();
    writer.sync();
    return Number.POSITIVE_INFINITY;
  }

  #isWanted(): boolean {
    return ((Atomics.load(this.#ring.control, WANTED) - this.#writer.durable) | 0) > 0;
  }

  #close(): void {
    this.isEnded = true;
    this.#writer.closeNow();
    Atomics.store(this.#ring.control, STATE, ENDED);
  }

  #publish(): void {
    const { control, doubles } = this.#ring;
    const writer = this.#writer;
    if (this.#isStarted) {
      doubles[SEGMENT] = writer.segment;
      doubles[WRITES] = writer.writes;
      doubles[SYNCS] = writer.syncs;
      doubles[FRAMED_BYTES] = writer.framedBytes;
      doubles[BYTES_ON_DISK] = writer.bytesOnDisk;
      Atomics.store(control, WRITTEN, writer.written | 0);
      Atomics.store(control, DURABLE, writer.durable | 0);
    }
    Atomics.add(control, SIGNAL, 1);
    Atomics.notify(control, SIGNAL);
  }
}
