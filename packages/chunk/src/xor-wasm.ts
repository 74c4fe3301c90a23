import { loadKernel } from "@varve/bytes";
import type {
  ChunkCodec,
  ChunkNeeds,
  ChunkState,
  OpenChunkTable,
  Variant,
  WriteBatch,
} from "@varve/contracts";
import { appendSample } from "./internal/xor-append.ts";
import { XOR_ENCODING, XorCodec } from "./internal/xor-codec.ts";

/**
 * The same encoding, with a kernel for whole batches of rows: `appendRows`.
 *
 * The kernel works on chunks and states in the linear memory. Both are those of `xor`, bit for bit: where a single sample is
 * appended, a call of a kernel would gain nothing, and `xor` goes on with the chunk. So it does where chunks lie elsewhere.
 */
export function xorWasmChunk(): Variant<"chunk"> {
  return {
    slot: "chunk",
    name: "xor-wasm",
    traits: { encoding: XOR_ENCODING, needsLinear: false },
    open: (needs) => new XorWasmChunk(needs),
  };
}

/** What kernel/xor.ts exports. Places are byte offsets of the memory. */
interface XorKernel {
  appendRows(
    refs: number,
    times: number,
    values: number,
    status: number,
    from: number,
    until: number,
    pages: number,
    pageCount: number,
    pageShift: number,
    stride: number,
    first: number,
  ): number;
}

const KERNEL = new URL("../dist/kernel/xor.wasm", import.meta.url);

class XorWasmChunk extends XorCodec implements ChunkCodec {
  readonly #kernel: XorKernel;

  constructor({ memory }: ChunkNeeds) {
    super();
    this.#kernel = loadKernel<XorKernel>(KERNEL, memory);
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

  appendRows(batch: WriteBatch, from: number, until: number, chunks: OpenChunkTable): number {
    const { refs, times, values, status } = batch;
    const { pagesAt, pageCount, pageShift, stride, firstAt } = chunks;
    return this.#kernel.appendRows(
      refs.byteOffset,
      times.byteOffset,
      values.byteOffset,
      status.byteOffset,
      from,
      until,
      pagesAt,
      pageCount,
      pageShift,
      stride,
      firstAt,
    );
  }
}
