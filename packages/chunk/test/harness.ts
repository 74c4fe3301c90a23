import { makeBatch, makeColumns, reserveMemory } from "@varve/bytes";
import {
  ACCEPTED,
  CHUNK_AT,
  CHUNK_CAPACITY,
  CHUNK_END_TIME,
  CHUNK_STOP,
  OPEN_CHUNK_BYTES,
  type ChunkCodec,
  type ChunkState,
  type OpenChunkTable,
  type SampleColumns,
} from "@varve/contracts";
import { bitsOf, type Sample } from "./reference.ts";

const MEMORY_BYTES = 64 * 1024 * 1024;

/** Where chunks of tests lie. */
export const MEMORY = reserveMemory({ bytesMax: MEMORY_BYTES });

/** What was taken for the batch of one row lies before it. */
let next = 4096;

/** A place in the memory. After hundreds of larger ones it is given out again: tests hold a few at a time. */
function place(bytes: number): number {
  if (next + bytes > MEMORY_BYTES) next = 4096;
  const at = next;
  next += Math.ceil(bytes / 64) * 64;
  return at;
}

/** A batch of one row, and a table of one page with one series. */
const batch = makeBatch(MEMORY, 1);
const pagesAt = MEMORY.take(4);

/** A chunk with its state, as a block manager would hold it. Where the codec has a batch form, samples are appended by that. */
export class Chunk {
  readonly codec: ChunkCodec;
  readonly state: ChunkState;
  readonly stateAt: number;
  bytes: Uint8Array;
  at: number;
  capacity: number;

  constructor(codec: ChunkCodec, capacity: number, at = 0) {
    this.codec = codec;
    const size = codec.stateBytes + 64;
    const state = place(size);
    this.state = { words: MEMORY.words(state, size / 4), doubles: MEMORY.doubles(state, size / 8) };
    this.state.words.fill(-1);
    this.state.words.fill(0, 0, 12);
    this.stateAt = 48;
    this.bytes = MEMORY.bytes(place(at + capacity + 8), at + capacity + 8).fill(0xaa);
    this.at = at;
    this.capacity = capacity;
    codec.open(this.state, this.stateAt, this.bytes, at);
  }

  append(sample: Sample): boolean {
    const low = Number(BigInt.asIntN(32, sample.bits));
    const high = Number(BigInt.asIntN(32, sample.bits >> 32n));
    const { codec, state, stateAt, bytes, at, capacity } = this;
    if (codec.appendRows !== undefined) return this.#appendRow(Number(sample.time), low, high);
    return codec.append(state, stateAt, bytes, at, capacity, Number(sample.time), low, high);
  }

  #appendRow(time: number, low: number, high: number): boolean {
    const { words, doubles } = this.state;
    batch.clear();
    batch.refs[batch.add(time, 0)] = 1;
    batch.status[0] = ACCEPTED;
    batch.valueWords[0] = low;
    batch.valueWords[1] = high;
    const first = (this.stateAt - OPEN_CHUNK_BYTES) / 8;
    words[2 * first + CHUNK_AT / 4] = this.bytes.byteOffset + this.at;
    words[2 * first + CHUNK_CAPACITY / 4] = this.capacity;
    words[2 * first + CHUNK_STOP / 4] = 2 ** 30;
    doubles[first + CHUNK_END_TIME / 8] = Infinity;
    MEMORY.unsigned(pagesAt, 1)[0] = words.byteOffset;
    const table = { pagesAt, pageCount: 1, pageShift: 0, stride: 0, firstAt: first * 8 };
    return this.codec.appendRows!(batch, 0, 1, table satisfies OpenChunkTable) === 1;
  }

  get count(): number {
    return this.codec.count(this.state, this.stateAt);
  }

  get length(): number {
    return this.codec.length(this.state, this.stateAt);
  }

  /** Moves the chunk to a place of another size, taking along nothing but its bytes. */
  move(capacity: number, at: number): void {
    const bytes = MEMORY.bytes(place(at + capacity + 8), at + capacity + 8).fill(0x55);
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
