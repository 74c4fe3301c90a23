import { makeRecordBuffer } from "@varve/bytes";
import {
  assert,
  type Lsn,
  type RecordBuffer,
  type WalNeeds,
  type WalRecovery,
  type WalStats,
  type WalVisitor,
  type WriteAheadLog,
} from "@varve/contracts";
import { nodeDisk } from "@varve/disk/node";
import {
  backlogError,
  closedError,
  drainError,
  lateError,
  poisonedError,
  ringLimitError,
} from "./errors.ts";
import { onExit } from "@varve/disk/exit";
import { checkTypes } from "./local-log.ts";
import { LogFiles } from "./log-files.ts";
import { LogWriter } from "./log-writer.ts";
import { inlineDriver, workerDriver, type RingDriver } from "./ring-driver.ts";
import { RingWriter } from "./ring-writer.ts";
import * as layout from "./ring.ts";
import { Waiters } from "./waiters.ts";

/** The options of `asyncWal`, all of them. */
export interface AsyncLogOptions {
  readonly segmentBytesMax: number;
  readonly ringBytesMax: number;
  readonly groupBytesMax: number;
  readonly delayMsMax: number;
  readonly onFull: "block" | "reject";
  readonly drainMsMax: number;
  readonly writer: "auto" | "worker" | "inline";
}

/** Opens the log and starts its writer. */
export async function openAsyncLog(
  needs: WalNeeds,
  options: AsyncLogOptions,
): Promise<WriteAheadLog> {
  const files = new LogFiles(needs, options);
  const place = layout.takeRing(needs.memory, options.ringBytesMax);
  const log = new AsyncLog(needs, files, place, options);
  try {
    await log.begin();
    return log;
  } catch (error) {
    layout.giveRing(needs.memory, place);
    throw error;
  }
}

/** Whether a directory of the log's disk is one that a worker can see. */
function isReal(needs: WalNeeds): boolean {
  const real = nodeDisk();
  if (real.kind(needs.dir) !== "directory") return false;
  const names = real.list(needs.dir);
  return names.join("/") === needs.disk.list(needs.dir).join("/");
}

const NEW = 0;
const RUNNING = 1;
const CLOSED = 2;

class AsyncLog implements WriteAheadLog {
  accepted: Lsn = 0;
  readonly buffer: RecordBuffer = makeRecordBuffer();
  readonly #needs: WalNeeds;
  readonly #files: LogFiles;
  readonly #place: layout.RingPlace;
  readonly #options: AsyncLogOptions;
  readonly #ring: layout.Ring;
  readonly #control: Int32Array;
  readonly #producer: layout.RingProducer;
  readonly #waiters = new Waiters();
  #driver!: RingDriver;
  #state = NEW;
  #removeHook: () => void = () => undefined;
  #command: { resolve: () => void; reject: (error: unknown) => void } | null = null;
  #upkeep: Promise<void> = Promise.resolve();
  #batches = 0;
  #recordBytes = 0;
  #stalls = 0;
  /** Batches up to this many bytes, with 8 for each record, pass every limit. */
  readonly #easyBytes: number;
  /** Bytes by which checkpoints and truncations changed the log's size. */
  #upkeepBytes = 0;

  constructor(needs: WalNeeds, files: LogFiles, place: layout.RingPlace, options: AsyncLogOptions) {
    this.#needs = needs;
    this.#files = files;
    this.#place = place;
    this.#options = options;
    this.#ring = new layout.Ring(needs.memory.wasm.buffer, place);
    this.#control = this.#ring.control;
    this.#producer = new layout.RingProducer(this.#ring);
    this.#easyBytes = Math.min(options.ringBytesMax / 2, options.segmentBytesMax) / 2;
  }

  get written(): Lsn {
    return this.#mark(layout.WRITTEN);
  }

  get durable(): Lsn {
    return this.#mark(layout.DURABLE);
  }

  get stats(): WalStats {
    const { doubles } = this.#ring;
    return {
      batches: this.#batches,
      recordBytes: this.#recordBytes,
      framedBytes: doubles[layout.FRAMED_BYTES]!,
      writes: doubles[layout.WRITES]!,
      syncs: doubles[layout.SYNCS]!,
      bytesOnDisk: doubles[layout.BYTES_ON_DISK]! + this.#upkeepBytes,
      stalls: this.#stalls,
    };
  }

  /** Starts the writer. */
  async begin(): Promise<void> {
    const { groupBytesMax, drainMsMax, delayMsMax, segmentBytesMax, writer } = this.#options;
    const { dir, disk, storeId } = this.#files;
    const ring = this.#ring;
    const options = {
      ring,
      groupBytesMax,
      lostMsMax: drainMsMax,
      onProgress: () => this.#progress(),
    };
    if (writer === "worker" || (writer === "auto" && isReal(this.#needs))) {
      this.#driver = await workerDriver(options, {
        memory: this.#needs.memory.wasm,
        place: this.#place,
        dir,
        storeId,
        segmentBytesMax,
        groupBytesMax,
        delayMsMax,
      });
    } else {
      const place = { disk, dir, storeId, segmentBytesMax };
      const inline = new RingWriter(ring, place, { groupBytesMax, delayMsMax });
      this.#driver = inlineDriver(options, inline, delayMsMax);
    }
  }

  replay(visit: WalVisitor): WalRecovery {
    assert(this.#state === NEW, "a log is replayed once, before its first append");
    const { recovery, start } = this.#files.recover(visit);
    // The segment is created here, so that a failure is this call's; then the writer goes on with it.
    const first = new LogWriter(this.#files, { groupBytes: 1024 });
    first.start(start);
    const { doubles } = this.#ring;
    doubles[layout.SEGMENT] = first.segment;
    doubles[layout.START_LSN] = start.lsn;
    doubles[layout.CHAIN] = first.framer.chain;
    doubles[layout.SEALED_BYTES] = start.bytesOnDisk;
    doubles[layout.POSITION] = first.leave();
    this.accepted = start.lsn;
    Atomics.store(this.#control, layout.WRITTEN, start.lsn | 0);
    Atomics.store(this.#control, layout.DURABLE, start.lsn | 0);
    Atomics.store(this.#control, layout.WANTED, start.lsn | 0);
    Atomics.store(this.#control, layout.COMMAND, layout.START);
    this.#state = RUNNING;
    this.#removeHook = onExit(() => this.#drain());
    do this.#driver.block();
    while (Atomics.load(this.#control, layout.COMMAND) === layout.START && !this.#hasFailed());
    this.#check();
    return recovery;
  }

  append(): Lsn {
    const { buffer } = this;
    try {
      if (this.#state !== RUNNING || Atomics.load(this.#control, layout.STATE) !== layout.RUNNING) {
        this.#refuse();
      }
      const { count } = buffer;
      if (count === 0) return this.accepted;
      checkTypes(buffer);
      const length = buffer.ends[count - 1]!;
      if (length + 8 * count > this.#easyBytes) this.#checkSize(count, length);
      if (!this.#producer.push(buffer.bytes, buffer.ends, count)) this.#pushLate(count);
      this.accepted += 1;
      this.#batches += 1;
      this.#recordBytes += length;
      this.#driver.pushed(this.#used());
      return this.accepted;
    } finally {
      buffer.clear();
    }
  }

  async commit(): Promise<Lsn> {
    this.#refuse();
    const { durable } = this;
    if (durable >= this.accepted) return durable;
    const committed = this.#waiters.wait(this.accepted);
    Atomics.store(this.#control, layout.WANTED, this.accepted | 0);
    this.#driver.want();
    return committed;
  }

  checkpoint(fill: (into: RecordBuffer) => boolean, until: Lsn): Promise<void> {
    return this.#exclusively(async () => {
      assert(until <= this.accepted, `a checkpoint is of accepted batches, got ${until}`);
      if (until === 0) return; // It would stand for nothing.
      await this.commit();
      if (until >= this.accepted) await this.#order(layout.ROLL);
      const segment = this.#files.checkpointSegment(until);
      if (segment === this.#ring.doubles[layout.SEGMENT]!) await this.#order(layout.ROLL);
      const grown = await this.#files.checkpoint(segment, until, fill);
      this.#upkeepBytes += grown;
    });
  }

  truncateBefore(lsn: Lsn): Promise<void> {
    return this.#exclusively(async () => {
      const freed = await this.#files.truncateBefore(lsn);
      this.#upkeepBytes -= freed;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#state === CLOSED) return;
    const wasRunning = this.#state === RUNNING;
    this.#state = CLOSED;
    await this.#upkeep;
    try {
      if (wasRunning && !this.#hasFailed()) await this.#order(layout.CLOSE);
    } finally {
      this.#removeHook();
      await this.#driver.close();
      this.#waiters.resolve(this.durable);
      this.#waiters.reject(closedError());
      layout.giveRing(this.#needs.memory, this.#place);
    }
  }

  #mark(word: number): Lsn {
    const { accepted } = this;
    return accepted - (((accepted | 0) - Atomics.load(this.#control, word)) >>> 0);
  }

  /** Bytes in the ring: asks the other end only when it might matter. */
  #used(): number {
    const producer = this.#producer;
    if (producer.used >= this.#options.groupBytesMax) producer.refresh();
    return producer.used;
  }

  /** Throws LIMIT if a batch can never pass the ring, or never fit a segment. */
  #checkSize(count: number, length: number): void {
    const { ringBytesMax, segmentBytesMax } = this.#options;
    const entry = layout.RingProducer.entryBytes(count, length);
    if (entry > ringBytesMax / 2) throw ringLimitError(entry, ringBytesMax / 2);
    LogWriter.checkSize(count, length, segmentBytesMax);
  }

  /** The ring is full: waits or refuses. */
  #pushLate(count: number): void {
    const { ringBytesMax, onFull } = this.#options;
    const { buffer } = this;
    if (onFull === "reject") throw backlogError(ringBytesMax, this.accepted - this.durable);
    this.#stalls += 1;
    do {
      this.#driver.block();
      this.#check();
    } while (!this.#producer.push(buffer.bytes, buffer.ends, count));
  }

  #hasFailed(): boolean {
    return Atomics.load(this.#control, layout.STATE) === layout.FAILED;
  }

  /** Throws why the writer cannot go on. */
  #check(): void {
    const state = Atomics.load(this.#control, layout.STATE);
    if (state === layout.FAILED) throw poisonedError(this.#ring.told());
    if (state === layout.FULL) throw this.#ring.told();
  }

  /** Throws why nothing can be appended or committed now; returns if it can. */
  #refuse(): void {
    if (this.#state === CLOSED) throw closedError();
    assert(this.#state === RUNNING, "a log is replayed before its first append");
    // A full disk may have room again.
    if (Atomics.load(this.#control, layout.STATE) === layout.FULL) this.#driver.block();
    this.#check();
  }

  /** Has the writer carry out a command when the ring is empty. */
  #order(command: number): Promise<void> {
    const done = new Promise<void>((resolve, reject) => {
      this.#command = { resolve, reject };
    });
    Atomics.store(this.#control, layout.COMMAND, command);
    this.#driver.want();
    return done;
  }

  /** The writer got somewhere: tells those who wait. */
  #progress(): void {
    if (this.#state === NEW) return;
    this.#waiters.resolve(this.durable);
    const state = Atomics.load(this.#control, layout.STATE);
    if (state === layout.FAILED || state === layout.FULL) {
      const error = this.#ring.told();
      this.#waiters.reject(error);
      this.#command?.reject(error);
      this.#command = null;
    } else if (
      this.#command !== null &&
      Atomics.load(this.#control, layout.COMMAND) === layout.NO_COMMAND
    ) {
      this.#command.resolve();
      this.#command = null;
    }
    if (this.#waiters.count > 0 || this.#command !== null) this.#driver.want();
    else this.#driver.idle();
  }

  /** The process exits: the writer drains the ring while we wait. */
  #drain(): void {
    const { accepted } = this;
    const lastMs = performance.now() + this.#options.drainMsMax;
    Atomics.store(this.#control, layout.WANTED, accepted | 0);
    try {
      while (this.durable < accepted) {
        this.#check();
        if (performance.now() > lastMs) throw lateError(this.#options.drainMsMax);
        this.#driver.block();
      }
    } catch (error) {
      throw drainError(this.#files.dir, this.durable + 1, accepted, error);
    }
  }

  #exclusively(work: () => Promise<void>): Promise<void> {
    const result = this.#upkeep.then(async () => {
      this.#refuse();
      await work();
    });
    this.#upkeep = result.catch(() => undefined);
    return result;
  }
}
