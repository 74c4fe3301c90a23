import { setImmediate } from "node:timers/promises";
import { checkSignal } from "../interrupt.ts";

/** Longest stretch between two looks at the signal, in milliseconds. */
const STRETCH_MS = 20;

/** Lets signals and timers have their turn while long work goes on. */
export class Turns {
  readonly #signal: AbortSignal;
  #lastMs = performance.now();

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  /** Undefined while the stretch lasts; afterwards a promise to wait for. It rejects once the signal is aborted. */
  readonly pause = (): Promise<void> | undefined => {
    if (performance.now() - this.#lastMs < STRETCH_MS) return undefined;
    return this.#take();
  };

  async #take(): Promise<void> {
    await setImmediate();
    checkSignal(this.#signal);
    this.#lastMs = performance.now();
  }
}
