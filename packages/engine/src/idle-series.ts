import { isStorageError, type Lsn, type SeriesRef } from "@varve/contracts";
import type { Parts } from "./parts.ts";
import type { PinCount } from "./pin-count.ts";
import type { RefSet } from "./ref-set.ts";
import type { Writer } from "./writer.ts";

/** Refs that are looked at between two looks at the clock, and series that are dropped at once. */
const REFS_PER_LOOK = 512;

/**
 * Drops series that have no samples outside of blocks from index, postings and block manager, in slices. Their refs
 * never return: if such a series comes again, it is new.
 *
 * A series may go once the log holds no sample of it: otherwise the next opening would find samples that nobody names. So
 * a pass begins when the log has been cut, and takes the series whose samples had all come before the cut.
 */
export class IdleSeries {
  /** Series dropped since open. */
  dropped = 0;
  readonly #parts: Parts;
  readonly #logged: RefSet;
  readonly #writer: Writer;
  readonly #pins: PinCount;
  readonly #found = new Uint32Array(REFS_PER_LOOK);
  /** The log holds no batch up to this one. */
  #cutLsn: Lsn = 0;
  /** The next ref of the pass under way; 0 between passes. */
  #next: SeriesRef = 0;

  constructor(parts: Parts, logged: RefSet, writer: Writer, pins: PinCount) {
    this.#parts = parts;
    this.#logged = logged;
    this.#writer = writer;
    this.#pins = pins;
  }

  /** The log has been cut, or samples have gone to blocks: a pass begins. */
  begin(cutLsn = this.#cutLsn): void {
    this.#cutLsn = cutLsn;
    if (cutLsn > 0) this.#next = 1;
  }

  /** Goes on with the pass until the time is over. */
  sweep(untilMs: number): void {
    const { index, blocks } = this.#parts;
    if (this.#next === 0 || this.#pins.isHeld || !this.#closeBatch()) return;
    while (this.#next > 0) {
      const until = Math.min(index.nextRef, this.#next + REFS_PER_LOOK);
      let count = 0;
      for (let ref = this.#next; ref < until; ref += 1) {
        if (index.keyBytes(ref) === 0 || blocks.idleLsn(ref) > this.#cutLsn) continue;
        this.#found[count] = ref;
        count += 1;
      }
      if (count > 0) this.#drop(count);
      this.#next = until < index.nextRef ? until : 0;
      if (performance.now() >= untilMs) return;
    }
  }

  #drop(count: number): void {
    const { index, postings, blocks } = this.#parts;
    for (let i = 0; i < count; i += 1) this.#logged.delete(this.#found[i]!);
    postings.drop(this.#found, count);
    index.drop(this.#found, count);
    blocks.forget(this.#found, count);
    this.dropped += count;
  }

  /** Rows that wait would bring samples to series that look empty. */
  #closeBatch(): boolean {
    try {
      this.#writer.close();
      return true;
    } catch (error) {
      if (!isStorageError(error)) throw error;
      return false;
    }
  }
}
