import { assert } from "@varve/contracts";

/** Bits of an address that say where in its page a run begins: pages of 64 KiB. */
const PAGE_SHIFT = 14;
/** The largest run: a whole page. */
export const RUN_WORDS_MAX = 2 ** PAGE_SHIFT;
const OFFSET_MASK = RUN_WORDS_MAX - 1;
const PAGE_BYTES = RUN_WORDS_MAX * 4;
/** Ends a page's chain of free runs. */
const END = 0xffffffff;
/** No page, and what stands for its words. */
const NONE = -1;
const NO_WORDS = new Uint32Array(0);

/** Pages of one power of two of run, and what is free in them. */
interface Page {
  readonly words: Uint32Array;
  readonly log2: number;
  /** Runs handed out. */
  used: number;
  /** The first run that was given back; its first word leads to the next. */
  free: number;
  /** Where the part begins that never was handed out. */
  fresh: number;
  /** No run is handed out from it any more: it goes when its last run does. */
  isClosed: boolean;
  /** It is among those that may have room. */
  isListed: boolean;
}

/**
 * Runs of 1, 2, 4 … 16,384 words, by address: a page holds runs of one size, and goes when its last run is given
 * back, but for one a size: a list that grows gives a run back and takes one, and would make a page each time. Nothing is
 * zeroed.
 */
export class RunPool {
  readonly #pages: (Page | undefined)[] = [];
  /** The words of each page, so that an address leads to them in one step. */
  readonly #words: Uint32Array[] = [];
  readonly #freeNumbers: number[] = [];
  /** By size: numbers of pages that may have room. */
  readonly #roomy: number[][] = Array.from({ length: PAGE_SHIFT + 1 }, () => []);
  /** By size: the page that is empty and kept. */
  readonly #spare: number[] = Array.from({ length: PAGE_SHIFT + 1 }, () => NONE);
  #pageCount = 0;

  get bytes(): number {
    return this.#pageCount * PAGE_BYTES + this.#pages.length * 16;
  }

  /** The words of the page in which a run lies, valid until the run is given back. */
  words(address: number): Uint32Array {
    return this.#words[address >>> PAGE_SHIFT]!;
  }

  /** Where in its page a run begins. */
  offset(address: number): number {
    return address & OFFSET_MASK;
  }

  /** Hands out a run of 2^log2 words. */
  acquire(log2: number): number {
    const roomy = this.#roomy[log2]!;
    for (;;) {
      if (roomy.length === 0) this.#addPage(log2);
      const number = roomy.at(-1)!;
      const page = this.#pages[number];
      if (page !== undefined && page.log2 === log2 && page.isListed) {
        const offset = takeRun(page);
        if (offset >= 0) {
          if (this.#spare[log2] === number) this.#spare[log2] = NONE;
          return number * RUN_WORDS_MAX + offset;
        }
        page.isListed = false;
      }
      roomy.pop(); // Full, closed, or gone meanwhile.
    }
  }

  /** Takes a run back. */
  release(address: number): void {
    const number = address >>> PAGE_SHIFT;
    const page = this.#pages[number]!;
    page.used -= 1;
    if (page.used === 0 && (page.isClosed || this.#spare[page.log2] !== NONE)) {
      this.#dropPage(number);
      return;
    }
    if (page.isClosed) return;
    if (page.used === 0) this.#spare[page.log2] = number;
    const offset = address & OFFSET_MASK;
    page.words[offset] = page.free;
    page.free = offset;
    if (page.isListed) return;
    page.isListed = true;
    this.#roomy[page.log2]!.push(number);
  }

  /** From now on runs come from new pages, so that moving every run there lets go of all that is there now. */
  closePages(): void {
    for (const [number, page] of this.#pages.entries()) {
      if (page === undefined) continue;
      page.isClosed = true;
      page.isListed = false;
      if (page.used === 0) this.#dropPage(number);
    }
    for (const roomy of this.#roomy) roomy.length = 0;
    this.#spare.fill(NONE);
  }

  #dropPage(number: number): void {
    this.#pages[number] = undefined;
    this.#words[number] = NO_WORDS;
    this.#freeNumbers.push(number);
    this.#pageCount -= 1;
  }

  #addPage(log2: number): void {
    const number = this.#freeNumbers.pop() ?? this.#pages.length;
    assert(number < 2 ** (32 - PAGE_SHIFT), `pages of runs stay below 2^18, got ${number}`);
    const words = new Uint32Array(RUN_WORDS_MAX);
    this.#words[number] = words;
    this.#pages[number] = {
      words,
      log2,
      used: 0,
      free: END,
      fresh: 0,
      isClosed: false,
      isListed: true,
    };
    this.#pageCount += 1;
    this.#roomy[log2]!.push(number);
  }
}

/** The offset of a run of the page that was free, or -1. */
function takeRun(page: Page): number {
  let offset = page.free;
  if (offset !== END) {
    page.free = page.words[offset]!;
  } else {
    if (page.fresh >= RUN_WORDS_MAX) return -1;
    offset = page.fresh;
    page.fresh += 2 ** page.log2;
  }
  page.used += 1;
  return offset;
}
