import { StorageError, type Pause } from "@varve/contracts";

/** Longest stretch of a job between two turns of the event loop, in milliseconds. */
const STRETCH_MS = 4;

/**
 * Lets a job run while `maintain` grants it time, and holds it when the time is over. However much was granted, the
 * event loop gets a turn every few milliseconds.
 */
export class Pace {
  #untilMs = 0;
  #stretchEnds = 0;
  #held: { readonly go: () => void; readonly end: (error: Error) => void } | null = null;
  #onHold: (() => void) | null = null;
  #isEnded = false;

  /** What the job asks between its pieces. */
  readonly pause: Pause = () => {
    if (performance.now() < this.#stretchEnds) return undefined;
    return this.#rest();
  };

  /** Grants time until `untilMs`, and resolves when the job asks for more. The job runs meanwhile. */
  grant(untilMs: number): Promise<void> {
    const held = new Promise<void>((resolve) => {
      this.#onHold = resolve;
    });
    this.#untilMs = untilMs;
    this.#stretch();
    const job = this.#held;
    this.#held = null;
    job?.go();
    return held;
  }

  /** Ends the job: it fails at its next piece. */
  end(): void {
    this.#isEnded = true;
    this.#stretchEnds = 0;
    this.#held?.end(ended());
    this.#held = null;
  }

  async #rest(): Promise<void> {
    if (this.#isEnded) throw ended();
    if (performance.now() < this.#untilMs) {
      await new Promise((resolve) => setImmediate(resolve));
      if (this.#isEnded) throw ended();
      this.#stretch();
      return;
    }
    await new Promise<void>((resolve, reject) => {
      this.#held = { go: resolve, end: reject };
      this.#onHold?.();
    });
  }

  #stretch(): void {
    this.#stretchEnds = Math.min(this.#untilMs, performance.now() + STRETCH_MS);
  }
}

function ended(): StorageError {
  return new StorageError(
    "ABORTED",
    "the block manager closes: work on blocks ends, and begins anew at the next opening",
  );
}
