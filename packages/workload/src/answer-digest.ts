import { keyOf } from "@varve/bytes";
import type { Labels } from "@varve/contracts";

/** Words of a series' identity. */
const WORDS = 2;

/** What stands for an answer: equal digests are equal answers. */
export interface Answer {
  readonly rows: number;
  /** 64 bits in hex over the label set, the time and the value's bits of each row, whatever their order. */
  readonly checksum: string;
}

/**
 * Sums answers up, row by row: a sum over rows of 64 bits each, so that stores may tell them in any order, and nothing
 * cancels a row that comes twice.
 */
export class AnswerDigest {
  readonly #number = new Float64Array(2);
  readonly #words = new Uint32Array(this.#number.buffer);
  #low = 0;
  #high = 0;
  #rows = 0;

  /** Adds rows from <= i < until of one series, whose identity is `identityOf(labels)`. */
  add(
    identity: Uint32Array,
    times: Float64Array,
    values: Float64Array,
    from = 0,
    until = times.length,
  ): void {
    for (let i = from; i < until; i += 1) {
      this.addRow(identity[0]!, identity[1]!, times[i]!, values[i]!);
    }
  }

  /** Adds one row of a series with these words of identity. */
  addRow(first: number, second: number, time: number, value: number): void {
    this.#number[0] = time;
    this.#number[1] = value;
    const words = this.#words;
    let low = first;
    let high = second;
    for (let i = 0; i < 4; i += 1) {
      low = mix(low ^ words[i]!);
      high = mix((high + Math.imul(low, 0x9e3779b1) + words[i]!) | 0);
    }
    const sum = this.#low + (low >>> 0);
    this.#low = sum >>> 0;
    this.#high = (this.#high + (high >>> 0) + (sum > 0xffffffff ? 1 : 0)) >>> 0;
    this.#rows += 1;
  }

  answer(): Answer {
    const hex = [this.#high, this.#low].map((word) => word.toString(16).padStart(8, "0"));
    return { rows: this.#rows, checksum: hex.join("") };
  }
}

/** The words that stand for a series in a digest: the same for equal label sets, in whatever order. */
export function identityOf(labels: Labels): Uint32Array {
  const words = Uint32Array.of(0x243f6a88, 0x85a308d3);
  for (const byte of keyOf(labels)) {
    for (let i = 0; i < WORDS; i += 1) words[i] = mix(Math.imul(words[i]! ^ byte, 0x01000193) + i);
  }
  return words;
}

/** The finish of MurmurHash3: every bit in changes every bit out. */
function mix(word: number): number {
  let h = word;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
