import { crc32c } from "@varve/bytes";

/** Upper bits of a pair's place come from one hash, these from another: 53 together. */
const LOW_BITS = 21;

/**
 * Which series carry which pair, as a count and a sum for each, so that lists can be compared with series that were
 * seen before, and neither is held. Sums depend on the order.
 */
export class PairSums {
  readonly #places = new Map<number, number>();
  #counts = new Uint32Array(1024);
  #sums = new Uint32Array(1024);

  get size(): number {
    return this.#places.size;
  }

  /** The pair `name 0xFF value` in bytes[from … until) is carried by the series. */
  add(bytes: Uint8Array, from: number, until: number, id: number): void {
    const hash = hashOf(bytes, from, until);
    let place = this.#places.get(hash);
    if (place === undefined) {
      place = this.#places.size;
      this.#places.set(hash, place);
      if (place === this.#counts.length) this.#grow();
    }
    this.#counts[place]! += 1;
    this.#sums[place] = addId(this.#sums[place]!, id);
  }

  /** Forgets a pair, and returns true when so many series carry it, with this sum. */
  take(bytes: Uint8Array, from: number, until: number, count: number, sum: number): boolean {
    const hash = hashOf(bytes, from, until);
    const place = this.#places.get(hash);
    if (place === undefined) return false;
    this.#places.delete(hash);
    return this.#counts[place] === count && this.#sums[place] === sum;
  }

  #grow(): void {
    const counts = new Uint32Array(this.#counts.length * 2);
    counts.set(this.#counts);
    this.#counts = counts;
    const sums = new Uint32Array(this.#sums.length * 2);
    sums.set(this.#sums);
    this.#sums = sums;
  }
}

/** The sum of a list that goes on with `id`. */
export function addId(sum: number, id: number): number {
  return (Math.imul(sum ^ id, 0x9e3779b1) + 0x7f4a7c15) >>> 0;
}

function hashOf(bytes: Uint8Array, from: number, until: number): number {
  let other = 0;
  for (let at = from; at < until; at += 1) other = Math.imul(other ^ bytes[at]!, 0x01000193);
  return crc32c(bytes, from, until) * 2 ** LOW_BITS + (other >>> (32 - LOW_BITS));
}
