import type { Lsn } from "@varve/contracts";
import { fileOf } from "./format.ts";

/**
 * What chunks found at open count as in the order of Lsns: they hold the durable Lsn at 0 until a mark of this
 * life is synced, because the one that was found may be in the kernel's cache only.
 */
const FOUND_LSN: Lsn = 1;
/** No mark of this life, and no file. */
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

/** The last synced mark of a file. */
interface Witness {
  readonly file: number;
  readonly states: number;
}

const NO_WITNESS: Witness = { file: 0, states: NOTHING };

/**
 * How far `sealed/` counts: a place is synced, then trusted once the log that brought all before it is durable too,
 * then recoverable once synced marks of two files state it. Only then may the log be cut: what one mark alone
 * states is lost with that mark, and nothing would tell that it ever counted.
 *
 * Synced chunks that are not recoverable are remembered as a few steps, so that any number of them costs nothing.
 */
export class Trust {
  /** All before this place is synced, and durable in the log: what the next mark states. */
  trusted: number;
  /** What the last mark states; -1 before the first of this life. */
  stated = NOTHING;
  /** The file of the last mark, and whether the one before it states the same. */
  #statedFile = NOTHING;
  #isRepeated = false;
  /** The last synced marks of the last two files that have any: the earlier one states no more than the later one. */
  #earlier = NO_WITNESS;
  #later = NO_WITNESS;
  /** The trusted place that was found at open, and whether damage to one file could hide it. */
  readonly #found: number;
  readonly #isFoundFrail: boolean;
  /** A commit of the log was asked for up to here. */
  #asked: number;
  /** Both oldest first. */
  readonly #steps: Step[] = [];
  readonly #marks: Mark[] = [];

  /** `witnesses` counts the files whose marks state the trusted place that was found. */
  constructor(trusted: number, hasChunks: boolean, witnesses: number) {
    this.trusted = trusted;
    this.#found = trusted;
    this.#isFoundFrail = hasChunks && witnesses < 2;
    this.#asked = trusted;
    if (hasChunks) this.#steps.push({ until: trusted, lsn: FOUND_LSN });
  }

  /** Marks of two files of this life are synced: what others stated is no longer needed. */
  get isTold(): boolean {
    return this.#earlier !== NO_WITNESS;
  }

  /** What files before this one state is no longer needed: it and a later one hold synced marks. 0 without them. */
  get toldFile(): number {
    return this.#earlier.file;
  }

  /** The next opening would find less than what is trusted. */
  get isBehind(): boolean {
    return this.trusted > Math.max(this.#later.states, this.#found);
  }

  /** Damage to one file could hide from the next opening that all before the trusted place counts. */
  get isFrail(): boolean {
    if (this.#earlier.states >= this.trusted) return false;
    return this.#isFoundFrail || this.trusted > this.#found;
  }

  /** Marks of two files state the trusted place, synced or not. */
  get isRepeated(): boolean {
    return this.#isRepeated && this.stated === this.trusted;
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

  /** Whether marks are all that keeps chunks of batches below `lsn` from being recoverable. */
  owes(lsn: Lsn): boolean {
    return this.#steps.some((step) => step.until <= this.trusted && step.lsn < lsn);
  }

  /** A mark that states the trusted place was written before `end`, to the same file. */
  mark(end: number): void {
    const file = fileOf(end);
    this.#isRepeated =
      this.stated === this.trusted && (this.#isRepeated || this.#statedFile !== file);
    this.#statedFile = file;
    this.stated = this.trusted;
    this.#marks.push({ end, states: this.trusted });
  }

  /** All before `durable` is synced, marks too. */
  settle(durable: number): void {
    while (this.#marks.length > 0 && this.#marks[0]!.end <= durable) {
      const { end, states } = this.#marks.shift()!;
      const file = fileOf(end);
      if (file !== this.#later.file && this.#later !== NO_WITNESS) this.#earlier = this.#later;
      this.#later = { file, states };
    }
    while (this.#steps.length > 0 && this.#steps[0]!.until <= this.#earlier.states) {
      this.#steps.shift();
    }
  }

  /** A sync has failed: marks that it was for are in doubt. */
  lose(): void {
    this.#marks.length = 0;
    this.stated = NOTHING;
    this.#isRepeated = false;
  }
}
