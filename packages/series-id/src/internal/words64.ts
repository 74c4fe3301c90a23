/** Numbers of 64 bits as two words each, low and high. Sums and products drop what exceeds 64 bits. */
export type Words = Int32Array;

/** Makes the number at `at` the one given. */
export function set(words: Words, at: number, low: number, high: number): void {
  words[at] = low;
  words[at + 1] = high;
}

/** Adds to the number at `at`. */
export function add(words: Words, at: number, low: number, high: number): void {
  const before = words[at]!;
  const sum = (before + low) | 0;
  const carry = sum >>> 0 < before >>> 0 ? 1 : 0;
  words[at] = sum;
  words[at + 1] = (words[at + 1]! + high + carry) | 0;
}

/** Flips the bits of the number at `at` that are set in the one at `other`. */
export function flip(words: Words, at: number, other: number): void {
  words[at] = words[at]! ^ words[other]!;
  words[at + 1] = words[at + 1]! ^ words[other + 1]!;
}

/** Multiplies the number at `at`. */
export function multiply(words: Words, at: number, low: number, high: number): void {
  const factor = words[at]!;
  words[at] = Math.imul(factor, low);
  words[at + 1] = highOf(factor, words[at + 1]!, low, high);
}

/** Rotates the number at `at` to the left by 1 to 31 bits. */
export function rotate(words: Words, at: number, bits: number): void {
  const low = words[at]!;
  const high = words[at + 1]!;
  words[at] = (low << bits) | (high >>> (32 - bits));
  words[at + 1] = (high << bits) | (low >>> (32 - bits));
}

/** The high word of a product; the low one is `Math.imul` of the low words. */
export function highOf(low: number, high: number, byLow: number, byHigh: number): number {
  // The low words by their halves: no sum exceeds a word.
  const aLow = low & 0xffff;
  const aHigh = low >>> 16;
  const bLow = byLow & 0xffff;
  const bHigh = byLow >>> 16;
  const first = (Math.imul(aHigh, bLow) + (Math.imul(aLow, bLow) >>> 16)) | 0;
  const second = (Math.imul(aLow, bHigh) + (first & 0xffff)) | 0;
  const carried = (Math.imul(aHigh, bHigh) + (first >>> 16) + (second >>> 16)) | 0;
  return (carried + Math.imul(high, byLow) + Math.imul(low, byHigh)) | 0;
}
