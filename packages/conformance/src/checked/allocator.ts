import {
  assert,
  NO_REGION,
  type Allocator,
  type AllocatorStats,
  type Region,
} from "@varve/contracts";

/** What released bytes are filled with. */
const POISON = 0xdb;
/** Allocators may keep links of free lists in the first bytes of a released region. */
const LINK_BYTES = 16;

interface Place {
  readonly bytes: Uint8Array;
  readonly at: number;
  readonly capacity: number;
}

/** Catches double release, use after release, and writes to regions that were released. */
export function checkedAllocator(allocator: Allocator): Allocator {
  return new CheckedAllocator(allocator);
}

class CheckedAllocator implements Allocator {
  readonly #allocator: Allocator;
  readonly #live = new Map<Region, Place>();
  /** Released regions, until they are handed out again. */
  readonly #released = new Map<Region, Place>();

  constructor(allocator: Allocator) {
    this.#allocator = allocator;
  }

  get stats(): AllocatorStats {
    const { stats } = this.#allocator;
    assert(stats.live === this.#live.size, `live is ${this.#live.size}, got ${stats.live}`);
    return stats;
  }

  acquire(bytes: number): Region {
    assert(Number.isSafeInteger(bytes) && bytes > 0, `a region has bytes, got ${bytes}`);
    const region = this.#allocator.acquire(bytes);
    if (region !== NO_REGION) this.#admit(region, bytes);
    return region;
  }

  acquireMany(bytes: number, count: number, into: Uint32Array): number {
    assert(Number.isSafeInteger(bytes) && bytes > 0, `a region has bytes, got ${bytes}`);
    assert(count <= into.length, `into has room for ${count} regions, got ${into.length}`);
    const got = this.#allocator.acquireMany(bytes, count, into);
    assert(got >= 0 && got <= count, `at most ${count} regions are acquired, got ${got}`);
    for (let i = 0; i < got; i += 1) this.#admit(into[i]!, bytes);
    return got;
  }

  release(region: Region): void {
    const place = this.#use(region, "released");
    place.bytes.fill(POISON, place.at, place.at + place.capacity);
    this.#live.delete(region);
    this.#released.set(region, place);
    this.#allocator.release(region);
  }

  bytes(region: Region): Uint8Array {
    const { bytes } = this.#use(region, "read");
    const now = this.#allocator.bytes(region);
    assert(now.buffer === bytes.buffer, `region ${region} stays in its array until it is released`);
    return now;
  }

  at(region: Region): number {
    const { at } = this.#use(region, "read");
    const now = this.#allocator.at(region);
    assert(now === at, `region ${region} stays at ${at} until it is released, got ${now}`);
    return now;
  }

  capacity(region: Region): number {
    const { capacity } = this.#use(region, "read");
    const now = this.#allocator.capacity(region);
    assert(now === capacity, `region ${region} keeps ${capacity} bytes, got ${now}`);
    return now;
  }

  #admit(region: Region, bytes: number): void {
    assert(region !== NO_REGION, "a region that was acquired is not NO_REGION");
    assert(!this.#live.has(region), `region ${region} is handed out once at a time`);
    const before = this.#released.get(region);
    if (before !== undefined) {
      this.#released.delete(region);
      checkPoison(region, before);
    }
    const array = this.#allocator.bytes(region);
    const at = this.#allocator.at(region);
    const capacity = this.#allocator.capacity(region);
    assert(capacity >= bytes, `region ${region} has ${bytes} bytes, got ${capacity}`);
    assert(at >= 0 && at + capacity <= array.length, `region ${region} lies inside its array`);
    array.fill(POISON, at, at + capacity); // Fresh content is undefined: nobody may rely on zeros.
    this.#live.set(region, { bytes: array, at, capacity });
  }

  #use(region: Region, how: string): Place {
    const place = this.#live.get(region);
    if (place !== undefined) return place;
    const state = this.#released.has(region) ? "was released before" : "was never acquired";
    assert(false, `a region that is ${how} is live, but region ${region} ${state}`);
    throw new Error("unreachable");
  }
}

function checkPoison(region: Region, { bytes, at, capacity }: Place): void {
  for (let i = at + LINK_BYTES; i < at + capacity; i += 1) {
    if (bytes[i] === POISON) continue;
    assert(
      false,
      `nobody writes to region ${region} after its release, byte ${i - at} is ${bytes[i]}`,
    );
  }
}
