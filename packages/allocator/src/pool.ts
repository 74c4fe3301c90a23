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
import {
  CLASS_COUNT,
  classOf,
  LINE_BYTES,
  linesOf,
  REGION_BYTES_MAX,
} from "./internal/size-classes.ts";

export interface PoolAllocatorOptions {
  /** Most bytes kept for reuse: more go to the garbage collector. A quarter of `bytesMax` unless given. */
  readonly retainedBytesMax?: number;
}

/**
 * Arrays on the JavaScript heap that are handed out again: a free list for each size class.
 *
 * A region has its class's size and starts at index 0 of its own array. When the bound is near, arrays kept for
 * reuse make way for what is acquired.
 */
export function poolAllocator(options: PoolAllocatorOptions = {}): Variant<"allocator"> {
  const { retainedBytesMax } = options;
  return {
    slot: "allocator",
    name: "pool",
    traits: { linear: false, recycles: true },
    open: (needs) => new PoolAllocator(needs, retainedBytesMax ?? Math.floor(needs.bytesMax / 4)),
  };
}

/** What a region's number stands for. */
const UNUSED = 0;
const LIVE = 1;
const KEPT = 2;

class PoolAllocator implements Allocator {
  readonly #bytesMax: number;
  readonly #retainedBytesMax: number;
  /** The array of each region, by number, live or kept. Number 0 is NO_REGION. */
  readonly #arrays: (Uint8Array | undefined)[] = [undefined];
  #states = new Uint8Array(64);
  /** Numbers without an array, and for each class the numbers whose array is kept. */
  readonly #unused: Region[] = [];
  readonly #kept: readonly Region[][] = Array.from({ length: CLASS_COUNT }, () => []);
  #live = 0;
  #liveBytes = 0;
  #retainedBytes = 0;
  #acquired = 0;
  #hits = 0;
  #batches = 0;

  constructor({ bytesMax }: AllocatorNeeds, retainedBytesMax: number) {
    this.#bytesMax = bytesMax;
    this.#retainedBytesMax = retainedBytesMax;
  }

  get stats(): AllocatorStats {
    return {
      live: this.#live,
      liveBytes: this.#liveBytes,
      acquired: this.#acquired,
      hits: this.#hits,
      retainedBytes: this.#retainedBytes,
      batches: this.#batches,
    };
  }

  acquire(bytes: number): Region {
    if (!(bytes > 0)) assert(false, `a region has bytes, got ${bytes}`);
    if (bytes > REGION_BYTES_MAX) return NO_REGION;
    const sizeClass = classOf(bytes);
    const size = linesOf(sizeClass) * LINE_BYTES;
    let region = this.#kept[sizeClass]!.pop();
    if (region !== undefined) {
      this.#hits += 1;
      this.#retainedBytes -= size;
    } else {
      region = this.#make(size);
      if (region === NO_REGION) return NO_REGION;
    }
    this.#states[region] = LIVE;
    this.#live += 1;
    this.#liveBytes += size;
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
    const size = this.bytes(region).length;
    this.#live -= 1;
    this.#liveBytes -= size;
    if (this.#retainedBytes + size > this.#retainedBytesMax) {
      this.#forget(region);
      return;
    }
    this.#states[region] = KEPT;
    this.#kept[classOf(size)]!.push(region);
    this.#retainedBytes += size;
  }

  bytes(region: Region): Uint8Array {
    if (this.#states[region] !== LIVE) {
      throw new AssertionError(`a region is live while it is used, got ${region}`);
    }
    return this.#arrays[region]!;
  }

  at(region: Region): number {
    this.bytes(region);
    return 0;
  }

  capacity(region: Region): number {
    return this.bytes(region).length;
  }

  /** A number with a fresh array behind it, or NO_REGION when the bound is reached. */
  #make(size: number): Region {
    const room = this.#bytesMax - size;
    if (this.#liveBytes > room) return NO_REGION;
    if (this.#liveBytes + this.#retainedBytes > room) this.#shed(room - this.#liveBytes);
    const region = this.#unused.pop() ?? this.#arrays.length;
    this.#arrays[region] = new Uint8Array(size);
    if (region >= this.#states.length) {
      const states = new Uint8Array(this.#states.length * 2);
      states.set(this.#states);
      this.#states = states;
    }
    return region;
  }

  /** Lets go of kept arrays, the largest first, until at most `retainedBytes` are left. */
  #shed(retainedBytes: number): void {
    for (let i = CLASS_COUNT - 1; i > 0 && this.#retainedBytes > retainedBytes; i -= 1) {
      const kept = this.#kept[i]!;
      while (kept.length > 0 && this.#retainedBytes > retainedBytes) {
        this.#forget(kept.pop()!);
        this.#retainedBytes -= linesOf(i) * LINE_BYTES;
      }
    }
  }

  #forget(region: Region): void {
    this.#arrays[region] = undefined;
    this.#states[region] = UNUSED;
    this.#unused.push(region);
  }
}
