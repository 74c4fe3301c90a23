import type { Memory } from "@varve/contracts";

/** Memory that is touched between two looks at the clock, in bytes. */
const STEP_BYTES = 128 * 1024;
/** Time that one turn may take, in milliseconds: the first touch of a page costs 3 µs, and several times that on a busy machine. */
const TURN_MS = 2;

/**
 * Keeps fresh memory resident ahead of whoever takes it, in turns of a few milliseconds: touching 8 MiB at once would hold
 * the event loop for up to 25.
 */
export class Prefault {
  readonly #memory: Memory;
  readonly #bytes: number;
  #next: NodeJS.Immediate | null = null;

  /** `bytes` is how far ahead. */
  constructor(memory: Memory, bytes: number) {
    this.#memory = memory;
    this.#bytes = bytes;
  }

  /** Begins to touch what is missing, unless that is under way. The first turn is now. */
  begin(): void {
    if (this.#next === null) this.#turn();
  }

  /** Leaves the rest as it is. */
  stop(): void {
    if (this.#next !== null) clearImmediate(this.#next);
    this.#next = null;
  }

  #turn(): void {
    this.#next = null;
    const untilMs = performance.now() + TURN_MS;
    for (let ahead = 0; ahead < this.#bytes;) {
      ahead = Math.min(this.#bytes, ahead + STEP_BYTES); // What was touched before costs nothing.
      this.#memory.prefault(ahead);
      if (ahead < this.#bytes && performance.now() >= untilMs) {
        this.#next = setImmediate(() => this.#turn());
        this.#next.unref();
        return;
      }
    }
  }
}
