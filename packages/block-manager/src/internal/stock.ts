import type { Allocator, Region } from "@varve/contracts";
import { Ring } from "./ring.ts";

/** Regions of the first size, ready for chunks to come: what makes `append` unable to fail. */
export class Stock {
  refills = 0;
  refillsAhead = 0;
  readonly #regions = new Ring();
  readonly #allocator: Allocator;
  readonly #bytes: number;
  readonly #perRefill: number;
  #into: Uint32Array;

  constructor(allocator: Allocator, bytes: number, perRefill: number) {
    this.#allocator = allocator;
    this.#bytes = bytes;
    this.#perRefill = perRefill;
    this.#into = new Uint32Array(perRefill);
  }

  get length(): number {
    return this.#regions.length;
  }

  /** Takes a region. There must be one. */
  take(): Region {
    return this.#regions.pop();
  }

  /** Brings regions while a writer waits; answers false when the allocator has none. */
  refill(): boolean {
    this.refills += 1;
    return this.#acquire(this.#perRefill) > 0;
  }

  /** Brings what is missing to `count`, as far as the allocator has it. */
  stockUp(count: number): void {
    const missing = count - this.#regions.length;
    if (missing <= 0) return;
    this.refillsAhead += 1;
    this.#acquire(missing);
  }

  release(): void {
    while (this.#regions.length > 0) this.#allocator.release(this.#regions.pop());
  }

  #acquire(count: number): number {
    if (count === 1) {
      const region = this.#allocator.acquire(this.#bytes);
      if (region === 0) return 0;
      this.#regions.push(region);
      return 1;
    }
    if (this.#into.length < count) this.#into = new Uint32Array(count);
    const got = this.#allocator.acquireMany(this.#bytes, count, this.#into);
    for (let i = 0; i < got; i += 1) this.#regions.push(this.#into[i]!);
    return got;
  }
}
