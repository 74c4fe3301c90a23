import { assert, type Descriptor, type Disk } from "@varve/contracts";
import { readFully } from "@varve/disk/transfer";

export interface PageCacheOptions {
  /** Most bytes that pages take together. 64 MiB by default; at least one page is kept. */
  readonly bytesMax?: number;
  /** Size of a page, a power of two. 64 KiB by default. */
  readonly pageBytes?: number;
}

/**
 * Pages of files that do not change, the most recently used ones of all blocks that share the cache.
 *
 * A page's array is the cache's and is filled anew once the page was pushed out: what was found in `slot` is valid
 * while `stamp(slot)` stays what it was.
 */
export interface PageCache {
  readonly pageBytes: number;
  readonly bytesMax: number;
  /** Bytes that pages take now. */
  readonly bytes: number;
  /** Pages that were asked for and there, and those that were read. */
  readonly hits: number;
  readonly misses: number;
  /** Takes a file in and returns its number. The descriptor stays the caller's, and open until `remove`. */
  add(disk: Disk, fd: Descriptor): number;
  /** Forgets a file and its pages. */
  remove(file: number): void;
  /** Finds a page of a file, or reads it; throws what the disk throws. */
  slot(file: number, page: number): number;
  stamp(slot: number): number;
  bytesOf(slot: number): Uint8Array;
  /** Bytes of the page that the file has: fewer than a page at its end, 0 behind it. */
  lengthOf(slot: number): number;
}

/** Makes an empty cache. Pages are set aside as they are needed, and kept from then on. */
export function pageCache(options: PageCacheOptions = {}): PageCache {
  const { bytesMax = 64 * 2 ** 20, pageBytes = 64 * 1024 } = options;
  assert(Number.isInteger(Math.log2(pageBytes)), `pages are a power of two, got ${pageBytes}`);
  return new Pages(Math.max(1, Math.floor(bytesMax / pageBytes)), pageBytes);
}

const NONE = -1;

interface CachedFile {
  readonly disk: Disk;
  readonly fd: Descriptor;
}

/** Slots in a ring from the newest to the oldest, and in chains by the hash of their file and page. */
class Pages implements PageCache {
  readonly pageBytes: number;
  readonly bytesMax: number;
  hits = 0;
  misses = 0;
  readonly #files = new Map<number, CachedFile>();
  #fileNext = 0;
  readonly #slotsMax: number;
  readonly #arrays: Uint8Array[] = [];
  readonly #lengths: Int32Array;
  /** By slot: whose page it is, NONE for nobody's. */
  readonly #fileOf: Int32Array;
  readonly #pageOf: Float64Array;
  readonly #stamps: Float64Array;
  #stampNext = 1;
  /** The ring's neighbours; the slot behind the last one is its knot: newer than the oldest, older than the newest. */
  readonly #older: Int32Array;
  readonly #newer: Int32Array;
  readonly #buckets: Int32Array;
  readonly #chains: Int32Array;

  constructor(slotsMax: number, pageBytes: number) {
    this.#slotsMax = slotsMax;
    this.pageBytes = pageBytes;
    this.bytesMax = slotsMax * pageBytes;
    this.#lengths = new Int32Array(slotsMax);
    this.#fileOf = new Int32Array(slotsMax).fill(NONE);
    this.#pageOf = new Float64Array(slotsMax);
    this.#stamps = new Float64Array(slotsMax);
    this.#older = new Int32Array(slotsMax + 1).fill(slotsMax);
    this.#newer = new Int32Array(slotsMax + 1).fill(slotsMax);
    this.#buckets = new Int32Array(2 ** Math.ceil(Math.log2(slotsMax * 2))).fill(NONE);
    this.#chains = new Int32Array(slotsMax).fill(NONE);
  }

  get bytes(): number {
    return this.#arrays.length * this.pageBytes;
  }

  add(disk: Disk, fd: Descriptor): number {
    const file = this.#fileNext;
    this.#fileNext += 1;
    this.#files.set(file, { disk, fd });
    return file;
  }

  remove(file: number): void {
    this.#files.delete(file);
    for (let slot = 0; slot < this.#arrays.length; slot += 1) {
      if (this.#fileOf[slot] !== file) continue;
      this.#empty(slot);
      this.#leaveRing(slot);
      this.#enterRing(slot, this.#newer[this.#slotsMax]!); // As the oldest: it goes first.
    }
  }

  slot(file: number, page: number): number {
    const bucket = this.#bucketOf(file, page);
    for (let slot = this.#buckets[bucket]!; slot !== NONE; slot = this.#chains[slot]!) {
      if (this.#fileOf[slot] !== file || this.#pageOf[slot] !== page) continue;
      this.hits += 1;
      this.#makeNewest(slot);
      return slot;
    }
    this.misses += 1;
    return this.#load(file, page, bucket);
  }

  stamp(slot: number): number {
    return this.#stamps[slot]!;
  }

  bytesOf(slot: number): Uint8Array {
    return this.#arrays[slot]!;
  }

  lengthOf(slot: number): number {
    return this.#lengths[slot]!;
  }

  #load(file: number, page: number, bucket: number): number {
    const source = this.#files.get(file);
    assert(source !== undefined, `file ${file} is in the cache`);
    const slot = this.#free();
    const { pageBytes } = this;
    const bytes = this.#arrays[slot]!;
    // A failed read leaves a slot that is nobody's.
    this.#lengths[slot] = readFully(source.disk, source.fd, bytes, 0, pageBytes, page * pageBytes);
    this.#fileOf[slot] = file;
    this.#pageOf[slot] = page;
    this.#chains[slot] = this.#buckets[bucket]!;
    this.#buckets[bucket] = slot;
    this.#makeNewest(slot);
    return slot;
  }

  /** A slot that is nobody's: a new one, or the oldest one, emptied. */
  #free(): number {
    const slot = this.#arrays.length;
    if (slot < this.#slotsMax) {
      const oldest = this.#newer[this.#slotsMax]!;
      if (oldest !== this.#slotsMax && this.#fileOf[oldest] === NONE) return oldest;
      this.#arrays.push(new Uint8Array(this.pageBytes));
      this.#enterRing(slot, this.#newer[this.#slotsMax]!);
      return slot;
    }
    const oldest = this.#newer[this.#slotsMax]!;
    if (this.#fileOf[oldest] !== NONE) this.#empty(oldest);
    return oldest;
  }

  #empty(slot: number): void {
    const bucket = this.#bucketOf(this.#fileOf[slot]!, this.#pageOf[slot]!);
    if (this.#buckets[bucket] === slot) {
      this.#buckets[bucket] = this.#chains[slot]!;
    } else {
      let before = this.#buckets[bucket]!;
      while (this.#chains[before] !== slot) before = this.#chains[before]!;
      this.#chains[before] = this.#chains[slot]!;
    }
    this.#fileOf[slot] = NONE;
    this.#stamps[slot] = this.#stampNext;
    this.#stampNext += 1;
  }

  #bucketOf(file: number, page: number): number {
    const hash = Math.imul(file + 1, 0x9e3779b1) ^ Math.imul(page + 1, 0x85ebca6b);
    return (hash ^ (hash >>> 15)) & (this.#buckets.length - 1);
  }

  #makeNewest(slot: number): void {
    const knot = this.#slotsMax;
    if (this.#older[knot] === slot) return;
    this.#leaveRing(slot);
    this.#enterRing(slot, knot);
  }

  /** Puts a slot into the ring, next older than `newer`. */
  #enterRing(slot: number, newer: number): void {
    const older = this.#older[newer]!;
    this.#newer[slot] = newer;
    this.#older[slot] = older;
    this.#older[newer] = slot;
    this.#newer[older] = slot;
  }

  #leaveRing(slot: number): void {
    const newer = this.#newer[slot]!;
    const older = this.#older[slot]!;
    this.#older[newer] = older;
    this.#newer[older] = newer;
  }
}
