import type { ChunkState, SampleColumns } from "@varve/contracts";
import { corruptChunk, decodeSamples } from "./xor-decode.ts";
import {
  BITS,
  COUNT_MASK,
  FIRST_BYTES_MAX,
  HEADER_BYTES,
  PACKED,
  STATE_BYTES,
} from "./xor-layout.ts";

/** Prometheus' number for this encoding. */
export const XOR_ENCODING = 1;

/** All of an XOR codec but appending. */
export abstract class XorCodec {
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
