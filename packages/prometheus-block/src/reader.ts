import type {
  ChunkCodec,
  Disk,
  Labels,
  Matcher,
  Pause,
  SampleColumns,
  StoredBlock,
  StoredSeries,
} from "@varve/contracts";
import type { BlockMeta } from "./internal/meta-json.ts";
import type { PageCache } from "./internal/page-cache.ts";
import { openReader } from "./internal/read-block.ts";
import type { Tombstones } from "./tombstones.ts";

export { pageCache } from "./internal/page-cache.ts";
export type { PageCache, PageCacheOptions } from "./internal/page-cache.ts";

export interface OpenBlockOptions {
  readonly disk: Disk;
  /** The block's directory. In a store its ULID names it; one that another block's ULID names is refused. */
  readonly dir: string;
  /** Shared by all blocks of a store. */
  readonly cache: PageCache;
  /** Reads chunks of its own encoding; the others are passed on as they are. */
  readonly codec: ChunkCodec;
  /** Asked between pieces of the opening, which goes through all symbols and values. */
  readonly pause?: Pause;
}

/** A label name, and how many values it has in a block. */
export interface NameCount {
  readonly name: string;
  readonly values: number;
}

/** A pair of a name and a value, and how many series carry it in a block. */
export interface PairCount {
  readonly name: string;
  readonly value: string;
  readonly series: number;
}

/** Names and values of a block, in the order of their bytes. `next` leaves one in bytes[from … until). */
export interface RawSymbols {
  next(): boolean;
  readonly bytes: Uint8Array;
  readonly from: number;
  readonly until: number;
}

/** Goes through series with their chunks as they are stored: for merging, copying and looking. */
export interface RawSeries extends StoredSeries {
  /** The series' number in the block: tombstones name it so. */
  readonly id: number;
  labels(): Labels;
  /** Deleted ranges: first and last time in turn, both inclusive; undefined for none. */
  readonly deleted: Float64Array | undefined;
  readonly chunkCount: number;
  /** Times are inclusive. They and `ref` are known once `chunkCount` was asked. */
  minTime(chunk: number): number;
  maxTime(chunk: number): number;
  /** The segment's place from 0, times 2^32, and the offset in it. */
  ref(chunk: number): number;
  /** True when one deleted range covers all of the chunk. */
  isDeleted(chunk: number): boolean;
  /**
   * Reads a chunk and checks it: it lies in bytes[from … until), of `sampleCount` samples by its own header, until
   * anything of any block is read. Throws BLOCK_CORRUPT.
   */
  load(chunk: number): void;
  readonly encoding: number;
  readonly bytes: Uint8Array;
  readonly from: number;
  readonly until: number;
  readonly sampleCount: number;
  /** Appends all samples of the chunk that was loaded, deleted ones too. It has the codec's encoding. */
  decode(into: SampleColumns): void;
}

/**
 * An open block. Reading is synchronous, through the cache. All that is read is checked against its checksums, and no
 * length in a file is believed; what is damaged throws BLOCK_CORRUPT with the file and offset. After `close`,
 * everything that reads throws CLOSED.
 */
export interface BlockReader extends StoredBlock {
  readonly dir: string;
  readonly meta: BlockMeta;
  readonly seriesCount: number;
  /** Size of the block's files, in bytes. */
  readonly bytes: number;
  readonly tombstones: Tombstones;
  select(matchers: readonly Matcher[]): RawSeries;
  allSeries(): RawSeries;
  allSymbols(): RawSymbols;
  /** Names in the order of their bytes, with how many values each has. */
  nameCounts(): IterableIterator<NameCount>;
  /** Values of a name in the order of their bytes, or of all names. */
  pairCounts(name?: string): IterableIterator<PairCount>;
  /**
   * Deletes samples with from <= time < until, durably before it shows: cursors that are open still see them. Returns how
   * many series have a chunk that reaches into the range. Deletions run one after the other.
   */
  delete(matchers: readonly Matcher[], from: number, until: number, pause?: Pause): Promise<number>;
  /** Closes the files. Idempotent. */
  close(): void;
}

/**
 * Opens a block: goes once through its symbols and its postings table, of which it keeps every 32nd place, and checks
 * both. Throws BLOCK_CORRUPT or UNSUPPORTED_VERSION, and leaves nothing open then.
 */
export function openBlock(options: OpenBlockOptions): Promise<BlockReader> {
  return openReader(options);
}
