import {
  NO_REGION,
  type Allocator,
  type AllocatorNeeds,
  type AllocatorStats,
  type Region,
} from "@varve/contracts";

/** Each region an array of its own, as the dullest allocator has it: company for parts that need one. */
export function plainAllocator(needs: AllocatorNeeds): Allocator {
  return new PlainAllocator(needs.bytesMax);
}

class PlainAllocator implements Allocator {
  readonly #bytesMax: number;
  readonly #regions = new Map<Region, Uint8Array>();
  #next: Region = 1;
  #liveBytes = 0;
  #acquired = 0;
  #batches = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get stats(): AllocatorStats {
    return {
      live: this.#regions.size,
      liveBytes: this.#liveBytes,
      acquired: this.#acquired,
      hits: 0,
      retainedBytes: 0,
      batches: this.#batches,
    };
  }

  acquire(bytes: number): Region {
    if (this.#liveBytes + bytes > this.#bytesMax) return NO_REGION;
    const region = this.#next;
    this.#next += 1;
    this.#regions.set(region, new Uint8Array(bytes));
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
    this.#liveBytes -= this.bytes(region).length;
    this.#regions.delete(region);
  }

  bytes(region: Region): Uint8Array {
    return this.#regions.get(region)!;
  }

  at(): number {
    return 0;
  }

  capacity(region: Region): number {
    return this.bytes(region).length;
  }
}
