/** Refs of one page: 4 KiB of bits. */
const PAGE_SHIFT = 15;
const PAGE_WORDS = 2 ** PAGE_SHIFT / 32;
const PAGE_MASK = 2 ** PAGE_SHIFT - 1;
/** What a page takes beside its bits: its object and its places in two arrays. */
const PAGE_OVERHEAD_BYTES = 200;

/** A set of refs as bits, in pages that go when their last ref goes: it stays small however far refs climb. */
export class RefBits {
  readonly #pages: (Uint32Array | undefined)[] = [];
  readonly #counts: number[] = [];
  #count = 0;
  #pageCount = 0;

  /** How many refs are in the set. */
  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#pageCount * (PAGE_WORDS * 4 + PAGE_OVERHEAD_BYTES) + this.#pages.length * 16;
  }

  has(ref: number): boolean {
    const page = this.#pages[ref >>> PAGE_SHIFT];
    if (page === undefined) return false;
    return (page[(ref & PAGE_MASK) >>> 5]! & (1 << (ref & 31))) !== 0;
  }

  /** Puts a ref in. False when it is in already. */
  add(ref: number): boolean {
    const number = ref >>> PAGE_SHIFT;
    const page = this.#pages[number] ?? this.#addPage(number);
    const word = (ref & PAGE_MASK) >>> 5;
    const bit = 1 << (ref & 31);
    if ((page[word]! & bit) !== 0) return false;
    page[word]! |= bit;
    this.#counts[number]! += 1;
    this.#count += 1;
    return true;
  }

  /** Takes a ref out. False when it is not in. */
  delete(ref: number): boolean {
    const number = ref >>> PAGE_SHIFT;
    const page = this.#pages[number];
    if (page === undefined) return false;
    const word = (ref & PAGE_MASK) >>> 5;
    const bit = 1 << (ref & 31);
    if ((page[word]! & bit) === 0) return false;
    page[word]! &= ~bit;
    this.#counts[number]! -= 1;
    this.#count -= 1;
    if (this.#counts[number] === 0) {
      this.#pages[number] = undefined;
      this.#pageCount -= 1;
    }
    return true;
  }

  /** The lowest ref in the set that is at least `from`; 0 when there is none. */
  next(from: number): number {
    let word = (from & PAGE_MASK) >>> 5;
    let mask = -1 << (from & 31);
    for (let number = from >>> PAGE_SHIFT; number < this.#pages.length; number += 1) {
      const page = this.#pages[number];
      if (page !== undefined) {
        for (; word < PAGE_WORDS; word += 1) {
          const bits = page[word]! & mask;
          mask = -1;
          if (bits === 0) continue;
          return number * 2 ** PAGE_SHIFT + word * 32 + (31 - Math.clz32(bits & -bits));
        }
      }
      word = 0;
      mask = -1;
    }
    return 0;
  }

  #addPage(number: number): Uint32Array {
    while (this.#pages.length <= number) {
      this.#pages.push(undefined);
      this.#counts.push(0);
    }
    const page = new Uint32Array(PAGE_WORDS);
    this.#pages[number] = page;
    this.#pageCount += 1;
    return page;
  }
}
