/** Chunks that began in one window of time, and those of them that are not synced. */
interface Window {
  readonly start: number;
  chunks: number;
  unsettled: number;
}

/** Counts chunks by the window in which they begin, so that nobody has to search for the oldest. */
export class Windows {
  readonly durationMs: number;
  /** By start. There are few: those that are not cut. */
  readonly #windows = new Map<number, Window>();
  #last: Window = { start: Number.NaN, chunks: 0, unsettled: 0 };

  constructor(durationMs: number) {
    this.durationMs = durationMs;
  }

  /** A chunk opens with a sample of this time. */
  opened(time: number): void {
    const window = this.#of(time);
    window.chunks += 1;
    window.unsettled += 1;
  }

  /** A chunk that began at this time is synced. */
  settled(time: number): void {
    this.#of(time).unsettled -= 1;
  }

  /** A chunk that began at this time is in a block, and gone from here. */
  released(time: number): void {
    const window = this.#of(time);
    window.chunks -= 1;
    if (window.chunks > 0) return;
    this.#windows.delete(window.start);
    this.#last = { start: Number.NaN, chunks: 0, unsettled: 0 };
  }

  /** Where the oldest window begins that has a chunk and ends after a time; infinite without any. */
  oldestAfter(time: number): number {
    let oldest = Number.POSITIVE_INFINITY;
    for (const start of this.#windows.keys()) {
      if (start + this.durationMs > time && start < oldest) oldest = start;
    }
    return oldest;
  }

  /** Chunks that begin before this time and are not synced; the time is a window's start. */
  unsettledBefore(time: number): number {
    let count = 0;
    for (const { start, unsettled } of this.#windows.values()) if (start < time) count += unsettled;
    return count;
  }

  #of(time: number): Window {
    const last = this.#last;
    if (time >= last.start && time < last.start + this.durationMs) return last;
    const start = startOfWindow(time, this.durationMs);
    let window = this.#windows.get(start);
    if (window === undefined) {
      window = { start, chunks: 0, unsettled: 0 };
      this.#windows.set(start, window);
    }
    this.#last = window;
    return window;
  }
}

/** Where the window begins that holds a time, aligned to the epoch; also below zero. */
export function startOfWindow(time: number, durationMs: number): number {
  return Math.floor(time / durationMs) * durationMs;
}
