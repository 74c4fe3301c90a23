import { PerformanceObserver, type PerformanceEntry } from "node:perf_hooks";
import { setImmediate as turn } from "node:timers/promises";
import { GCProfiler, getHeapStatistics } from "node:v8";

/** Counts garbage collections. Node reports them a turn of the event loop later. */
export class GcWatch implements Disposable {
  readonly #entries: PerformanceEntry[] = [];
  readonly #observer = new PerformanceObserver((list) => this.#entries.push(...list.getEntries()));

  constructor() {
    this.#observer.observe({ entryTypes: ["gc"] });
  }

  /** The collections that began at `from` or later and before `until`, both as `performance.now()` tells them. */
  async between(from: number, until: number): Promise<{ count: number; ms: number }> {
    await turn();
    await turn();
    this.#entries.push(...this.#observer.takeRecords());
    const inside = this.#entries.filter(({ startTime }) => startTime >= from && startTime < until);
    this.#entries.length = 0;
    return { count: inside.length, ms: inside.reduce((sum, { duration }) => sum + duration, 0) };
  }

  [Symbol.dispose](): void {
    this.#observer.disconnect();
  }
}

/** Runs `work` and returns the bytes that it allocated on the JavaScript heap, what was collected meanwhile included. */
export async function heapBytesOf(work: () => Promise<void>): Promise<number> {
  const profiler = new GCProfiler();
  profiler.start();
  const before = getHeapStatistics().used_heap_size;
  await work();
  const after = getHeapStatistics().used_heap_size;
  let freed = 0;
  for (const { beforeGC, afterGC } of profiler.stop()?.statistics ?? []) {
    freed += beforeGC.heapStatistics.usedHeapSize - afterGC.heapStatistics.usedHeapSize;
  }
  return Math.max(0, after - before + freed);
}
