import {
  StorageError,
  type ChunkCodec,
  type ChunkState,
  type SampleColumns,
} from "@varve/contracts";

/** A count of two bytes, then 16 bytes a sample: time and value as they are. */
const HEADER_BYTES = 2;
const SAMPLE_BYTES = 16;
const COUNT_MAX = 65_535;
/** An encoding that Prometheus does not use. */
export const PLAIN_ENCODING = 200;

const scratch = new Float64Array(1);
const scratchWords = new Uint32Array(scratch.buffer);
const scratchBytes = new Uint8Array(scratch.buffer);

/** Stores samples as they are, as the dullest codec does: company for parts that need one. */
export function plainChunk(): ChunkCodec {
  return {
    encoding: PLAIN_ENCODING,
    stateBytes: 8,
    capacityMin: HEADER_BYTES + SAMPLE_BYTES,
    open,
    append,
    count,
    length: (state, stateAt) => HEADER_BYTES + count(state, stateAt) * SAMPLE_BYTES,
    seal,
    decode,
    storedCount: (bytes, at) => bytes[at]! * 256 + bytes[at + 1]!,
  };
}

function open(state: ChunkState, stateAt: number, bytes: Uint8Array, at: number): void {
  state.words[stateAt / 4] = 0;
  bytes.fill(0, at, at + HEADER_BYTES);
}

function append(
  state: ChunkState,
  stateAt: number,
  bytes: Uint8Array,
  at: number,
  capacity: number,
  time: number,
  valueLow: number,
  valueHigh: number,
): boolean {
  const samples = count(state, stateAt);
  const length = HEADER_BYTES + samples * SAMPLE_BYTES;
  if (samples === COUNT_MAX || length + SAMPLE_BYTES > capacity) return false;
  scratch[0] = time;
  bytes.set(scratchBytes, at + length);
  scratchWords[0] = valueLow;
  scratchWords[1] = valueHigh;
  bytes.set(scratchBytes, at + length + 8);
  state.words[stateAt / 4] = samples + 1;
  return true;
}

function count(state: ChunkState, stateAt: number): number {
  return state.words[stateAt / 4]!;
}

function seal(state: ChunkState, stateAt: number, bytes: Uint8Array, at: number): number {
  const samples = count(state, stateAt);
  bytes[at] = samples >>> 8;
  bytes[at + 1] = samples;
  return HEADER_BYTES + samples * SAMPLE_BYTES;
}

function decode(
  bytes: Uint8Array,
  at: number,
  length: number,
  wanted: number,
  into: SampleColumns,
): void {
  if (HEADER_BYTES + wanted * SAMPLE_BYTES > length) {
    throw new StorageError(
      "BLOCK_CORRUPT",
      `a chunk of ${length} bytes cannot hold ${wanted} samples`,
    );
  }
  into.reserve(wanted);
  const valueBytes = new Uint8Array(into.values.buffer, into.values.byteOffset);
  for (let i = 0; i < wanted; i += 1) {
    const from = at + HEADER_BYTES + i * SAMPLE_BYTES;
    scratchBytes.set(bytes.subarray(from, from + 8));
    into.times[into.length] = scratch[0]!;
    valueBytes.set(bytes.subarray(from + 8, from + 16), into.length * 8);
    into.length += 1;
  }
}
