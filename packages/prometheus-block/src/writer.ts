import type { Disk, Pause } from "@varve/contracts";
import type { BlockMeta, BlockParent } from "./internal/meta-json.ts";
import { openBlockWriter } from "./internal/write-block.ts";

export { CREATION_SUFFIX, DELETION_SUFFIX } from "./internal/layout.ts";

export interface BlockOptions {
  readonly disk: Disk;
  /** The directory that blocks lie in. It exists. */
  readonly parent: string;
  /** Names the block; a new one by default. */
  readonly ulid?: string;
  /** Size at which the next chunk segment begins, below 4 GiB. 512 MiB by default, as in Prometheus. */
  readonly segmentBytesMax?: number;
  /** Entries of postings lists, of 4 bytes, that one pass over the series holds. 8 Mi by default. */
  readonly postingsMax?: number;
}

/** What a block's `meta.json` says besides what the writer counted. */
export interface BlockFields {
  /** All samples have minTime <= time < maxTime, both safe integers; wider is fine, such as an aligned window. */
  readonly minTime: number;
  readonly maxTime: number;
  readonly level: number;
  /** The block itself by default. */
  readonly sources?: readonly string[];
  readonly parents?: readonly BlockParent[];
  readonly hints?: readonly string[];
  /** Fields of one's own, written behind Prometheus' own. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

/**
 * Writes one block: symbols first, then series in label order with their chunks, then the rest in `finish`.
 *
 * Memory grows with distinct names, values and pairs of them, never with series, samples or postings; of chunks, only
 * the references of one series are held. Bytes are read during the call and stay the caller's. After any
 * error the block is lost: the calls that follow throw POISONED, and `abort` removes it.
 */
export interface BlockWriter {
  readonly ulid: string;
  /** Where the block is built: `<ULID>.tmp-for-creation` below the parent. */
  readonly buildDir: string;
  /** Where it lies once it is published: `<ULID>` below the parent. */
  readonly dir: string;
  /** Written so far. A series counts once it has a chunk and has ended. */
  readonly series: number;
  readonly chunks: number;
  readonly samples: number;
  /** First and last time of the samples so far, both inclusive: Infinity and -Infinity without any. */
  readonly minTime: number;
  readonly maxTime: number;
  /** Size of the chunk segments and of the index so far. */
  readonly bytes: number;

  /** Declares bytes[from … until) as a name or value. Any order, repeats are fine. */
  addSymbol(bytes: Uint8Array, from: number, until: number): void;
  /** Declares all names and values of a canonical key. Throws INPUT when it is malformed. */
  addKey(key: Uint8Array, from: number, until: number): void;
  /** Sorts and writes what was declared. Nothing can be declared after, and series begin only after it. */
  sortSymbols(pause: Pause): Promise<void>;
  /**
   * Begins the series with this canonical key. Throws INPUT when the key does not come after the one before it,
   * as `compareKeys` orders them, when it is malformed or empty, or when a name or a value was not declared.
   */
  beginSeries(key: Uint8Array, from: number, until: number): void;
  /**
   * Adds a chunk of the series: `count` samples from `minTime` to `maxTime`, both inclusive, whose data is
   * bytes[from … until) in the encoding given. Throws INPUT when it does not begin after the chunk before it.
   */
  addChunk(
    encoding: number,
    minTime: number,
    maxTime: number,
    count: number,
    bytes: Uint8Array,
    from: number,
    until: number,
  ): void;
  /** Ends the series. One without chunks leaves no trace but its symbols. */
  endSeries(): void;
  /**
   * Writes postings, tables, tombstones and `meta.json`, and makes all of it durable in the build directory.
   * Throws INPUT for a block without samples, or with some outside the times of `fields`.
   */
  finish(fields: BlockFields, pause: Pause): Promise<BlockMeta>;
  /**
   * Gives the finished block its name, and resolves once that is durable. When that fails, the block has lost its name
   * again and can be aborted; a crash may bring it back, whole.
   */
  publish(): Promise<void>;
  /**
   * Removes what was built, at any point, also while `finish` runs, which then throws ABORTED. A block that was
   * published is left alone. Idempotent.
   */
  abort(): Promise<void>;
}

/**
 * Begins a block below `parent`: creates its build directory, which no reader takes for a block. Throws INPUT when
 * a block of that ULID, or what is left of one, is there.
 */
export function createBlock(options: BlockOptions): BlockWriter {
  return openBlockWriter(options);
}
