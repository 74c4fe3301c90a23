import { keyOf, type Random, type RowBatch } from "@varve/bytes";
import { NO_SERIES, type WriteBatch } from "@varve/contracts";
import { plainOf, type KeyHash } from "./hashing.ts";

/** Doubles whose bits are easily lost: the stale marker, other NaNs, -0, infinities, the smallest and the largest. */
export const AWKWARD_BITS: readonly (readonly [low: number, high: number])[] = [
  [0x0000_0002, 0x7ff0_0000], // Prometheus' stale marker, a signalling NaN.
  [0x0000_0001, 0x7ff8_0000], // Prometheus' ordinary NaN.
  [0x0000_0000, 0x7ff8_0000], // JavaScript's.
  [0xdead_beef, 0xfff7_ffff],
  [0x0000_0000, 0x8000_0000], // -0.
  [0x0000_0000, 0x0000_0000],
  [0x0000_0000, 0x7ff0_0000],
  [0x0000_0000, 0xfff0_0000],
  [0x0000_0001, 0x0000_0000],
  [0xffff_ffff, 0x7fef_ffff],
];

/** The bytes of a string, for keys that need not be canonical. */
export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** A canonical key that belongs to a number. */
export function keyOfNumber(n: number): Uint8Array {
  return keyOf({ __name__: "cpu_seconds_total", host: `host-${n}`, mode: n % 2 ? "idle" : "user" });
}

/** Adds an OPEN row with a key, hashed, and returns its number. */
export function addKeyed(
  batch: RowBatch,
  key: Uint8Array,
  options: {
    readonly ref?: number;
    readonly time?: number;
    readonly value?: number;
    readonly hashOf?: KeyHash;
  } = {},
): number {
  const { ref = NO_SERIES, time = 0, value = 0, hashOf = plainOf } = options;
  const row = batch.add(time, value);
  batch.reserveKey(row, key.length);
  batch.keys.set(key, batch.keyAt[row]);
  batch.keyAt[row + 1] = batch.keyAt[row]! + key.length;
  batch.refs[row] = ref;
  const words = new Uint32Array(2);
  hashOf(key, 0, key.length, words);
  batch.hashes[2 * row] = words[0]!;
  batch.hashes[2 * row + 1] = words[1]!;
  return row;
}

/** Adds an OPEN row of a known series, its value as two words. */
export function addSample(
  batch: RowBatch,
  ref: number,
  time: number,
  low: number,
  high: number,
): number {
  const row = batch.add(time, 0);
  batch.refs[row] = ref;
  batch.valueWords[2 * row] = low;
  batch.valueWords[2 * row + 1] = high;
  return row;
}

/** The two words of a double. */
export function wordsOf(value: number): [low: number, high: number] {
  const words = new Uint32Array(new Float64Array([value]).buffer);
  return [words[0]!, words[1]!];
}

/** The bits of values[i], for comparison. */
export function bitsAt(values: Float64Array, i: number): string {
  const words = new Uint32Array(values.buffer, values.byteOffset + 8 * i, 2);
  return words[1]!.toString(16).padStart(8, "0") + words[0]!.toString(16).padStart(8, "0");
}

/** Two words as `bitsAt` prints them. */
export function bitsOf(low: number, high: number): string {
  return (high >>> 0).toString(16).padStart(8, "0") + (low >>> 0).toString(16).padStart(8, "0");
}

/** Value words as series have them: mostly small steps, sometimes awkward. */
export function randomWords(random: Random, before: number): [low: number, high: number] {
  if (random.chance(0.1)) {
    const [low, high] = random.pick(AWKWARD_BITS);
    return [low, high];
  }
  return wordsOf(random.chance(0.5) ? before : Math.round(before + random.normal() * 10));
}

/** The key of a row, copied. */
export function keyAt(batch: WriteBatch, row: number): Uint8Array {
  return batch.keys.slice(batch.keyAt[row], batch.keyAt[row + 1]);
}
