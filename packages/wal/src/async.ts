import { makeRecordBuffer } from "@varve/bytes";
import {
  assert,
  StorageError,
  type Lsn,
  type RecordBuffer,
  type Variant,
  type WalNeeds,
  type WalRecovery,
  type WalStats,
  type WalVisitor,
  type WriteAheadLog,
} from "@varve/contracts";
import { nodeDisk } from "@varve/disk/node";
import { closedError, poisonedError } from "./internal/errors.ts";
import { onExit } from "./internal/exit-hook.ts";
import { checkTypes } from "./internal/local-log.ts";
import { LogFiles, SEGMENT_BYTES_MAX } from "./internal/log-files.ts";
import { LogWriter } from "./internal/log-writer.ts";
import { inlineDriver, workerDriver, type RingDriver } from "./internal/ring-driver.ts";
import { RingWriter } from "./internal/ring-writer.ts";
import * as layout from "./internal/ring.ts";
import { Waiters } from "./internal/waiters.ts";

export interface AsyncWalOptions {
  /** Size of a segment file: a multiple of 32 KiB. */
  readonly segmentBytesMax?: number;
  /** Bytes of accepted batches that may wait for the writer: a power of two. A batch takes at most half of it. */
  readonly ringBytesMax?: number;
  /** Bytes that one write carries. */
  readonly groupBytesMax?: number;
  /** Longest time that an accepted batch waits for its write and sync to start. */
  readonly delayMsMax?: number;
  /** What `append` does when the ring is full: wait for room, or throw WAL_BACKLOG. */
  readonly onFull?: "block" | "reject";
  /** How long a wait lasts, at exit or for a writer without a sign of life, before it is given up. */
  readonly drainMsMax?: number;
  /**
   * Who writes: a `worker` thread, which sees the real disk only; the caller's thread, `inline`; or `auto`,
   * which takes a worker if the log's directory lies on the real disk, and else writes inline.
   */
  readonly writer?: "auto" | "worker" | "inline";
}

type Options = Required<AsyncWalOptions>;

/**
 * A log that a worker thread writes: `append` copies the records into a ring in the shared memory, and the worker
 * frames, checksums, writes and syncs them.
 *
 * An append is acknowledged as accepted. A full ring makes the caller wait, or refuses; nothing is dropped. What is
 * in the ring when the process exits is drained by an exit hook, within `drainMsMax`.
 */
export function asyncWal(options: AsyncWalOptions = {}): Variant<"wal"> {
  const {
    segmentBytesMax = SEGMENT_BYTES_MAX,
    ringBytesMax = 8 * 1024 * 1024,
    groupBytesMax = 256 * 1024,
    delayMsMax = 10,
    onFull = "block",
    drainMsMax = 10_000,
    writer = "auto",
  } = options;
  assert(
    ringBytesMax >= 1024 && (ringBytesMax & (ringBytesMax - 1)) === 0,
    `ringBytesMax is a power of two, at least 1,024, got ${ringBytesMax}`,
  );
  const all = {
    segmentBytesMax,
    ringBytesMax,
    groupBytesMax,
    delayMsMax,
    onFull,
    drainMsMax,
    writer,
  };
  return {
    slot: "wal",
    name: "async",
    traits: { acknowledges: "accepted", persistent: true, threaded: true },
    open: (needs: WalNeeds) => openLog(needs, all),
  };
}

async function openLog(needs: WalNeeds, options: Options): Promise<WriteAheadLog> {
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
  readonly #options: Options;
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

  constructor(needs: WalNeeds, files: LogFiles, place: layout.RingPlace, options: Options) {
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
      await this.commit();
      if (until >= this.accepted) await this.#order(layout.ROLL);
      const segment = this.#files.checkpointSegment(until);
      if (segment === this.#ring.doubles[layout.SEGMENT]!) await this.#order(layout.ROLL);
      this.#upkeepBytes += await this.#files.checkpoint(segment, until, fill);
    });
  }

  truncateBefore(lsn: Lsn): Promise<void> {
    return this.#exclusively(() => {
      this.#upkeepBytes -= this.#files.truncateBefore(lsn);
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
    while (this.durable < accepted) {
      this.#check();
      if (performance.now() > lastMs) {
        throw new StorageError(
          "WAL_WORKER_LOST",
          `batches ${this.durable + 1} to ${accepted} of ${this.#files.dir} are not durable: ` +
            `the log's writer did not finish within ${this.#options.drainMsMax} ms`,
        );
      }
      this.#driver.block();
    }
  }

  #exclusively(work: () => Promise<void> | void): Promise<void> {
    const result = this.#upkeep.then(async () => {
      this.#refuse();
      await work();
    });
    this.#upkeep = result.catch(() => undefined);
    return result;
  }
}

function ringLimitError(value: number, max: number): StorageError {
  return new StorageError(
    "LIMIT",
    `a batch takes ${value} bytes of the ring, at most ${max} are possible; write smaller batches or raise ringBytesMax`,
    { facts: { limit: "ringBytesMax", value, max } },
  );
}

function backlogError(max: number, batches: number): StorageError {
  return new StorageError(
    "WAL_BACKLOG",
    `the log's ring of ${max} bytes is full (${batches} batches wait for the disk); nothing of this batch was kept; ` +
      "try again later",
    { facts: { limit: "ringBytesMax", value: batches, max } },
  );
}
