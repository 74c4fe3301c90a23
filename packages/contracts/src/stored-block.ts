import type { SampleColumns } from "./columns.ts";
import type { Matcher } from "./matcher.ts";

/** A chunk in an encoding that the store's codec does not read, histograms for one: its bytes as they are stored. */
export interface OpaqueChunk {
  readonly encoding: number;
  /** First and last time, both inclusive. */
  readonly minTime: number;
  readonly maxTime: number;
  /** The caller's to keep. */
  readonly bytes: Uint8Array;
}

/** Goes through series of a block in label order. */
export interface StoredSeries {
  /** Moves to the next series. False at the end. Throws BLOCK_CORRUPT when the block's index is damaged there. */
  next(): boolean;
  /** The series' canonical key is `key[0 … keyLength)`, until the next call of `next`. */
  readonly key: Uint8Array;
  readonly keyLength: number;
  /**
   * Appends the series' samples with from <= time < until to `into`, oldest first, without those that were
   * deleted and without chunks of foreign encodings. Throws BLOCK_CORRUPT when stored bytes are damaged.
   */
  read(from: number, until: number, into: SampleColumns): void;
  /** Chunks of foreign encodings that reach into from <= time < until, oldest first. Most series have none. */
  opaque(from: number, until: number): OpaqueChunk[];
}

/** A block on disk, as queries see it. */
export interface StoredBlock {
  /** The ULID that names its directory. */
  readonly id: string;
  /** All its samples have minTime <= time < maxTime. */
  readonly minTime: number;
  readonly maxTime: number;
  /** Series that every matcher accepts, also those that have no sample left. No matcher: all. */
  select(matchers: readonly Matcher[]): StoredSeries;
  /** Names of labels that the selected series carry, in the order of their UTF-8 bytes. */
  labelNames(matchers: readonly Matcher[]): string[];
  /** Values of one label that the selected series carry, in the order of their UTF-8 bytes. */
  labelValues(name: string, matchers: readonly Matcher[]): string[];
}
