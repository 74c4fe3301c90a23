/** A moment between pins: what was retired at it is free once every pin that was taken before is given back. */
export type Stamp = number;

/**
 * Counts who may still look at what is going away. Taking and giving back cost a map operation; retiring costs
 * nothing, and no reader ever waits.
 */
export class Pins {
  /** Pins by the epoch in which they were taken, oldest first: entries are only ever added at the end. */
  readonly #counts = new Map<number, number>();
  #epoch = 0;

  /** Whether any pin is held. */
  get isHeld(): boolean {
    return this.#counts.size > 0;
  }

  /** Takes a pin; the answer is for `give`. */
  take(): number {
    this.#counts.set(this.#epoch, (this.#counts.get(this.#epoch) ?? 0) + 1);
    return this.#epoch;
  }

  give(epoch: number): void {
    const count = this.#counts.get(epoch)!;
    if (count > 1) this.#counts.set(epoch, count - 1);
    else this.#counts.delete(epoch);
  }

  /** The moment now: pins taken from here on do not reach what is retired. */
  stamp(): Stamp {
    this.#epoch += 1;
    return this.#epoch;
  }

  /** Whether no pin is left from before the moment. */
  isFree(stamp: Stamp): boolean {
    for (const epoch of this.#counts.keys()) return epoch >= stamp;
    return true;
  }
}
