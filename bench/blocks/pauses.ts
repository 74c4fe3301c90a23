import { monitorEventLoopDelay, PerformanceObserver } from "node:perf_hooks";

/** How long the event loop kept a timer of one millisecond waiting, in milliseconds. */
export interface Pauses {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly maxMs: number;
  /** Most time that this thread computed between two turns, in milliseconds: without what others took from it. */
  readonly computedMaxMs: number;
  /** Longest collection of garbage: it is part of a pause. */
  readonly gcMaxMs: number;
  /** Longest call that wrote a batch: the caller's own work, and part of a pause. */
  readonly writeMaxMs: number;
}

const RESOLUTION_MS = 1;

/** Watches the event loop from its making on. */
export class PauseWatch {
  /** For the writer to tell. */
  writeMaxMs = 0;
  readonly #histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  readonly #observer: PerformanceObserver;
  readonly #timer: NodeJS.Timeout;
  #gcMaxMs = 0;
  #computedMaxMs = 0;
  #computed = threadMs();

  constructor() {
    this.#observer = new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) {
        this.#gcMaxMs = Math.max(this.#gcMaxMs, duration);
      }
    });
    this.#observer.observe({ entryTypes: ["gc"] });
    this.#histogram.enable();
    this.#timer = setInterval(() => this.#tick(), RESOLUTION_MS);
    this.#timer.unref();
  }

  /** Ends the watching. */
  stop(): Pauses {
    this.#histogram.disable();
    this.#observer.disconnect();
    clearInterval(this.#timer);
    this.#tick();
    const at = (percent: number): number =>
      Math.max(0, this.#histogram.percentile(percent) / 1e6 - RESOLUTION_MS);
    return {
      p50Ms: at(50),
      p99Ms: at(99),
      p999Ms: at(99.9),
      maxMs: Math.max(0, this.#histogram.max / 1e6 - RESOLUTION_MS),
      computedMaxMs: this.#computedMaxMs,
      gcMaxMs: this.#gcMaxMs,
      writeMaxMs: this.writeMaxMs,
    };
  }

  #tick(): void {
    const computed = threadMs();
    this.#computedMaxMs = Math.max(this.#computedMaxMs, computed - this.#computed);
    this.#computed = computed;
  }
}

/** Processor time of this thread so far, in milliseconds. */
function threadMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
