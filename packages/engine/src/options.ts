import type { Disk, HashSeed, LabelLimits, Plan, RecoveryMode } from "@varve/contracts";
import type { TimingMode } from "./timing.ts";

/** How to open an engine. Everything but `dir` and `plan` has a default. */
export interface EngineOptions {
  /** The data directory. Created, mode 0700, unless it exists; its parent must exist. */
  readonly dir: string;
  /** A variant for each slot. */
  readonly plan: Plan;
  /** Where files live. Default: the real file system. */
  readonly disk?: Disk;
  /** Address space to reserve for the linear memory, in bytes. Default 1 GiB. */
  readonly memoryBytesMax?: number;
  /** Fresh memory that is kept resident ahead of new series, in bytes. Default 8 MiB. */
  readonly prefaultBytes?: number;
  /** Bound on the allocator's live and retained bytes. Default: three quarters of the memory. */
  readonly allocatorBytesMax?: number;
  /** Bounds on label sets. Defaults: 64 labels, 256 B names, 4 KiB values. */
  readonly labelLimits?: Partial<LabelLimits>;
  /** Bound on live series. Default 2^32-1. */
  readonly seriesMax?: number;
  /** Series to make room for up front. Default 0: none. */
  readonly seriesExpected?: number;
  /** Rows of single writes that are logged and applied together. Default 64; 1 when the log acknowledges as durable. */
  readonly rowsPerClose?: number;
  /**
   * Rows of new series that close a batch early, because they cost the log twenty times an update's bytes and one
   * write in each batch pays for all. Default: a sixteenth of `rowsPerClose`, at least 1. Decision 0004.
   */
  readonly newRowsPerClose?: number;
  /** Longest time that a single write waits for its batch to close, in milliseconds. Default 5. */
  readonly closeDelayMs?: number;
  /** Changes nothing on disk and takes no lock: for reading beside a live writer. Default false. */
  readonly readOnly?: boolean;
  /** What to do about damage in the log. Default `tail`. */
  readonly recovery?: RecoveryMode;
  /** Whether phases are timed. Default `off`, which reads no clock. */
  readonly timing?: TimingMode;
  /** Interval of background maintenance in milliseconds; 0 leaves it to calls of `maintain`. Default 50. */
  readonly maintainEveryMs?: number;
  /** Log size at which chunks are sealed, a checkpoint is written and old segments go, in bytes. Default 1 GiB. */
  readonly walBytesMax?: number;
  /** Seed of the key hashes for a new directory. Default: random, kept with the directory. */
  readonly hashSeed?: HashSeed;
}

/** Options with every default filled in. */
export type FullOptions = Required<Omit<EngineOptions, "hashSeed" | "labelLimits">> & {
  readonly hashSeed: HashSeed | undefined;
  readonly labelLimits: LabelLimits;
};
