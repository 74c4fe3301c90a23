/** What is measured, in the order in which it runs. */
export const WORKS = ["write", "decode", "select", "churn"] as const;
export type Work = (typeof WORKS)[number];

/** Values of samples: TSBS' clamped walks told as integers, or doubles with random mantissas. */
export type Values = "integers" | "doubles";

/** How much of everything there is. */
export interface Sizes {
  /** Series of the large block, and of the one with random doubles. */
  readonly series: number;
  readonly seriesOfDoubles: number;
  /** Samples of each series in a block. */
  readonly samples: number;
  /** Timed passes: over a block, and over the selections. */
  readonly passes: number;
  readonly selections: number;
  /** Rounds of the churn, new series of each, and samples that each of them gets. */
  readonly rounds: number;
  readonly seriesPerRound: number;
  readonly scrapes: number;
  /** Size at which the churn's log is cut at the latest, in bytes. */
  readonly walBytesMax: number;
  /** How long the idle loop is watched, in milliseconds. */
  readonly idleMs: number;
}

/** The sizes that the targets speak of. */
export const FULL: Sizes = {
  series: 1_000_000,
  seriesOfDoubles: 100_000,
  samples: 120,
  passes: 3,
  selections: 1000,
  rounds: 20,
  seriesPerRound: 100_000,
  scrapes: 4,
  walBytesMax: 2 ** 30,
  idleMs: 10_000,
};

/** Only to see that all of it still runs: the figures mean nothing. */
export const TINY: Sizes = {
  series: 2000,
  seriesOfDoubles: 500,
  samples: 120,
  passes: 1,
  selections: 50,
  rounds: 6,
  seriesPerRound: 400,
  scrapes: 4,
  walBytesMax: 64 * 1024,
  idleMs: 50,
};

/** A task of one child process, whose files lie below `dir`. */
export type Task =
  | { readonly kind: "input"; readonly values: Values }
  | { readonly kind: "write"; readonly values: Values }
  | { readonly kind: "decode"; readonly values: Values }
  | { readonly kind: "select" }
  | { readonly kind: "churn" }
  | { readonly kind: "idle" };

/** A task with everything that its child has to know. */
export interface Job {
  readonly task: Task;
  readonly sizes: Sizes;
  readonly seed: number;
  readonly dir: string;
}

/** Series of a block by its values. */
export function seriesOf(sizes: Sizes, values: Values): number {
  return values === "integers" ? sizes.series : sizes.seriesOfDoubles;
}
