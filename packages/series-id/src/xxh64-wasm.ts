import { loadKernel } from "@varve/bytes";
import type { Memory, SeriesHasher, SeriesIdNeeds, Variant, WriteBatch } from "@varve/contracts";
import { Xxh64Hasher } from "./internal/xxh64-hasher.ts";

/**
 * The same hashes as `xxh64`, by a kernel that reads the keys of a whole range where they lie.
 *
 * A batch in another memory than the one given at `open` is out of the kernel's reach: `xxh64` hashes it, since a key has one
 * hash wherever it lies.
 */
export function xxh64WasmId(): Variant<"series-id"> {
  return {
    slot: "series-id",
    name: "xxh64-wasm",
    traits: { stable: true },
    open: (needs: SeriesIdNeeds) => new Xxh64WasmHasher(needs),
  };
}

/** What kernel/xxh64.ts exports. Places are byte offsets of the memory. */
interface Xxh64Kernel {
  hash(
    keys: number,
    keyAt: number,
    hashes: number,
    from: number,
    until: number,
    seedLow: number,
    seedHigh: number,
  ): void;
}

const KERNEL = new URL("../dist/kernel/xxh64.wasm", import.meta.url);

class Xxh64WasmHasher implements SeriesHasher {
  readonly #kernel: Xxh64Kernel;
  readonly #memory: Memory | undefined;
  readonly #seedLow: number;
  readonly #seedHigh: number;
  readonly #plain: Xxh64Hasher;

  constructor({ memory, seed }: SeriesIdNeeds) {
    this.#kernel = loadKernel<Xxh64Kernel>(KERNEL, memory);
    this.#memory = memory;
    this.#seedLow = seed.low | 0;
    this.#seedHigh = seed.high | 0;
    this.#plain = new Xxh64Hasher(seed);
  }

  hash(batch: WriteBatch, from: number, until: number): void {
    if (batch.memory !== this.#memory) return this.#plain.hash(batch, from, until);
    const { keys, keyAt, hashes } = batch;
    this.#kernel.hash(
      keys.byteOffset,
      keyAt.byteOffset,
      hashes.byteOffset,
      from,
      until,
      this.#seedLow,
      this.#seedHigh,
    );
  }
}
