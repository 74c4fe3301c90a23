import {
  assert,
  AssertionError,
  NO_REGION,
  type Allocator,
  type AllocatorNeeds,
  type AllocatorStats,
  type Region,
  type Variant,
} from "@varve/contracts";

/**
 * A fresh array on the JavaScript heap for each region, and the garbage collector's work after it: the seed's way.
 *
 * A region has exactly the bytes that were asked for and starts at index 0 of its own array. A region's number
 * is given out again after its release, its bytes are not.
 */
export function heapAllocator(): Variant<"allocator"> {
  return {
    slot: "allocator",
    name: "heap",
    traits: { linear: false, recycles: false },
    open: (needs) => new HeapAllocator(needs),
  };
}

class HeapAllocator implements Allocator {
  readonly #bytesMax: number;
  /** The array of each region, by number. Number 0 is NO_REGION. */
  readonly #arrays: (Uint8Array | undefined)[] = [undefined];
  /** Numbers without an array. */
  readonly #free: Region[] = [];
  #live = 0;
  #liveBytes = 0;
  #acquired = 0;
  #batches = 0;

  constructor({ bytesMax }: AllocatorNeeds) {
    this.#bytesMax = bytesMax;
  }

  get stats(): AllocatorStats {
    return {
      live: this.#live,
      liveBytes: this.#liveBytes,
      acquired: this.#acquired,
      hits: 0,
      retainedBytes: 0,
      batches: this.#batches,
    };
  }

  acquire(bytes: number): Region {
    if (!(bytes > 0)) assert(false, `a region has bytes, got ${bytes}`);
    if (this.#liveBytes + bytes > this.#bytesMax) return NO_REGION;
    const array = new Uint8Array(bytes);
    const region = this.#free.pop() ?? this.#arrays.length;
    if (region === this.#arrays.length) this.#arrays.push(array);
    else this.#arrays[region] = array;
    this.#live += 1;
    this.#liveBytes += bytes;
    this.#acquired += 1;
    return region;
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
    const { length } = this.bytes(region);
    this.#arrays[region] = undefined;
    this.#free.push(region);
    this.#live -= 1;
    this.#liveBytes -= length;
  }

  bytes(region: Region): Uint8Array {
    const array = this.#arrays[region];
    if (array === undefined) throw notLive(region);
    return array;
  }

  at(region: Region): number {
    this.bytes(region);
    return 0;
  }

  capacity(region: Region): number {
    return this.bytes(region).length;
  }
}

function notLive(region: Region): AssertionError {
  return new AssertionError(`a region is live while it is used, got ${region}`);
}
