import type { ChunkCodec, ChunkState, SampleColumns } from "@varve/contracts";
import { assert } from "@varve/contracts";
import type { BlockWriter } from "../writer.ts";

/** What Prometheus aims at. */
const SAMPLES_PER_CHUNK = 120;
/** Any 120 samples fit: an XOR sample takes 18 bytes at most. */
const CHUNK_BYTES = 4096;

/** Encodes samples into chunks of at most 120, and adds them to a block's series. */
export class SampleEncoder {
  readonly #codec: ChunkCodec;
  readonly #state: ChunkState;
  readonly #bytes: Uint8Array;

  constructor(codec: ChunkCodec) {
    const buffer = new ArrayBuffer(codec.stateBytes);
    this.#codec = codec;
    this.#state = { words: new Int32Array(buffer), doubles: new Float64Array(buffer) };
    this.#bytes = new Uint8Array(Math.max(CHUNK_BYTES, codec.capacityMin));
  }

  /** Writes samples from … until-1, in strictly increasing time. */
  write(samples: SampleColumns, from: number, until: number, writer: BlockWriter): void {
    for (let at = from; at < until;) at = this.#writeChunk(samples, at, until, writer);
  }

  /** Writes as many samples as go into one chunk, and returns where the next one begins. */
  #writeChunk(
    { times, values }: SampleColumns,
    from: number,
    end: number,
    writer: BlockWriter,
  ): number {
    const codec = this.#codec;
    const state = this.#state;
    const bytes = this.#bytes;
    const room = bytes.length;
    // Values travel as words, so that every NaN keeps its bits.
    const words = new Int32Array(values.buffer, values.byteOffset, values.length * 2);
    const until = Math.min(end, from + SAMPLES_PER_CHUNK);
    codec.open(state, 0, bytes, 0);
    let at = from;
    while (at < until) {
      const low = words[2 * at]!;
      const high = words[2 * at + 1]!;
      if (!codec.append(state, 0, bytes, 0, room, times[at]!, low, high)) break;
      at += 1;
    }
    assert(at > from, `a chunk of ${room} bytes holds a sample`);
    const length = codec.seal(state, 0, bytes, 0);
    writer.addChunk(codec.encoding, times[from]!, times[at - 1]!, at - from, bytes, 0, length);
    return at;
  }
}
