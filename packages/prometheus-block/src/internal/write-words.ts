/** Words of a page: growing never copies more than the list of pages, so that it never stalls the caller. */
const PAGE_BITS = 14;
const PAGE_WORDS = 1 << PAGE_BITS;
const PAGE_MASK = PAGE_WORDS - 1;

/** A list of unsigned words that grows a page at a time. */
export class PagedWords {
  length = 0;
  readonly #pages: Uint32Array[] = [];

  /** Appends a word and returns its place. */
  push(word: number): number {
    const at = this.length;
    if ((at & PAGE_MASK) === 0) this.#pages.push(new Uint32Array(PAGE_WORDS));
    this.#pages[at >>> PAGE_BITS]![at & PAGE_MASK] = word;
    this.length = at + 1;
    return at;
  }

  get(at: number): number {
    return this.#pages[at >>> PAGE_BITS]![at & PAGE_MASK]!;
  }

  set(at: number, word: number): void {
    this.#pages[at >>> PAGE_BITS]![at & PAGE_MASK] = word;
  }

  increment(at: number): void {
    this.#pages[at >>> PAGE_BITS]![at & PAGE_MASK]! += 1;
  }
}
