import type { Lsn } from "@varve/contracts";
import { PLACE_SPAN } from "./format.ts";

/**
 * What chunks found at open count as in the order of Lsns: they hold the durable Lsn at 0 until a mark of this
 * life is synced, because the one that was found may be in the kernel's cache only.
 */
const FOUND_LSN: Lsn = 1;
/** No mark of this life. */
const NOTHING = -1;

/** Chunks synced between two commits of the log: where they end, and the lowest Lsn that brought a first sample. */
interface Step {
  until: number;
  lsn: Lsn;
}

/** A mark of this life: where the write that carries it ends, and the place that it states. */
interface Mark {
  readonly end: number;
  readonly states: number;
}

/**
 * How far `sealed/` counts: a place is synced, then trusted once the log that brought all before it is durable too,
 * then recoverable once a synced mark states it. Only then may the log be cut.
 *
 * Synced chunks that are not recoverable are remembered as a few steps, so that any number of them costs nothing.
 */
export class Trust {
  /** All before this place is synced, and durable in the log: what the next mark states. */
  trusted: number;
  /** What the last mark states; -1 before the first of this life. */
  stated = NOTHING;
  /** What the last synced mark states. */
  #recoverable = NOTHING;
  /** Where the last synced mark ends. */
  #toldEnd = 0;
  /** The trusted place that was found at open. */
  readonly #found: number;
  /** A commit of the log was asked for up to here. */
  #asked: number;
  /** Both oldest first. */
  readonly #steps: Step[] = [];
  readonly #marks: Mark[] = [];

  constructor(trusted: number, hasChunks: boolean) {
    this.trusted = trusted;
    this.#found = trusted;
    this.#asked = trusted;
    if (hasChunks) this.#steps.push({ until: trusted, lsn: FOUND_LSN });
  }

  /** A mark of this life is synced: what others stated is no longer needed. */
  get isTold(): boolean {
    return this.#recoverable !== NOTHING;
  }

  /** The file that holds the last synced mark: what files before it state is no longer needed. 0 without one. */
  get toldFile(): number {
    return Math.floor(this.#toldEnd / PLACE_SPAN);
  }

  /** The next opening would find less than what is trusted. */
  get isBehind(): boolean {
    return this.trusted > Math.max(this.#recoverable, this.#found);
  }

  /** The lowest Lsn of the chunks that are synced and not recoverable; infinite when there are none. */
  get heldLsn(): Lsn {
    return this.#steps.reduce((least, { lsn }) => Math.min(least, lsn), Number.POSITIVE_INFINITY);
  }

  /** Takes in a synced chunk; `durable` is the synced place, beyond it. */
  hold(lsn: Lsn, durable: number): void {
    const last = this.#steps.at(-1);
    if (last === undefined || last.until <= this.#asked) {
      this.#steps.push({ until: durable, lsn });
      return;
    }
    last.until = durable;
    last.lsn = Math.min(last.lsn, lsn);
  }

  /** The place that a commit of the log, called next, makes trusted. Chunks synced from now on wait for another. */
  ask(): number {
    this.#asked = this.#steps.at(-1)?.until ?? this.trusted;
    return this.#asked;
  }

  /** That commit is done. */
  commit(place: number): void {
    this.trusted = Math.max(this.trusted, place);
  }

  /** Whether a mark is all that keeps chunks of batches below `lsn` from being recoverable. */
  owes(lsn: Lsn): boolean {
    return this.#steps.some((step) => step.until <= this.trusted && step.lsn < lsn);
  }

  /** A mark that states the trusted place was written before `end`. */
  mark(end: number): void {
    if (this.stated === this.trusted) return;
    this.stated = this.trusted;
    this.#marks.push({ end, states: this.trusted });
  }

  /** All before `durable` is synced, marks too. */
  settle(durable: number): void {
    while (this.#marks.length > 0 && this.#marks[0]!.end <= durable) {
      const mark = this.#marks.shift()!;
      this.#recoverable = mark.states;
      this.#toldEnd = mark.end;
    }
    while (this.#steps.length > 0 && this.#steps[0]!.until <= this.#recoverable) {
      this.#steps.shift();
    }
  }

  /** A sync has failed: marks that it was for are in doubt. */
  lose(): void {
    this.#marks.length = 0;
    this.stated = this.#recoverable;
  }
}
