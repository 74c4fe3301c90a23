import { createHistogram, type RecordableHistogram } from "node:perf_hooks";

/** `off` reads no clock; `sampled` times some calls; `full` times all. */
export type TimingMode = "off" | "sampled" | "full";

/** The phases of a write, in the order of its path. The first collects what no other phase claims. */
export const PHASES = [
  "unattributed",
  "encode key",
  "lock wait",
  "lock hold",
  "hash",
  "find",
  "limits",
  "insert",
  "admit",
  "encode record",
  "wal write",
  "wal sync",
  "append",
  "postings",
  "allocate",
  "seal",
  "persist",
] as const;

export type PhaseName = (typeof PHASES)[number];

/** One phase's share of the rows that were timed. */
export interface PhaseReport {
  readonly name: PhaseName;
  /** Mean time a row, the clock's own cost taken off, in nanoseconds. */
  readonly nsPerRow: number;
  /** Calls that were timed. */
  readonly calls: number;
  /** Time of one call, in nanoseconds, from its histogram. */
  readonly callNs: { readonly p50: number; readonly p99: number; readonly max: number };
}

/** What the phases of timed rows cost. */
export interface TimingReport {
  readonly mode: TimingMode;
  /** Mean cost of reading the clock once, measured at the beginning of every timed scope, in nanoseconds. */
  readonly clockNs: number;
  /** Rows whose placing was timed, and rows of the closings that were timed. */
  readonly rowsPlaced: number;
  readonly rowsClosed: number;
  readonly phases: readonly PhaseReport[];
}

/** Of single writes, one in this many is timed: a prime, so that it meets every row of an open batch in turn. */
const PLACE_EVERY = 61;
/** Of closings of the open batch, one in this many is timed. */
const CLOSE_EVERY = 7;
const DEPTH_MAX = 16;
const PHASE_INDEX = new Map<PhaseName, number>(PHASES.map((name, i) => [name, i]));

/** The number of a phase, for `enter`. */
export function phase(name: PhaseName): number {
  return PHASE_INDEX.get(name)!;
}

/**
 * Charges time to phases, exclusively: while a nested phase runs, the outer one stands still.
 *
 * Timing happens inside a scope, which the engine opens around the placing of rows or the closing of a
 * batch; outside a scope, or in one that is not sampled, `active` is false and nothing reads the clock.
 */
export class PhaseClock {
  readonly mode: TimingMode;
  /** Decorators look here first. */
  active = false;
  #placeCount = 0;
  #closeCount = 0;
  #rowsPlaced = 0;
  #rowsClosed = 0;
  #closing = 0;
  #depth = 0;
  /** Readings of the clock that measured the clock, and what they took. */
  #reads = 0;
  #readNs = 0;
  #last = 0;
  readonly #stack = new Int32Array(DEPTH_MAX);
  readonly #spent = new Float64Array(DEPTH_MAX);
  /** Nanoseconds by scope (placing, closing) and phase. */
  readonly #total = new Float64Array(2 * PHASES.length);
  readonly #calls = new Float64Array(2 * PHASES.length);
  /** Stretches between two readings, each of which holds the cost of one. */
  readonly #stretches = new Float64Array(2 * PHASES.length);
  readonly #histograms: RecordableHistogram[] = PHASES.map(() => createHistogram());

  constructor(mode: TimingMode) {
    this.mode = mode;
  }

  /** What a reading costs where it is made: in a rare sample its code is colder than in a loop of readings. */
  get clockNs(): number {
    return this.#reads === 0 ? 0 : this.#readNs / this.#reads;
  }

  /** Opens the scope of placing `rows` rows: finding, checking, accepting. */
  beginPlacing(rows: number): void {
    this.active = false; // A call that threw may have left its scope open.
    this.#placeCount += 1;
    if (this.mode === "sampled" && rows === 1 && this.#placeCount % PLACE_EVERY !== 0) return;
    this.#rowsPlaced += rows;
    this.#begin(0);
  }

  /** Opens the scope of encoding a row of a batch; the rows are counted when the batch is placed. */
  beginEncoding(): void {
    this.#begin(0);
  }

  /** Opens the scope of logging and applying `rows` rows. */
  beginClosing(rows: number): void {
    this.active = false;
    this.#closeCount += 1;
    if (this.mode === "sampled" && this.#closeCount % CLOSE_EVERY !== 0) return;
    this.#rowsClosed += rows;
    this.#begin(1);
  }

  /** Ends the open scope. */
  end(): void {
    if (!this.active) return;
    while (this.#depth > 0) this.leave();
    this.active = false;
  }

  enter(phaseIndex: number): void {
    const now = nowNs();
    if (this.#depth > 0) this.#charge(now);
    this.#stack[this.#depth] = phaseIndex;
    this.#spent[this.#depth] = 0;
    this.#depth += 1;
    this.#last = nowNs();
  }

  leave(): void {
    this.#charge(nowNs());
    this.#depth -= 1;
    const index = this.#stack[this.#depth]!;
    const spent = this.#spent[this.#depth]!;
    const slot = this.#closing * PHASES.length + index;
    this.#total[slot]! += spent;
    this.#calls[slot]! += 1;
    this.#histograms[index]!.record(Math.max(1, Math.round(spent)));
    this.#last = nowNs();
  }

  /** Forgets what was timed so far. */
  reset(): void {
    this.#total.fill(0);
    this.#calls.fill(0);
    this.#stretches.fill(0);
    this.#reads = 0;
    this.#readNs = 0;
    this.#rowsPlaced = 0;
    this.#rowsClosed = 0;
    for (const histogram of this.#histograms) histogram.reset();
  }

  report(): TimingReport {
    const phases = PHASES.map((name, i): PhaseReport => {
      const histogram = this.#histograms[i]!;
      const empty = histogram.count === 0;
      return {
        name,
        nsPerRow:
          perRow(this.#net(i), this.#rowsPlaced) +
          perRow(this.#net(PHASES.length + i), this.#rowsClosed),
        calls: this.#calls[i]! + this.#calls[PHASES.length + i]!,
        callNs: empty
          ? { p50: 0, p99: 0, max: 0 }
          : { p50: histogram.percentile(50), p99: histogram.percentile(99), max: histogram.max },
      };
    });
    return {
      mode: this.mode,
      clockNs: this.clockNs,
      rowsPlaced: this.#rowsPlaced,
      rowsClosed: this.#rowsClosed,
      phases,
    };
  }

  #begin(closing: number): void {
    this.active = true;
    this.#closing = closing;
    this.#depth = 0;
    const start = nowNs();
    this.#readNs += nowNs() - start;
    this.#reads += 1;
    this.enter(0);
  }

  /** Charges the stretch since the last reading to the innermost phase. */
  #charge(now: number): void {
    const inner = this.#depth - 1;
    this.#spent[inner]! += now - this.#last;
    this.#stretches[this.#closing * PHASES.length + this.#stack[inner]!]! += 1;
  }

  /** What a phase took without the clock. */
  #net(slot: number): number {
    return Math.max(0, this.#total[slot]! - this.#stretches[slot]! * this.clockNs);
  }
}

function perRow(total: number, rows: number): number {
  return rows === 0 ? 0 : total / rows;
}

function nowNs(): number {
  return performance.now() * 1e6;
}
