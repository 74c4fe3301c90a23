import type { HashSeed, SeriesHasher, SeriesIdNeeds, Variant, WriteBatch } from "@varve/contracts";
import { finish } from "./mix.ts";

/**
 * FNV-1a's loop in plain TypeScript, four bytes a step, in two seeded lanes.
 *
 * It is not the published FNV-1a, which takes a byte a step: fed words, a multiplication alone would
 * never carry a high byte's change down, so each step also folds. Not keyed against attackers who know
 * the seed.
 */
export function fnv1aId(): Variant<"series-id"> {
  return {
    slot: "series-id",
    name: "fnv1a",
    traits: { stable: false },
    open: ({ seed }: SeriesIdNeeds) => new Fnv1aHasher(seed),
  };
}

/** FNV's offset basis and prime for 32 bits; the other lane's are MurmurHash3's. */
const OFFSET = 0x811c9dc5;
const PRIME = 0x01000193;
const OTHER_OFFSET = 0x9747b28c;
const OTHER_PRIME = 0xcc9e2d51;

class Fnv1aHasher implements SeriesHasher {
  readonly #start: number;
  readonly #otherStart: number;

  constructor({ low, high }: HashSeed) {
    this.#start = low ^ OFFSET;
    this.#otherStart = high ^ OTHER_OFFSET;
  }

  hash(batch: WriteBatch, from: number, until: number): void {
    const { keys, keyAt, hashes } = batch;
    for (let row = from; row < until; row += 1) {
      const start = keyAt[row]!;
      const end = keyAt[row + 1]!;
      let lane = this.#start;
      let other = this.#otherStart;
      let at = start;
      for (; at + 4 <= end; at += 4) {
        const word =
          keys[at]! | (keys[at + 1]! << 8) | (keys[at + 2]! << 16) | (keys[at + 3]! << 24);
        lane = Math.imul(lane ^ word, PRIME);
        lane ^= lane >>> 15;
        other = Math.imul(other ^ word, OTHER_PRIME);
        other ^= other >>> 13;
      }
      // The length tells a tail from the same tail with zeros behind it.
      let tail = (end - start) << 24;
      for (let shift = 0; at < end; at += 1, shift += 8) tail ^= keys[at]! << shift;
      finish(Math.imul(lane ^ tail, PRIME), Math.imul(other ^ tail, OTHER_PRIME), hashes, row);
    }
  }
}
