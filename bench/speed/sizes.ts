/** How much of everything is done. Plain data: child processes get it. */
export interface Sizes {
  readonly seed: number;
  /** Rows of each work that updates; null has each its own default. */
  readonly updates: number | null;
  /** Series of the work that updates many. */
  readonly manySeries: number;
  /** New series, and as many updates, in turns of a slice. */
  readonly newToUpdate: number;
  /** Single writes that are timed one by one, and turns of the noise floor. */
  readonly tails: number;
  readonly minutes: number;
  readonly sustainedSeries: number;
  /** Rows a second that are asked for; 0 for as many as go. */
  readonly sustainedRate: number;
  /** Rounds of all series that make a window of blocks. */
  readonly roundsPerWindow: number;
  readonly memorySeries: number;
  readonly replaySamples: number;
  readonly replaySeries: number;
  /** Series that stages go through, and how long each is timed, in milliseconds. */
  readonly stageSeries: number;
  readonly stageMs: number;
  /** Counts of series, from the fewest; costs are held against those of the first. */
  readonly growth: readonly number[];
  /** Fewest rows that a cost of growth is taken of. */
  readonly growthRows: number;
  /** Bytes of the table that is probed at random, and of the file that is written. */
  readonly probeBytes: number;
  readonly diskBytes: number;
}

/** The sizes that the targets speak of. */
export const FULL: Sizes = {
  seed: 1,
  updates: null,
  manySeries: 1_000_000,
  newToUpdate: 500_000,
  tails: 1_000_000,
  minutes: 5,
  sustainedSeries: 100_000,
  sustainedRate: 1_000_000,
  roundsPerWindow: 100,
  memorySeries: 1_000_000,
  replaySamples: 30_000_000,
  replaySeries: 100_000,
  stageSeries: 100_000,
  stageMs: 150,
  growth: [10_000, 100_000, 1_000_000, 4_000_000],
  growthRows: 200_000,
  probeBytes: 256 * 2 ** 20,
  diskBytes: 2 ** 30,
};

/** Only to see that all of it still runs: the figures mean nothing. */
export const TINY: Sizes = {
  seed: 1,
  updates: 20_000,
  manySeries: 2000,
  newToUpdate: 2000,
  tails: 3000,
  minutes: 0.01,
  sustainedSeries: 1000,
  sustainedRate: 0,
  roundsPerWindow: 10,
  memorySeries: 2000,
  replaySamples: 20_000,
  replaySeries: 1000,
  stageSeries: 1000,
  stageMs: 1,
  growth: [500, 1000],
  growthRows: 1000,
  probeBytes: 2 ** 20,
  diskBytes: 2 ** 20,
};
