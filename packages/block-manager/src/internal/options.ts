import { assert, type BlockManagerStats, type ChunkCodec } from "@varve/contracts";
import { BEGINNING_BYTES, FILE_BYTES_MAX, recordBytes } from "./format.ts";

/** Options that all block managers share. */
export interface BlockOptions {
  /**
   * Samples that a chunk aims at: 120, as in Prometheus, whose rule decides where chunks end, so that those of a
   * window get equally long. Below 40 a chunk is full at just as many.
   */
  readonly samplesPerChunk?: number;
  /** Share by which the first chunk of a window may be shorter, spread over the series; 0 for none, 1 at most. */
  readonly chunkJitter?: number;
  /** Time that a block of the first level covers, in milliseconds, aligned to the epoch. Default two hours. */
  readonly blockDurationMs?: number;
  /**
   * Age up to which rows are accepted that come out of order, against the newest sample of all, in milliseconds. They
   * are kept apart and merged when read. Default 0: none.
   */
  readonly outOfOrderWindowMs?: number;
  /** Late samples that memory holds at most; they are cut to blocks from half of it on. Default 1,000,000. */
  readonly lateSamplesMax?: number;
  /** Blocks whose samples are all older than this against the newest block are removed. Default: never. */
  readonly retentionMs?: number;
  /** While blocks take more bytes than this, the oldest goes. The newest stays. Default: any size. */
  readonly retentionBytes?: number;
  /** Blocks that make one of the next level, as ranges of time. Prometheus has 3. */
  readonly mergeFactor?: number;
  /** Levels of merging: the longest block covers blockDurationMs * mergeFactor ** mergeLevels. 0 merges nothing. */
  readonly mergeLevels?: number;
  /** Bound on the pages of blocks that are kept in memory, in bytes. Default 64 MiB. */
  readonly cacheBytesMax?: number;
  /** Size of a chunk's first region, in bytes; it doubles as the chunk grows. */
  readonly chunkBytesFirst?: number;
  /** Largest region of a chunk, in bytes: one that needs more is sealed early. */
  readonly chunkBytesMax?: number;
  /** First-size regions that one call of the allocator brings when there are none left; 1 takes each by itself. */
  readonly regionsPerRefill?: number;
  /** First-size regions that `maintain` keeps in stock, so that writers need not ask for any; 0 for none. */
  readonly regionsAhead?: number;
  /** A series gets its next region with its next sample. When false, as soon as its chunk is sealed. */
  readonly lazyChunks?: boolean;
  /** Admits rows that need no decision by a kernel. When false, all in TypeScript: the yardstick. Default true. */
  readonly kernel?: boolean;
  /** A file in `sealed/` is left for the next one at this size, in bytes. */
  readonly fileBytesMax?: number;
}

/** Options that bound the memory of what is written, but not synced. */
export interface UnsyncedOptions {
  /**
   * Above this many bytes of chunks that are written but not synced, the oldest are given back before their
   * sync. Should that sync fail, they cannot be written again, and the part is poisoned.
   */
  readonly unsyncedBytesMax?: number;
}

/** Default of `unsyncedBytesMax`, in bytes. */
export const UNSYNCED_BYTES_MAX = 64 * 2 ** 20;
/** Default size of the buffer that one write of many chunks empties, in bytes: larger ones gained nothing. */
export const WRITE_BYTES_MAX = 256 * 1024;

/** Counters of our block managers beside those of the contract. */
export interface BlockStats extends BlockManagerStats {
  /** Pages of series state, and how many of them were made ready at open. */
  readonly seriesPages: number;
  readonly seriesPagesAhead: number;
  /** Calls that brought regions while a writer waited, and those that `maintain` made instead. */
  readonly refills: number;
  readonly refillsAhead: number;
  /** Chunks sealed before they were full, because memory or `chunkBytesMax` ended. */
  readonly chunksSealedEarly: number;
  /** Syncs of files. */
  readonly syncs: number;
  /** Files of `sealed/` whose chunks are in blocks, and that were removed. */
  readonly filesRemoved: number;
  /** Stretches of damage found at open in what was durable; their chunks are lost, a copy is in quarantine. */
  readonly damaged: number;
  /** Copies that the opening made below the quarantine directory. */
  readonly quarantined: readonly string[];
}

/** Shared options with their defaults filled in and checked. */
export type Settings = Required<BlockOptions> & {
  /** Samples at which a chunk's end is predicted; 0 for chunks of too few samples. */
  readonly samplesPerQuarter: number;
};

/** Two hours, as in Prometheus. */
const BLOCK_DURATION_MS = 2 * 3_600_000;
/** Chunks of fewer samples have no pace to predict an end from. */
const PREDICTED_SAMPLES_MIN = 40;

export function settingsOf(options: BlockOptions, codec: ChunkCodec): Settings {
  const {
    samplesPerChunk = 120,
    chunkBytesFirst = 128,
    chunkBytesMax = 4096,
    regionsPerRefill = 64,
    regionsAhead = 0,
    lazyChunks = true,
    kernel = true,
    fileBytesMax = FILE_BYTES_MAX,
    chunkJitter = 0,
    blockDurationMs = BLOCK_DURATION_MS,
    outOfOrderWindowMs = 0,
    lateSamplesMax = 1_000_000,
    retentionMs = Number.POSITIVE_INFINITY,
    retentionBytes = Number.POSITIVE_INFINITY,
    mergeFactor = 3,
    mergeLevels = 3,
    cacheBytesMax = 64 * 2 ** 20,
  } = options;
  assert(
    Number.isSafeInteger(samplesPerChunk) && samplesPerChunk > 0 && samplesPerChunk <= 65_535,
    `samplesPerChunk is 1 to 65,535, got ${samplesPerChunk}`,
  );
  assert(chunkBytesFirst > 0, `chunkBytesFirst is positive, got ${chunkBytesFirst}`);
  assert(chunkBytesMax <= 2 ** 20, `chunkBytesMax is at most 1 MiB, got ${chunkBytesMax}`);
  assert(regionsPerRefill >= 1, `regionsPerRefill is at least 1, got ${regionsPerRefill}`);
  assert(regionsAhead >= 0, `regionsAhead is not negative, got ${regionsAhead}`);
  assert(chunkJitter >= 0 && chunkJitter <= 1, `chunkJitter is 0 to 1, got ${chunkJitter}`);
  assert(
    Number.isSafeInteger(blockDurationMs) && blockDurationMs > 0,
    `blockDurationMs is a positive integer, got ${blockDurationMs}`,
  );
  assert(outOfOrderWindowMs >= 0, `outOfOrderWindowMs is not negative, got ${outOfOrderWindowMs}`);
  assert(lateSamplesMax >= 2, `lateSamplesMax is at least 2, got ${lateSamplesMax}`);
  assert(retentionMs > 0, `retentionMs is positive, got ${retentionMs}`);
  assert(retentionBytes > 0, `retentionBytes is positive, got ${retentionBytes}`);
  assert(
    Number.isSafeInteger(mergeFactor) && mergeFactor >= 2,
    `mergeFactor is an integer from 2 on, got ${mergeFactor}`,
  );
  assert(
    Number.isSafeInteger(mergeLevels) && mergeLevels >= 0 && mergeLevels <= 10,
    `mergeLevels is 0 to 10, got ${mergeLevels}`,
  );
  assert(cacheBytesMax > 0, `cacheBytesMax is positive, got ${cacheBytesMax}`);
  const first = Math.max(chunkBytesFirst, codec.capacityMin);
  const most = Math.max(chunkBytesMax, first);
  assert(
    fileBytesMax <= FILE_BYTES_MAX && fileBytesMax >= BEGINNING_BYTES + recordBytes(most),
    `fileBytesMax holds a chunk and is at most ${FILE_BYTES_MAX}, got ${fileBytesMax}`,
  );
  return {
    samplesPerChunk,
    samplesPerQuarter:
      samplesPerChunk < PREDICTED_SAMPLES_MIN ? 0 : Math.floor(samplesPerChunk / 4),
    chunkJitter,
    blockDurationMs,
    outOfOrderWindowMs,
    lateSamplesMax,
    retentionMs,
    retentionBytes,
    mergeFactor,
    mergeLevels,
    cacheBytesMax,
    chunkBytesFirst: first,
    chunkBytesMax: most,
    regionsPerRefill,
    regionsAhead,
    lazyChunks,
    kernel,
    fileBytesMax,
  };
}
