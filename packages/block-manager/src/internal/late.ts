import type { Lsn, RowStatus, SampleColumns, SeriesRef } from "@varve/contracts";
import { LATE } from "@varve/contracts";
import { LateSamples } from "./late-samples.ts";

export interface LateOptions {
  readonly windowMs: number;
  readonly samplesMax: number;
  /** Late rows of batches up to this one are in blocks. */
  readonly storedLsn: Lsn;
}

/**
 * Late samples outside of blocks: those that come now, and those that a cut has frozen and is writing to blocks.
 * Both are seen, until the frozen ones are in blocks.
 */
export class Late {
  /** Rows that are admitted and not applied. */
  waiting = 0;
  /** How far behind the newest sample a row may be; negative for never. */
  readonly windowMs: number;
  /** Late rows of batches up to this one are in blocks. */
  storedLsn: Lsn;
  frozen: LateSamples | null = null;
  readonly #samplesMax: number;
  #live = new LateSamples();

  constructor(options: LateOptions) {
    this.windowMs = options.windowMs > 0 ? options.windowMs : -1;
    this.#samplesMax = options.samplesMax;
    this.storedLsn = options.storedLsn;
  }

  get count(): number {
    return this.#live.count + (this.frozen?.count ?? 0);
  }

  get isFull(): boolean {
    return this.count + this.waiting >= this.#samplesMax;
  }

  /** Enough to cut blocks for. */
  get isMany(): boolean {
    return this.frozen === null && this.#live.count >= this.#samplesMax / 2;
  }

  /** The batch that brought the first late sample that is not in a block; infinite without any. */
  get firstLsn(): Lsn {
    return Math.min(this.#live.firstLsn, this.frozen?.firstLsn ?? Number.POSITIVE_INFINITY);
  }

  has(ref: SeriesRef): boolean {
    return this.#live.has(ref) || this.frozen?.has(ref) === true;
  }

  decide(ref: SeriesRef, time: number, low: number, high: number): RowStatus {
    const status = this.frozen?.decide(ref, time, low, high) ?? LATE;
    return status === LATE ? this.#live.decide(ref, time, low, high) : status;
  }

  add(ref: SeriesRef, time: number, low: number, high: number, lsn: Lsn): void {
    this.#live.add(ref, time, low, high, lsn);
  }

  /** Deletes samples. Nothing is frozen: deletions wait for a cut under way. */
  remove(ref: SeriesRef, minTime: number, maxTime: number): void {
    this.#live.remove(ref, minTime, maxTime);
  }

  /** A copy of what a series has, which no later sample shows in; undefined when there is none. */
  snapshot(ref: SeriesRef): SampleColumns | undefined {
    const live = this.#live.snapshot(ref);
    if (this.frozen === null) return live;
    const both = new LateSamples();
    both.addOf(this.frozen, ref);
    both.addOf(this.#live, ref);
    return both.snapshot(ref);
  }

  /** Puts all that came so far apart, to be written to blocks. */
  freeze(): LateSamples {
    this.frozen = this.#live;
    this.#live = new LateSamples();
    return this.frozen;
  }

  /** The frozen samples of batches up to `lsn` are in blocks. */
  settle(lsn: Lsn): void {
    this.frozen = null;
    this.storedLsn = lsn;
  }

  /** They are not: they come again. */
  thaw(): void {
    const { frozen } = this;
    this.frozen = null;
    if (frozen === null) return;
    frozen.addAll(this.#live);
    this.#live = frozen;
  }
}
