import {
  assert,
  AssertionError,
  NO_REGION,
  StorageError,
  type Allocator,
  type AllocatorNeeds,
  type AllocatorStats,
  type Region,
  type Variant,
} from "@varve/contracts";
import { classOf, LINE_BYTES, linesOf, REGION_BYTES_MAX } from "./internal/size-classes.ts";
import { COUNT, FREE, FRESH, FIRST, LINES, LIVE, Slabs } from "./internal/slabs.ts";

/** Most bytes of a slab unless an option says otherwise. */
const SLAB_BYTES = 256 * 1024;
const SLAB_BYTES_MIN = 4096;

/** A bound is divided into this many slabs at least, so that a few sizes cannot use it up. */
const SLABS_MIN = 16;

/** Up to this size, one view covers the whole memory. */
const VIEW_BYTES_MAX = 2 ** 31;

export interface SlabAllocatorOptions {
  /**
   * Bytes taken from the memory at once, a power of two from 4 KiB on: 256 KiB unless given. A small `bytesMax` makes
   * slabs smaller, and a region of an eighth of a slab or more gets one of its own.
   */
  readonly slabBytes?: number;
}

/**
 * Regions of the linear memory, carved from slabs of one size class each, so that kernels can work on them in place.
 *
 * A region's number is its offset in lines of 64 bytes. In a memory of up to 2 GiB `bytes` is always the
 * same array, and `at` the offset itself; in a larger one there is an array for each GiB, because V8 is slow at indices
 * beyond 2^31. Slabs without live regions go back to the memory when room is needed.
 */
export function slabAllocator(options: SlabAllocatorOptions = {}): Variant<"allocator"> {
  const { slabBytes = SLAB_BYTES } = options;
  if (slabBytes < SLAB_BYTES_MIN || slabBytes > REGION_BYTES_MAX || !isPowerOfTwo(slabBytes)) {
    throw new StorageError("PLAN", `slabBytes is a power of two from 4096 on, got ${slabBytes}`, {
      facts: { option: "slabBytes", value: slabBytes },
    });
  }
  return {
    slot: "allocator",
    name: "slab",
    traits: { linear: true, recycles: true },
    open: (needs) => new SlabAllocator(needs, slabBytes),
  };
}

class SlabAllocator implements Allocator {
  readonly #slabs: Slabs;
  /** The memory, one array for each window. */
  readonly #views: readonly Uint8Array[];
  readonly #windowShift: number;
  readonly #windowMask: number;
  /** The memory as words: a free region's first one holds the next free region of its slab. */
  readonly #links: Int32Array;
  #live = 0;
  #liveLines = 0;
  #acquired = 0;
  #hits = 0;
  #batches = 0;

  constructor({ memory, bytesMax }: AllocatorNeeds, slabBytes: number) {
    let size = slabBytes;
    while (size > SLAB_BYTES_MIN && size * SLABS_MIN > bytesMax) size /= 2;
    this.#slabs = new Slabs(memory, bytesMax, size);
    this.#links = memory.words(0, memory.bytesMax / 4);
    const whole = memory.bytesMax <= VIEW_BYTES_MAX;
    this.#windowShift = whole ? 31 : 24;
    this.#windowMask = whole ? 0x7fffffff : 0xffffff;
    const views: Uint8Array[] = [];
    // A region that starts in one GiB may end in the next: windows overlap by the largest region.
    for (let at = 0; at < memory.bytesMax; at += whole ? VIEW_BYTES_MAX : VIEW_BYTES_MAX / 2) {
      views.push(memory.bytes(at, Math.min(VIEW_BYTES_MAX, memory.bytesMax - at)));
    }
    this.#views = views;
  }

  get stats(): AllocatorStats {
    const liveBytes = this.#liveLines * LINE_BYTES;
    return {
      live: this.#live,
      liveBytes,
      acquired: this.#acquired,
      hits: this.#hits,
      retainedBytes: this.#slabs.bytesTaken - liveBytes,
      batches: this.#batches,
    };
  }

  acquire(bytes: number): Region {
    if (!(bytes > 0)) assert(false, `a region has bytes, got ${bytes}`);
    if (bytes > REGION_BYTES_MAX) return NO_REGION;
    const sizeClass = classOf(bytes);
    const slab = this.#slabs.withRoom(sizeClass);
    if (slab === 0) return NO_REGION;
    const { table } = this.#slabs;
    const entry = slab << 4;
    let region = table[entry + FREE]!;
    if (region !== 0) {
      table[entry + FREE] = this.#links[region << 4]!;
      this.#hits += 1;
    } else {
      const fresh = table[entry + FRESH]!;
      region = table[entry + FIRST]! + fresh * table[entry + LINES]!;
      table[entry + FRESH] = fresh + 1;
    }
    this.#slabs.acquired(slab, sizeClass, 1);
    this.#live += 1;
    this.#liveLines += table[entry + LINES]!;
    this.#acquired += 1;
    return region;
  }

  acquireMany(bytes: number, count: number, into: Uint32Array): number {
    assert(bytes > 0, `a region has bytes, got ${bytes}`);
    this.#batches += 1;
    if (bytes > REGION_BYTES_MAX) return 0;
    const sizeClass = classOf(bytes);
    const lines = linesOf(sizeClass);
    let done = 0;
    while (done < count) {
      const slab = this.#slabs.withRoom(sizeClass);
      if (slab === 0) break;
      const got = this.#takeMany(slab, into, done, count);
      this.#slabs.acquired(slab, sizeClass, got);
      done += got;
    }
    this.#live += done;
    this.#liveLines += done * lines;
    this.#acquired += done;
    return done;
  }

  release(region: Region): void {
    const slab = this.#slabOf(region);
    const { table } = this.#slabs;
    const entry = slab << 4;
    if (table[entry + LIVE] === 0)
      assert(false, `a region is live while it is used, got ${region}`);
    this.#slabs.releasing(slab);
    this.#links[region << 4] = table[entry + FREE]!;
    table[entry + FREE] = region;
    this.#live -= 1;
    this.#liveLines -= table[entry + LINES]!;
  }

  bytes(region: Region): Uint8Array {
    this.#slabOf(region);
    return this.#views[region >>> this.#windowShift]!;
  }

  at(region: Region): number {
    return (region & this.#windowMask) * 64;
  }

  capacity(region: Region): number {
    return this.#slabs.table[(this.#slabOf(region) << 4) + LINES]! * 64;
  }

  /** Fills `into` from `from` up to `until` at most from one slab; returns how many regions it gave. */
  #takeMany(slab: number, into: Uint32Array, from: number, until: number): number {
    const { table } = this.#slabs;
    const links = this.#links;
    const entry = slab << 4;
    let done = from;
    let free = table[entry + FREE]!;
    for (; free !== 0 && done < until; done += 1) {
      into[done] = free;
      free = links[free << 4]!;
    }
    table[entry + FREE] = free;
    this.#hits += done - from;
    const lines = table[entry + LINES]!;
    const fresh = table[entry + FRESH]!;
    const carved = Math.min(until - done, table[entry + COUNT]! - fresh);
    let region = table[entry + FIRST]! + fresh * lines;
    for (let i = 0; i < carved; i += 1, region += lines) into[done + i] = region;
    table[entry + FRESH] = fresh + carved;
    return done + carved - from;
  }

  #slabOf(region: Region): number {
    const slab = this.#slabs.of(region);
    if (slab === 0 || slab === undefined) {
      throw new AssertionError(`a region is live while it is used, got ${region}`);
    }
    return slab;
  }
}

function isPowerOfTwo(value: number): boolean {
  return Number.isSafeInteger(value) && Number.isInteger(Math.log2(value));
}
