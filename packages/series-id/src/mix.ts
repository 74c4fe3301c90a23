/** The finish of MurmurHash3 for 32 bits: every bit of `word` reaches every bit of the answer. */
export function fmix32(word: number): number {
  let h = word;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/**
 * Crosses two lanes and writes them as the hash of a row. Each step can be undone, so nothing of the
 * lanes' 64 bits is lost, and the low bits of either word are good for tables of any size.
 */
export function finish(lane: number, other: number, hashes: Uint32Array, row: number): void {
  let low = (lane + other) | 0;
  let high = (other + low) | 0;
  low = fmix32(low);
  high = fmix32(high);
  low = (low + high) | 0;
  hashes[2 * row] = low;
  hashes[2 * row + 1] = high + low;
}
