const number = new Float64Array(2);
const words = new Int32Array(number.buffer);

/** Goes on with a checksum over the bits of samples, in order. */
export function checksumOf(
  from: number,
  times: Float64Array,
  values: Float64Array,
  count: number,
): number {
  let sum = from | 0;
  for (let i = 0; i < count; i += 1) {
    number[0] = times[i]!;
    number[1] = values[i]!;
    for (let word = 0; word < 4; word += 1) {
      sum = Math.imul((sum << 13) | (sum >>> 19), 0x9e3779b1) ^ words[word]!;
    }
  }
  return sum;
}
