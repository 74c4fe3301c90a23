/** A seeded source of randomness, so that every test, fault and data set can be had again. */
export interface Random {
  readonly seed: number;
  /** An unsigned word. */
  word(): number;
  /** A double with 0 <= x < 1. */
  unit(): number;
  /** An integer with 0 <= x < bound. */
  below(bound: number): number;
  /** True with the probability given. */
  chance(probability: number): boolean;
  /** One of the items. */
  pick<T>(items: readonly T[]): T;
  /** A draw from the normal distribution with mean 0 and deviation 1 (Marsaglia's polar method). */
  normal(): number;
}

/** Makes a source: sfc32, a small fast counting generator by Chris Doty-Humphrey (PractRand). */
export function makeRandom(seed: number): Random {
  return new Sfc32(seed);
}

class Sfc32 implements Random {
  readonly seed: number;
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number) {
    this.seed = seed;
    this.#a = seed | 0;
    this.#b = Math.floor(seed / 2 ** 32) | 0;
    this.#c = 0x9e3779b9 | 0;
    for (let i = 0; i < 12; i += 1) this.word();
  }

  word(): number {
    const t = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + t) | 0;
    return t >>> 0;
  }

  unit(): number {
    return (this.word() * 2 ** 21 + (this.word() >>> 11)) * 2 ** -53;
  }

  below(bound: number): number {
    return Math.floor(this.unit() * bound);
  }

  chance(probability: number): boolean {
    return this.unit() < probability;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }

  normal(): number {
    for (;;) {
      const x = this.unit() * 2 - 1;
      const y = this.unit() * 2 - 1;
      const square = x * x + y * y;
      if (square > 0 && square < 1) return x * Math.sqrt((-2 * Math.log(square)) / square);
    }
  }
}
