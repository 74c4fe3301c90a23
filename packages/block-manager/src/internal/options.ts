import { assert, type BlockManagerStats, type ChunkCodec } from "@varve/contracts";
import { FILE_BYTES_MAX, HEADER_BYTES, MARK_BYTES, recordBytes } from "./format.ts";

/** Options that all block managers share. */
export interface BlockOptions {
  /** A chunk is full at this many samples. Prometheus aims at 120. */
  readonly samplesPerChunk?: number;
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
  /** Stretches of damage found at open in what was durable; their chunks are lost, a copy is in quarantine. */
  readonly damaged: number;
  /** Copies that the opening made below the quarantine directory. */
  readonly quarantined: readonly string[];
}

/** Shared options with their defaults filled in and checked. */
export type Settings = Required<BlockOptions>;

export function settingsOf(options: BlockOptions, codec: ChunkCodec): Settings {
  const {
    samplesPerChunk = 120,
    chunkBytesFirst = 128,
    chunkBytesMax = 4096,
    regionsPerRefill = 64,
    regionsAhead = 0,
    lazyChunks = true,
    fileBytesMax = FILE_BYTES_MAX,
  } = options;
  assert(
    Number.isSafeInteger(samplesPerChunk) && samplesPerChunk > 0 && samplesPerChunk <= 65_535,
    `samplesPerChunk is 1 to 65,535, got ${samplesPerChunk}`,
  );
  assert(chunkBytesFirst > 0, `chunkBytesFirst is positive, got ${chunkBytesFirst}`);
  assert(chunkBytesMax <= 2 ** 20, `chunkBytesMax is at most 1 MiB, got ${chunkBytesMax}`);
  assert(regionsPerRefill >= 1, `regionsPerRefill is at least 1, got ${regionsPerRefill}`);
  assert(regionsAhead >= 0, `regionsAhead is not negative, got ${regionsAhead}`);
  const first = Math.max(chunkBytesFirst, codec.capacityMin);
  const most = Math.max(chunkBytesMax, first);
  assert(
    fileBytesMax <= FILE_BYTES_MAX && fileBytesMax >= HEADER_BYTES + MARK_BYTES + recordBytes(most),
    `fileBytesMax holds a chunk and is at most ${FILE_BYTES_MAX}, got ${fileBytesMax}`,
  );
  return {
    samplesPerChunk,
    chunkBytesFirst: first,
    chunkBytesMax: most,
    regionsPerRefill,
    regionsAhead,
    lazyChunks,
    fileBytesMax,
  };
}
