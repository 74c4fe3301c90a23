import type { SeriesKeys } from "@varve/contracts";
import { RefBits } from "./ref-bits.ts";
import type { LabelLists } from "./label-lists.ts";
import { Sweep } from "./sweep.ts";

/** A sweep begins when this many dropped series would make up the listed ones: it costs each drop a few re-listings. */
const SWEEP_FRACTION = 4;

/** Swept series that one step strikes off. */
const STRUCK_PER_STEP = 4096;

/** Which series are in the lists, which of them are gone, and the sweep that takes those out. */
export class Membership {
  /** Series that are in the lists. */
  readonly listed = new RefBits();
  readonly #keys: SeriesKeys;
  readonly #lists: LabelLists;
  /** Series that are in the lists and were dropped. */
  #gone = new RefBits();
  /** Series that were dropped before they were listed, and whose keys are not gone yet: they are never listed. */
  readonly #going = new RefBits();
  #sweep: Sweep | null = null;
  /** The sweep has been through all lists, and its series are being struck off. */
  #isStriking = false;

  constructor(keys: SeriesKeys, lists: LabelLists) {
    this.#keys = keys;
    this.#lists = lists;
  }

  get bytes(): number {
    const swept = this.#sweep?.gone.bytes ?? 0;
    return this.listed.bytes + this.#gone.bytes + this.#going.bytes + swept;
  }

  /** Whether a series may be put into the lists: it is not there, and was not dropped. Says that it is there now. */
  enlist(ref: number): boolean {
    if (this.#going.count > 0 && this.#going.has(ref)) return false;
    return this.listed.add(ref);
  }

  drop(ref: number): void {
    if (this.listed.has(ref)) {
      if (this.#sweep?.gone.has(ref) !== true) this.#gone.add(ref);
    } else if (this.#keys.keyBytes(ref) > 0) {
      this.#going.add(ref);
    }
  }

  /** Whether a listed series may be in an answer. One whose key went without a word counts as dropped. */
  isAlive(ref: number): boolean {
    if (this.#gone.count > 0 && this.#gone.has(ref)) return false;
    if (this.#sweep !== null && this.#sweep.gone.has(ref)) return false;
    if (this.#keys.keyBytes(ref) > 0) return true;
    this.#gone.add(ref);
    return false;
  }

  /** Keeps of refs[0 … count) those that are alive, in place. Returns how many. */
  keepAlive(refs: Uint32Array, count: number): number {
    let kept = 0;
    for (let i = 0; i < count; i += 1) {
      const ref = refs[i]!;
      if (this.isAlive(ref)) refs[kept++] = ref;
    }
    return kept;
  }

  /** Forgets dropped series that never were in a list and that nobody can find any more. */
  forgetUnlisted(): void {
    const going = this.#going;
    for (let ref = going.next(1); ref !== 0; ref = going.next(ref + 1)) {
      if (this.#keys.keyBytes(ref) === 0) going.delete(ref);
    }
  }

  /** Does a piece of sweeping. False when there is none to do. */
  sweepStep(): boolean {
    if (this.#sweep === null) {
      if (this.#gone.count * SWEEP_FRACTION <= this.listed.count) return false;
      this.#sweep = new Sweep(this.#lists, this.#gone);
      this.#gone = new RefBits();
    }
    if (!this.#isStriking) this.#isStriking = !this.#sweep.step();
    else if (!this.#strike(this.#sweep.gone)) {
      this.#isStriking = false;
      this.#sweep = null;
    }
    return true;
  }

  /** Strikes some swept series off. False when there are none left. */
  #strike(gone: RefBits): boolean {
    let ref = gone.next(1);
    for (let i = 0; i < STRUCK_PER_STEP && ref !== 0; i += 1) {
      gone.delete(ref);
      this.listed.delete(ref);
      if (this.#keys.keyBytes(ref) > 0) this.#going.add(ref);
      ref = gone.next(ref + 1);
    }
    return ref !== 0;
  }
}
