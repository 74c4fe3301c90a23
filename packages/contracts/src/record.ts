import type { Memory } from "./memory.ts";
import type { SeriesRef, WriteBatch } from "./batch.ts";

/** Bytes of records in order, with the place where each ends. Owned by the log that hands it out. */
export interface RecordBuffer {
  /** `reserve` may replace this array: read it again afterwards. */
  bytes: Uint8Array;
  length: number;
  /** ends[i] is where record i ends; it starts where the one before ends. */
  ends: Uint32Array;
  /** Whole records. */
  count: number;
  /** Makes room for `more` bytes beyond `length`. */
  reserve(more: number): void;
  /** Ends the current record at `length`. */
  endRecord(): void;
  clear(): void;
}

/** What a log's records say, in their order. Bytes and columns are valid only during the call. */
export interface RecordVisitor {
  /** A series and its canonical key, before any sample of it. The same pair may come again. */
  series(ref: SeriesRef, bytes: Uint8Array, from: number, until: number): void;
  /** Samples in their order; `values` keep their bits. */
  samples(refs: Uint32Array, times: Float64Array, values: Float64Array, count: number): void;
}

/** Says what a log record holds. A record's first byte is its type (FORMATS: Prometheus' WAL records). */
export interface RecordCodec {
  /**
   * Encodes the ACCEPTED rows of the range into `into`: the series of rows with `isNew`, then the samples.
   * Writes nothing when no row is accepted.
   */
  encode(batch: WriteBatch, from: number, until: number, into: RecordBuffer): void;
  /** Encodes one series alone, for checkpoints. */
  encodeSeries(
    ref: SeriesRef,
    key: Uint8Array,
    keyFrom: number,
    keyUntil: number,
    into: RecordBuffer,
  ): void;
  /**
   * Decodes one record. Types that this codec does not know are skipped: returns false then.
   * Throws WAL_CORRUPT on a malformed record, and never reads outside from … until-1.
   */
  decode(bytes: Uint8Array, from: number, until: number, visitor: RecordVisitor): boolean;
}

export interface RecordTraits {
  /** Prometheus replays the samples from a log of these records. */
  readonly prometheusReadable: boolean;
}

export interface RecordNeeds {
  /** The memory that kernels work in. Engines give it; what is written in TypeScript does without. */
  readonly memory?: Memory;
}
