import type { Random } from "@varve/bytes";

/** How much is run: `pr` with every `npm test`, `full` for the figures that are published. */
export type Tier = "pr" | "full";

/** What is done to a store. */
export type Kind =
  | "simulatedCrash"
  | "kill"
  | "powerCut"
  | "truncation"
  | "bitFlip"
  | "ioError"
  | "fuzz"
  | "exit"
  | "race"
  | "plantedBug";

/** What a trial found wrong: `lost` what was acknowledged is gone, `wrong` something else is there, `hang` no answer. */
export type Fault = "lost" | "wrong" | "hang";

/** Thrown by a trial that found a promise broken. Anything else that it throws counts as `wrong`. */
export class Broken extends Error {
  readonly fault: Fault;

  constructor(fault: Fault, message: string) {
    super(message);
    this.fault = fault;
  }
}

/** What one trial is given. Whatever it draws comes from `random`, so that a seed brings it back. */
export interface TrialContext {
  readonly tier: Tier;
  readonly seed: number;
  readonly random: Random;
  /** An empty directory on a real file system, removed after the row. */
  readonly dir: string;
}

/** One line of the table: a fault, and how often a store is put through it. */
export interface Row {
  /** Never changes: results and `--only` name it. */
  readonly id: string;
  readonly title: string;
  readonly kind: Kind;
  /** What is counted: `crashes`, `flips`. */
  readonly unit: string;
  /** How much has to be done, in units. */
  readonly count: Readonly<Record<Tier, number>>;
  /** How many trials there are, where they are a list: each is run once, and `count` is what they come to. */
  readonly trials?: Readonly<Record<Tier, number>>;
  /** A trial that takes longer hangs, in milliseconds. */
  readonly trialMs: number;
  /** Why the row cannot run here; null when it can. Brings what it lacks where that is possible. */
  readonly lacks?: () => string | null;
  /**
   * Runs one trial, and resolves how many units it was. Rejects with `Broken` when a promise does not hold. Trials are
   * numbered by their seeds, and do not know each other.
   */
  trial(context: TrialContext): Promise<number>;
}

/** What a row came to. */
export interface RowResult {
  readonly id: string;
  readonly title: string;
  readonly kind: Kind;
  readonly unit: string;
  readonly count: number;
  readonly lost: number;
  readonly wrong: number;
  readonly hangs: number;
  /** Why it did not run; null when it did. */
  readonly skipped: string | null;
  readonly trials: number;
  readonly seconds: number;
  readonly firstSeed: number;
  /** The first things that were found, each with its seed. */
  readonly found: readonly string[];
  /** The commit, where it is another than that of the file: one whose packages and apps are the same. */
  readonly commit?: string;
}
