import { assert, type ChunkCodec, type ChunkState, type SampleColumns } from "@varve/contracts";

/** Bytes that any chunk of the samples we put into one fits. */
const CHUNK_BYTES = 4096;

/** Encodes samples anew, chunk by chunk, into an array of its own. */
export class ChunkEncoder {
  /** The chunk encoded last: `bytes[0 … length)`, with its first and last time and its samples. */
  readonly bytes = new Uint8Array(CHUNK_BYTES);
  length = 0;
  minTime = 0;
  maxTime = 0;
  count = 0;
  readonly #codec: ChunkCodec;
  readonly #state: ChunkState;

  constructor(codec: ChunkCodec) {
    this.#codec = codec;
    const state = new ArrayBuffer(Math.ceil(codec.stateBytes / 8) * 8);
    this.#state = { words: new Int32Array(state), doubles: new Float64Array(state) };
  }

  /** Encodes samples from `from` on, at most `samplesMax`, and returns where the next chunk begins. */
  encode(columns: SampleColumns, from: number, samplesMax: number): number {
    const { times, values, length } = columns;
    const words = new Int32Array(values.buffer, values.byteOffset, values.length * 2);
    const codec = this.#codec;
    codec.open(this.#state, 0, this.bytes, 0);
    const until = Math.min(length, from + samplesMax);
    let at = from;
    while (at < until) {
      const low = words[2 * at]!;
      const high = words[2 * at + 1]!;
      if (!codec.append(this.#state, 0, this.bytes, 0, CHUNK_BYTES, times[at]!, low, high)) break;
      at += 1;
    }
    assert(at > from, "a sample fits an empty chunk");
    this.length = codec.seal(this.#state, 0, this.bytes, 0);
    this.minTime = times[from]!;
    this.maxTime = times[at - 1]!;
    this.count = at - from;
    return at;
  }
}
