import { assert, KEY_SEPARATOR } from "@varve/contracts";

/** Bits of an address that say where in its page a value begins: pages of 64 KiB. */
const PAGE_SHIFT = 16;
const PAGE_BYTES = 2 ** PAGE_SHIFT;
const OFFSET_MASK = PAGE_BYTES - 1;

/**
 * The bytes of label values, each ended by 0xFF, by address. Nothing is given back singly: what lives is copied to new
 * pages, and the old ones go together.
 */
export class ValueArena {
  readonly #pages: (Uint8Array | undefined)[] = [];
  readonly #freeNumbers: number[] = [];
  /** Pages that will go: those that were there when the copying began. */
  #closed: number[] = [];
  #open = -1;
  /** Where the open page's free part begins. */
  #at = 0;
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /** The page in which a value lies, valid until the page goes. */
  page(address: number): Uint8Array {
    return this.#pages[address >>> PAGE_SHIFT]!;
  }

  /** Where in its page a value begins. */
  offset(address: number): number {
    return address & OFFSET_MASK;
  }

  /** Copies the value bytes[from … until) in, and returns its address. */
  append(bytes: Uint8Array, from: number, until: number): number {
    const length = until - from + 1;
    if (this.#open < 0 || this.#at + length > PAGE_BYTES) this.#addPage(length);
    const page = this.#pages[this.#open]!;
    const at = this.#at;
    for (let i = from; i < until; i += 1) page[at + i - from] = bytes[i]!;
    page[at + length - 1] = KEY_SEPARATOR;
    this.#at = at + length;
    return this.#open * PAGE_BYTES + at;
  }

  /** Where in its page a value ends: the position of its 0xFF. */
  end(address: number): number {
    return this.page(address).indexOf(KEY_SEPARATOR, address & OFFSET_MASK);
  }

  /** Copies a value to where values go now, and returns its new address. */
  move(address: number): number {
    return this.append(this.page(address), address & OFFSET_MASK, this.end(address));
  }

  /** Whether the value holds exactly bytes[from … until). */
  equals(address: number, bytes: Uint8Array, from: number, until: number): boolean {
    const page = this.page(address);
    const at = (address & OFFSET_MASK) - from;
    for (let i = from; i < until; i += 1) if (page[at + i] !== bytes[i]) return false;
    return page[at + until] === KEY_SEPARATOR;
  }

  /** From now on values go to new pages; `dropClosed` lets go of the others. */
  closePages(): void {
    this.#open = -1;
    this.#closed = [];
    for (let i = 0; i < this.#pages.length; i += 1) {
      if (this.#pages[i] !== undefined) this.#closed.push(i);
    }
  }

  /** Lets go of the pages that were closed. */
  dropClosed(): void {
    for (const number of this.#closed) {
      this.#bytes -= this.#pages[number]!.length;
      this.#pages[number] = undefined;
      this.#freeNumbers.push(number);
    }
    this.#closed = [];
  }

  /** A value longer than a page has one of its own, and is alone in it: addresses reach no further. */
  #addPage(length: number): void {
    const number = this.#freeNumbers.pop() ?? this.#pages.length;
    assert(number < 2 ** (32 - PAGE_SHIFT), `pages of values stay below 2^16, got ${number}`);
    const page = new Uint8Array(Math.max(PAGE_BYTES, length));
    this.#pages[number] = page;
    this.#bytes += page.length;
    this.#open = number;
    this.#at = 0;
  }
}
