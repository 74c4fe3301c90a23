import type { WriteBatch } from "./batch.ts";
import type { SampleColumns } from "./columns.ts";
import type { Memory, Offset } from "./memory.ts";

/** Two views of the same bytes, where appenders keep their state. */
export interface ChunkState {
  readonly words: Int32Array;
  readonly doubles: Float64Array;
}

/**
 * Open chunks of many series in the memory, for `appendRows`. The series of ref r has its chunk in page
 * `(r - 1) >>> pageShift`, whose offset is the word at `pagesAt + 4 * page`; there the chunks lie `stride` bytes apart, the first
 * one at `firstAt`. A page from `pageCount` on, or with the offset 0, is not in the table. Each is OPEN_CHUNK_BYTES of the fields below, by their byte, and then the codec's state.
 */
export interface OpenChunkTable {
  readonly pagesAt: Offset;
  readonly pageCount: number;
  readonly pageShift: number;
  readonly stride: number;
  readonly firstAt: number;
}

/** Double: the time of the last sample applied. */
export const CHUNK_LAST_TIME = 0;
/** Double: samples from this time on belong to the next chunk. */
export const CHUNK_END_TIME = 8;
/** Word: the offset of the chunk's bytes in the memory. */
export const CHUNK_AT = 16;
/** Word: bytes that it may take. */
export const CHUNK_CAPACITY = 20;
/** Word: samples in it. */
export const CHUNK_COUNT = 24;
/** Word: the sample that would make `CHUNK_COUNT` reach this is for the owner of the table; 0 where no chunk is open. */
export const CHUNK_STOP = 28;
/** Bytes of the fields, and multiple that a chunk's offset is of. */
export const OPEN_CHUNK_BYTES = 32;

/**
 * Compresses the samples of one chunk, in strictly increasing time.
 *
 * An appender's state takes `stateBytes` at byte `stateAt` of `state` (both multiples of 8); the chunk's
 * data starts at `bytes[at]`. A chunk may be moved to a larger place between appends: copy `length` bytes
 * and go on. Values travel as two words, so every NaN keeps its bits.
 */
export interface ChunkCodec {
  /** Prometheus' encoding byte: 1 is XOR. */
  readonly encoding: number;
  readonly stateBytes: number;
  /** Fewest bytes that a chunk of one sample needs. */
  readonly capacityMin: number;
  /** Starts an empty chunk. */
  open(state: ChunkState, stateAt: number, bytes: Uint8Array, at: number): void;
  /** Appends a sample, or returns false and changes nothing when it could exceed `capacity` bytes. */
  append(
    state: ChunkState,
    stateAt: number,
    bytes: Uint8Array,
    at: number,
    capacity: number,
    time: number,
    valueLow: number,
    valueHigh: number,
  ): boolean;
  /**
   * The batch form, which kernels have, for chunks in the memory: appends ACCEPTED rows to the open chunks of their series in the memory, in order, and
   * keeps `CHUNK_LAST_TIME` and `CHUNK_COUNT`. It stops at the first row that needs more than that, and returns its number,
   * or `until`: a LATE row; one that begins another chunk, because its time or the count says so, or no chunk is open; one
   * for which the chunk has no room, or that is not in the table. Nothing of that row is changed.
   */
  appendRows?(batch: WriteBatch, from: number, until: number, chunks: OpenChunkTable): number;
  /** Samples appended since `open`. */
  count(state: ChunkState, stateAt: number): number;
  /** Bytes that the chunk takes now. */
  length(state: ChunkState, stateAt: number): number;
  /** Finishes the chunk's header, so that its bytes can be stored, and returns its length in bytes. Appending may go on. */
  seal(state: ChunkState, stateAt: number, bytes: Uint8Array, at: number): number;
  /**
   * Appends the first `count` samples of a chunk to `into`. The count in the chunk's own header is not
   * read, so an unsealed chunk can be decoded up to any count it has reached. Throws BLOCK_CORRUPT on
   * malformed data, and never reads outside at … at+length-1.
   */
  decode(bytes: Uint8Array, at: number, length: number, count: number, into: SampleColumns): void;
  /** The sample count that a sealed chunk's header states. */
  storedCount(bytes: Uint8Array, at: number, length: number): number;
}

export interface ChunkTraits {
  readonly encoding: number;
  /** Works only on regions in the linear memory. */
  readonly needsLinear: boolean;
}

export interface ChunkNeeds {
  /** The memory that kernels work in. Engines give it; what is written in TypeScript does without. */
  readonly memory?: Memory;
}
