import type { SampleColumns } from "./columns.ts";

/** Two views of the same bytes, where appenders keep their state. */
export interface ChunkState {
  readonly words: Int32Array;
  readonly doubles: Float64Array;
}

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

export type ChunkNeeds = Readonly<Record<never, never>>;
