import type { ChunkCodec, ChunkState, Variant } from "@varve/contracts";
import { appendSample } from "./internal/xor-append.ts";
import { XOR_ENCODING, XorCodec } from "./internal/xor-codec.ts";

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

class XorChunk extends XorCodec implements ChunkCodec {
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
}
