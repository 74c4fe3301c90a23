import { makeColumns } from "@varve/bytes";
import type { ChunkCodec, ChunkState, SampleColumns } from "@varve/contracts";
import { xorChunk } from "../src/xor.ts";
import { bitsOf, type Sample } from "./reference.ts";

/** A chunk with its state, as a block manager would hold it. */
export class Chunk {
  readonly codec: ChunkCodec;
  readonly state: ChunkState;
  readonly stateAt: number;
  bytes: Uint8Array;
  at: number;
  capacity: number;

  constructor(codec: ChunkCodec, capacity: number, at = 0) {
    this.codec = codec;
    const buffer = new ArrayBuffer(codec.stateBytes + 24);
    this.state = { words: new Int32Array(buffer), doubles: new Float64Array(buffer) };
    this.state.words.fill(-1);
    this.stateAt = 16;
    this.bytes = new Uint8Array(at + capacity + 8).fill(0xaa);
    this.at = at;
    this.capacity = capacity;
    codec.open(this.state, this.stateAt, this.bytes, at);
  }

  append(sample: Sample): boolean {
    const low = Number(BigInt.asIntN(32, sample.bits));
    const high = Number(BigInt.asIntN(32, sample.bits >> 32n));
    const { codec, state, stateAt, bytes, at, capacity } = this;
    return codec.append(state, stateAt, bytes, at, capacity, Number(sample.time), low, high);
  }

  get count(): number {
    return this.codec.count(this.state, this.stateAt);
  }

  get length(): number {
    return this.codec.length(this.state, this.stateAt);
  }

  /** Moves the chunk to a place of another size, taking along nothing but its bytes. */
  move(capacity: number, at: number): void {
    const bytes = new Uint8Array(at + capacity + 8).fill(0x55);
    bytes.set(this.bytes.subarray(this.at, this.at + this.length), at);
    this.bytes = bytes;
    this.at = at;
    this.capacity = capacity;
  }

  seal(): Uint8Array {
    const length = this.codec.seal(this.state, this.stateAt, this.bytes, this.at);
    return this.bytes.slice(this.at, this.at + length);
  }
}

export async function openXor(): Promise<ChunkCodec> {
  return xorChunk().open({});
}

export function decode(codec: ChunkCodec, bytes: Uint8Array, count: number): Sample[] {
  const columns = makeColumns({ capacity: 1 });
  codec.decode(bytes, 0, bytes.length, count, columns);
  return samplesOf(columns);
}

export function samplesOf(columns: SampleColumns): Sample[] {
  const words = new Int32Array(columns.values.buffer);
  return Array.from({ length: columns.length }, (_, i) => ({
    time: BigInt(columns.times[i]!),
    bits: bitsOf(words[2 * i]!, words[2 * i + 1]!),
  }));
}
