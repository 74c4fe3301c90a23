/**
 * The `at`-th unsigned word of a seed's sequence. A function of both and of nothing else, so the tags of
 * host 7 are the same however many hosts there are, and in whatever order they are made.
 */
export function wordAt(seed: number, at: number): number {
  let h = mix(seed | 0);
  h = mix(h ^ Math.floor(seed / 2 ** 32));
  h = mix(h ^ Math.floor(at / 2 ** 32));
  return mix((h + Math.imul(at | 0, 0x9e3779b1)) | 0) >>> 0;
}

/** The finish of MurmurHash3, behind a constant so that 0 does not stay 0. */
function mix(word: number): number {
  let h = word ^ 0x5bd1e995;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
