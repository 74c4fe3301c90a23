import type { ChunkCodec, ChunkState, SampleColumns, Variant } from "@varve/contracts";
import { appendSample } from "./internal/xor-append.ts";
import { corruptChunk, decodeSamples } from "./internal/xor-decode.ts";
import {
  BITS,
  COUNT_MASK,
  FIRST_BYTES_MAX,
  HEADER_BYTES,
  PACKED,
  STATE_BYTES,
} from "./internal/xor-layout.ts";

/** Prometheus' number for this encoding. */
const XOR_ENCODING = 1;

/**
 * Prometheus' XOR encoding in plain TypeScript: a sample at a steady pace whose value does not change takes
 * two bits.
 *
 * Byte for byte what Prometheus writes: delta of delta for times, the changed window of bits for
 * values. `append` returns false only when the sample would not fit, not when the longest possible one
 * would not, and at 65,535 samples, which is all that the header can count.
 *
 * Times must strictly increase and be safe integers; `decode` refuses a chunk in which they do not.
 */
export function xorChunk(): Variant<"chunk"> {
  return {
    slot: "chunk",
    name: "xor",
    traits: { encoding: XOR_ENCODING, needsLinear: false },
    open: () => new XorChunk(),
  };
}

class XorChunk implements ChunkCodec {
  readonly encoding = XOR_ENCODING;
  readonly stateBytes = STATE_BYTES;
  readonly capacityMin = FIRST_BYTES_MAX;

  open(state: ChunkState, stateAt: number, bytes: Uint8Array, at: number): void {
    const word = stateAt >>> 2;
    for (let i = 0; i < STATE_BYTES >>> 2; i += 1) state.words[word + i] = 0;
    state.words[word + BITS] = HEADER_BYTES * 8;
    bytes[at] = 0;
    bytes[at + 1] = 0;
  }

  append(
    state: ChunkState,
    stateAt: number,
    bytes: Uint8Array,
    at: number,
    capacity: number,
    time: number,
    valueLow: number,
    valueHigh: number,
  ): boolean {
    return appendSample(state, stateAt, bytes, at, capacity, time, valueLow, valueHigh);
  }

  count(state: ChunkState, stateAt: number): number {
    return state.words[(stateAt >>> 2) + PACKED]! & COUNT_MASK;
  }

  length(state: ChunkState, stateAt: number): number {
    return (state.words[(stateAt >>> 2) + BITS]! + 7) >>> 3;
  }

  seal(state: ChunkState, stateAt: number, bytes: Uint8Array, at: number): number {
    const count = this.count(state, stateAt);
    bytes[at] = count >>> 8;
    bytes[at + 1] = count;
    return this.length(state, stateAt);
  }

  decode(bytes: Uint8Array, at: number, length: number, count: number, into: SampleColumns): void {
    decodeSamples(bytes, at, length, count, into);
  }

  storedCount(bytes: Uint8Array, at: number, length: number): number {
    if (length < HEADER_BYTES) throw corruptChunk("its header is cut off", length, 0);
    return (bytes[at]! << 8) | bytes[at + 1]!;
  }
}
