import type { Memory } from "./memory.ts";

/** A piece of allocator memory, as a number that its allocator understands. */
export type Region = number;

/** No region: the allocator's bound is reached. */
export const NO_REGION: Region = 0;

export interface AllocatorStats {
  /** Regions acquired and not released. */
  readonly live: number;
  readonly liveBytes: number;
  /** Acquisitions since open, and how many of them were served by something released before. */
  readonly acquired: number;
  readonly hits: number;
  /** Bytes kept for reuse. */
  readonly retainedBytes: number;
  /** Calls of `acquireMany`. */
  readonly batches: number;
}

/** Hands out byte regions. Fresh or reused, a region's content is undefined. */
export interface Allocator {
  /** A region of at least `bytes`, or NO_REGION when the bound is reached. */
  acquire(bytes: number): Region;
  /** Acquires `count` regions of at least `bytes` into `into`; returns how many it got, all or fewer. */
  acquireMany(bytes: number, count: number, into: Uint32Array): number;
  /** The region and its bytes must not be used again. */
  release(region: Region): void;
  /** The array in which the region lies, from `at(region)` on for `capacity(region)` bytes. Valid until released. */
  bytes(region: Region): Uint8Array;
  at(region: Region): number;
  capacity(region: Region): number;
  readonly stats: AllocatorStats;
}

export interface AllocatorTraits {
  /** Regions lie in the linear memory: kernels can work on them. */
  readonly linear: boolean;
  /** Released regions are handed out again. */
  readonly recycles: boolean;
}

export interface AllocatorNeeds {
  readonly memory: Memory;
  /** Bound on live and retained bytes together. */
  readonly bytesMax: number;
}
