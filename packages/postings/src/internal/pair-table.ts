/** The top bits of a hash choose a shard, which grows by itself: no insert moves more than a 256th of all. */
const SHARD_SHIFT = 24;
const SHARDS = 2 ** (32 - SHARD_SHIFT);
const SLOTS_MIN = 8;
/** Words of a slot: a hash, and a pair's id plus one; 0 is free. */
const SLOT_WORDS = 2;
const SHARD_OVERHEAD_BYTES = 128;

/**
 * Pairs by hash: open addressing with linear probing, in 256 shards. It compares hashes only; who looks up goes
 * through the candidates: `first`, then `next` until it answers -1.
 */
export class PairTable {
  readonly #shards: (Uint32Array | undefined)[] = Array.from({ length: SHARDS });
  readonly #counts = new Uint32Array(SHARDS);
  #count = 0;
  #bytes = 0;
  /** The slot after the candidate that was returned last. */
  #at = 0;

  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#bytes + SHARDS * 12;
  }

  /** The first pair with this hash, or -1. */
  first(hash: number): number {
    const shard = this.#shards[hash >>> SHARD_SHIFT];
    if (shard === undefined) return -1;
    this.#at = homeOf(hash, shard.length);
    return this.#probe(shard, hash);
  }

  /** The next pair with the hash that `first` was asked for, or -1. */
  next(hash: number): number {
    return this.#probe(this.#shards[hash >>> SHARD_SHIFT]!, hash);
  }

  add(hash: number, pair: number): void {
    const number = hash >>> SHARD_SHIFT;
    let shard = this.#shards[number];
    const count = this.#counts[number]! + 1;
    if (shard === undefined) shard = this.#resize(number, SLOTS_MIN);
    else if (count * 10 > (shard.length / SLOT_WORDS) * 7) {
      shard = this.#resize(number, shard.length);
    }
    place(shard, hash, pair + 1);
    this.#counts[number] = count;
    this.#count += 1;
  }

  /** Takes a pair out. The slots behind it close up, so that nothing is left of it. */
  delete(hash: number, pair: number): void {
    const number = hash >>> SHARD_SHIFT;
    const shard = this.#shards[number]!;
    const mask = shard.length - 1;
    let hole = homeOf(hash, shard.length);
    while (shard[hole + 1] !== pair + 1) hole = (hole + SLOT_WORDS) & mask;
    for (let at = (hole + SLOT_WORDS) & mask; shard[at + 1] !== 0; at = (at + SLOT_WORDS) & mask) {
      const home = homeOf(shard[at]!, shard.length);
      if (((at - home) & mask) < ((at - hole) & mask)) continue; // It would end before its home.
      shard[hole] = shard[at]!;
      shard[hole + 1] = shard[at + 1]!;
      hole = at;
    }
    shard[hole + 1] = 0;
    this.#count -= 1;
    this.#counts[number]! -= 1;
    const slots = shard.length / SLOT_WORDS;
    if (slots > SLOTS_MIN && this.#counts[number]! * 8 < slots) this.#resize(number, slots / 2);
  }

  #probe(shard: Uint32Array, hash: number): number {
    const mask = shard.length - 1;
    let at = this.#at;
    for (;;) {
      const found = shard[at + 1]!;
      const isSame = shard[at] === hash;
      at = (at + SLOT_WORDS) & mask;
      if (found === 0) return -1;
      if (isSame) {
        this.#at = at;
        return found - 1;
      }
    }
  }

  #resize(number: number, slots: number): Uint32Array {
    const before = this.#shards[number];
    const shard = new Uint32Array(slots * SLOT_WORDS);
    this.#bytes += shard.byteLength + SHARD_OVERHEAD_BYTES;
    this.#shards[number] = shard;
    if (before === undefined) return shard;
    this.#bytes -= before.byteLength + SHARD_OVERHEAD_BYTES;
    for (let at = 0; at < before.length; at += SLOT_WORDS) {
      if (before[at + 1] !== 0) place(shard, before[at]!, before[at + 1]!);
    }
    return shard;
  }
}

function homeOf(hash: number, words: number): number {
  return (hash * SLOT_WORDS) & (words - 1);
}

function place(shard: Uint32Array, hash: number, word: number): void {
  const mask = shard.length - 1;
  let at = homeOf(hash, shard.length);
  while (shard[at + 1] !== 0) at = (at + SLOT_WORDS) & mask;
  shard[at] = hash;
  shard[at + 1] = word;
}
