import {
  NO_REGION,
  StorageError,
  type Allocator,
  type AllocatorStats,
  type ChunkCodec,
  type ChunkState,
  type Region,
  type SampleColumns,
} from "@varve/contracts";

const SAMPLE_BYTES = 16;
const HEADER = 2;

/** The dullest codec: a big-endian count, then time and value of each sample as they are. */
export const dullCodec: ChunkCodec = {
  encoding: 1,
  stateBytes: 8,
  capacityMin: HEADER + SAMPLE_BYTES,
  open(state: ChunkState, stateAt: number): void {
    state.words[stateAt >> 2] = 0;
  },
  append(state, stateAt, bytes, at, capacity, time, low, high): boolean {
    const count = state.words[stateAt >> 2]!;
    if (HEADER + (count + 1) * SAMPLE_BYTES > capacity) return false;
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const to = at + HEADER + count * SAMPLE_BYTES;
    view.setFloat64(to, time);
    view.setInt32(to + 8, low);
    view.setInt32(to + 12, high);
    state.words[stateAt >> 2] = count + 1;
    return true;
  },
  count: (state, stateAt) => state.words[stateAt >> 2]!,
  length: (state, stateAt) => HEADER + state.words[stateAt >> 2]! * SAMPLE_BYTES,
  seal(state, stateAt, bytes, at): number {
    const count = state.words[stateAt >> 2]!;
    bytes[at] = count >>> 8;
    bytes[at + 1] = count;
    return HEADER + count * SAMPLE_BYTES;
  },
  decode(bytes, at, length, count, into: SampleColumns): void {
    if (HEADER + count * SAMPLE_BYTES > length) {
      throw new StorageError("BLOCK_CORRUPT", `${count} samples do not fit ${length} bytes`);
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    into.reserve(count);
    const words = new Int32Array(into.values.buffer);
    for (let i = 0; i < count; i += 1) {
      const from = at + HEADER + i * SAMPLE_BYTES;
      into.times[into.length] = view.getFloat64(from);
      words[into.length * 2] = view.getInt32(from + 8);
      words[into.length * 2 + 1] = view.getInt32(from + 12);
      into.length += 1;
    }
  },
  storedCount: (bytes, at) => bytes[at]! * 256 + bytes[at + 1]!,
};

/** A codec of one byte a sample that keeps only the count: what is left is the manager's own time. */
export const countingCodec: ChunkCodec = {
  ...dullCodec,
  capacityMin: 8,
  append(state, stateAt): boolean {
    state.words[stateAt >> 2] = state.words[stateAt >> 2]! + 1;
    return true;
  },
  length: () => 8,
  seal: () => 8,
};

/** An allocator over arrays of their own, with a bound. What is released is overwritten, so that late use shows. */
export class DullAllocator implements Allocator {
  readonly #bytesMax: number;
  readonly #regions = new Map<Region, Uint8Array>();
  #next = 1;
  #live = 0;
  #batches = 0;
  peakBytes = 0;

  constructor(bytesMax = Number.POSITIVE_INFINITY) {
    this.#bytesMax = bytesMax;
  }

  get stats(): AllocatorStats {
    const live = this.#regions.size;
    const acquired = this.#next - 1;
    return {
      live,
      liveBytes: this.#live,
      acquired,
      hits: 0,
      retainedBytes: 0,
      batches: this.#batches,
    };
  }

  acquire(bytes: number): Region {
    if (this.#live + bytes > this.#bytesMax) return NO_REGION;
    this.#live += bytes;
    this.peakBytes = Math.max(this.peakBytes, this.#live);
    this.#regions.set(this.#next, new Uint8Array(bytes));
    this.#next += 1;
    return this.#next - 1;
  }

  acquireMany(bytes: number, count: number, into: Uint32Array): number {
    this.#batches += 1;
    for (let i = 0; i < count; i += 1) {
      const region = this.acquire(bytes);
      if (region === NO_REGION) return i;
      into[i] = region;
    }
    return count;
  }

  release(region: Region): void {
    const bytes = this.bytes(region);
    bytes.fill(0xdd);
    this.#live -= bytes.length;
    this.#regions.delete(region);
  }

  bytes(region: Region): Uint8Array {
    const bytes = this.#regions.get(region);
    if (bytes === undefined) throw new Error(`region ${region} is not live`);
    return bytes;
  }

  at(): number {
    return 0;
  }

  capacity(region: Region): number {
    return this.bytes(region).length;
  }
}
