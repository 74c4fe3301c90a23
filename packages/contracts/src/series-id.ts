import type { WriteBatch } from "./batch.ts";
import type { Memory } from "./memory.ts";

/** A 64-bit seed as two unsigned words. With both 0, a hasher whose trait is `stable` gives StableHash. */
export interface HashSeed {
  readonly low: number;
  readonly high: number;
}

/** Turns keys into hashes. A hash only finds candidates: the key bytes decide. */
export interface SeriesHasher {
  /** Fills `hashes` of rows from … until-1 from their keys. Equal keys give equal hashes. */
  hash(batch: WriteBatch, from: number, until: number): void;
}

export interface SeriesIdTraits {
  /** With seed 0 the hash is Prometheus' StableHash: xxh64 of the canonical key. */
  readonly stable: boolean;
}

export interface SeriesIdNeeds {
  /** The memory that kernels work in. Engines give it; what is written in TypeScript does without. */
  readonly memory?: Memory;
  readonly seed: HashSeed;
}
