import { Worker } from "node:worker_threads";
import type { StorageError } from "@varve/contracts";
import { lostError } from "./errors.ts";
import {
  AWAKE,
  BEAT,
  ENDED,
  FAILED,
  IDLE,
  NOTIFY,
  SIGNAL,
  SLEEP,
  STATE,
  WAKE,
  type Ring,
} from "./ring.ts";
import type { RingWorkerData } from "./ring-worker.ts";
import type { RingWriter } from "./ring-writer.ts";

/** Runs the writing end of a ring. */
export interface RingDriver {
  /** A batch was put into the ring; `used` bytes are in it. */
  pushed(used: number): void;
  /** Something is wanted: `onProgress` is called when it may be there. */
  want(): void;
  /** Nothing is waited for any more. */
  idle(): void;
  /** Blocks until the writer has made progress. Throws WAL_WORKER_LOST when it makes none. */
  block(): void;
  /** Lets go of it, once it has ended. */
  close(): Promise<void>;
}

/** Longest wait without a look around, in ms. */
const SLICE_MS_MAX = 1000;
/**
 * Looks at a silent worker until it is lost. Silence is counted in looks, not by the clock: a process that is stopped, or
 * whose machine sleeps, finds its clock far ahead and its worker as it was.
 */
const LOOKS = 4;
const SILENT = "the log's worker showed no sign of life within drainMsMax";

export interface DriverOptions {
  readonly ring: Ring;
  /** From this many bytes on in the ring, the writer is woken. */
  readonly groupBytesMax: number;
  /** How long a writer may show no sign of life while somebody waits. */
  readonly lostMsMax: number;
  readonly onProgress: () => void;
}

/** Longest time that a worker whose work is done may take to end, in milliseconds. */
const ENDING_MS_MAX = 2000;

/** Runs the writer in a worker. Resolves when the worker runs. */
export async function workerDriver(
  options: DriverOptions,
  data: RingWorkerData,
): Promise<RingDriver> {
  const isSource = import.meta.url.endsWith(".ts");
  const worker = new Worker(
    new URL(isSource ? "./ring-worker.ts" : "./ring-worker.js", import.meta.url),
    {
      workerData: data,
      name: "varve-wal",
      execArgv: isSource ? ["--conditions=@varve/source"] : [],
    },
  );
  const driver = new WorkerDriver(options, worker);
  await driver.started;
  return driver;
}

class WorkerDriver implements RingDriver {
  readonly started: Promise<void>;
  readonly #ring: Ring;
  readonly #options: DriverOptions;
  readonly #worker: Worker;
  #isGone = false;
  readonly #sliceMs: number;
  #watch: NodeJS.Timeout | null = null;
  #beat = -1;
  #silentMs = 0;

  constructor(options: DriverOptions, worker: Worker) {
    this.#options = options;
    this.#ring = options.ring;
    this.#worker = worker;
    this.#sliceMs = Math.max(1, Math.min(SLICE_MS_MAX, options.lostMsMax / LOOKS));
    this.started = new Promise((resolve, reject) => {
      worker.once("message", () => {
        worker.unref();
        resolve();
      });
      worker.once("error", (error) => reject(lostError("the log's worker did not start", error)));
      worker.once("exit", () => reject(lostError("the log's worker did not start")));
    });
    worker.on("message", () => options.onProgress());
    worker.on("error", (error) => this.#lose(lostError("the log's worker failed", error)));
    worker.on("exit", () => {
      this.#isGone = true;
      if (Atomics.load(this.#ring.control, STATE) !== ENDED) {
        this.#lose(lostError("the log's worker ended"));
      }
      options.onProgress();
    });
  }

  pushed(used: number): void {
    const { control } = this.#ring;
    const sleep = Atomics.load(control, SLEEP);
    if (sleep === AWAKE) return;
    if (sleep === IDLE || used >= this.#options.groupBytesMax) this.#wake();
  }

  want(): void {
    Atomics.store(this.#ring.control, NOTIFY, 1);
    this.#worker.ref();
    this.#wake();
    this.#beat = Atomics.load(this.#ring.control, BEAT);
    this.#silentMs = 0;
    this.#watch ??= setInterval(() => this.#look(), this.#sliceMs);
  }

  idle(): void {
    this.#worker.unref();
    if (this.#watch !== null) clearInterval(this.#watch);
    this.#watch = null;
  }

  block(): void {
    const { control } = this.#ring;
    const seen = Atomics.load(control, SIGNAL);
    const beat = Atomics.load(control, BEAT);
    this.#wake();
    for (let silentMs = 0; ;) {
      if (Atomics.wait(control, SIGNAL, seen, this.#sliceMs) !== "timed-out") return;
      if (Atomics.load(control, STATE) === FAILED) return;
      silentMs += this.#sliceMs;
      if (silentMs < this.#options.lostMsMax) continue;
      if (Atomics.load(control, BEAT) !== beat) return;
      const error = lostError(SILENT);
      this.#lose(error);
      throw error;
    }
  }

  async close(): Promise<void> {
    this.idle();
    if (this.#isGone) return;
    const state = Atomics.load(this.#ring.control, STATE);
    // Its loop is over, so it ends by itself. A worker that is torn down in the middle of its end can take the
    // process with it; only one that does not end is terminated.
    const isEnding = state === ENDED || state === FAILED;
    // A worker that is ending keeps no process alive, whatever its `ref` says: timers do.
    await new Promise<void>((resolve) => {
      const terminate = (): void => void this.#worker.terminate().catch(() => undefined);
      const patience = setTimeout(terminate, isEnding ? ENDING_MS_MAX : 0);
      const end = setTimeout(resolve, ENDING_MS_MAX + this.#options.lostMsMax);
      this.#worker.once("exit", () => {
        clearTimeout(patience);
        clearTimeout(end);
        resolve();
      });
    });
  }

  #wake(): void {
    const { control } = this.#ring;
    Atomics.add(control, WAKE, 1);
    Atomics.notify(control, WAKE);
  }

  /** A commit waits for longer than the limit: is the worker alive? */
  #look(): void {
    const beat = Atomics.load(this.#ring.control, BEAT);
    this.#silentMs = beat === this.#beat ? this.#silentMs + this.#sliceMs : 0;
    this.#beat = beat;
    if (this.#silentMs >= this.#options.lostMsMax) this.#lose(lostError(SILENT));
  }

  #lose(error: StorageError): void {
    const { control } = this.#ring;
    if (Atomics.load(control, STATE) !== FAILED && Atomics.load(control, STATE) !== ENDED) {
      this.#ring.tell(error);
      Atomics.store(control, STATE, FAILED);
    }
    this.#options.onProgress();
  }
}

/** Runs the writer on the caller's thread, between the calls: for disks that only this thread can see. */
export function inlineDriver(
  options: DriverOptions,
  writer: RingWriter,
  delayMsMax: number,
): RingDriver {
  return new InlineDriver(options, writer, delayMsMax);
}

class InlineDriver implements RingDriver {
  readonly #options: DriverOptions;
  readonly #writer: RingWriter;
  readonly #delayMsMax: number;
  #timer: NodeJS.Timeout | null = null;
  #immediate: NodeJS.Immediate | null = null;

  constructor(options: DriverOptions, writer: RingWriter, delayMsMax: number) {
    this.#options = options;
    this.#writer = writer;
    this.#delayMsMax = delayMsMax;
  }

  pushed(used: number): void {
    if (used >= this.#options.groupBytesMax) this.block();
    else if (this.#timer === null) this.#arm(this.#delayMsMax);
  }

  want(): void {
    this.#immediate ??= setImmediate(() => {
      this.#immediate = null;
      this.#turn();
    });
  }

  idle(): void {
    // An immediate that has nothing to do does nothing.
  }

  block(): void {
    if (this.#writer.isEnded) return;
    const delayMs = this.#writer.step(performance.now());
    if (this.#timer === null && delayMs !== Number.POSITIVE_INFINITY) this.#arm(delayMs);
  }

  async close(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#immediate !== null) clearImmediate(this.#immediate);
    if (!this.#writer.isEnded) this.#writer.abandon();
  }

  #arm(delayMs: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#turn();
    }, delayMs);
    this.#timer.unref();
  }

  #turn(): void {
    try {
      this.block();
    } catch {
      // The writer told the ring, which is where callers learn of it.
    }
    this.#options.onProgress();
  }
}
