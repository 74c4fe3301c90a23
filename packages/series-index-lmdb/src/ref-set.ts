import type { SeriesRef } from "@varve/contracts";

const PAGE_SHIFT = 15;
const PAGE_BYTES = 2 ** (PAGE_SHIFT - 3);

/** A set of refs: one bit for each, in pages of 4 KiB, so that a far ref costs no more than a near one. */
export class RefSet {
  readonly #pages = new Map<number, Uint8Array>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(ref: SeriesRef): void {
    let page = this.#pages.get(ref >>> PAGE_SHIFT);
    if (page === undefined)
      this.#pages.set(ref >>> PAGE_SHIFT, (page = new Uint8Array(PAGE_BYTES)));
    const at = (ref >>> 3) & (PAGE_BYTES - 1);
    const bit = 1 << (ref & 7);
    if ((page[at]! & bit) !== 0) return;
    page[at]! |= bit;
    this.#size += 1;
  }

  delete(ref: SeriesRef): void {
    if (!this.has(ref)) return;
    this.#pages.get(ref >>> PAGE_SHIFT)![(ref >>> 3) & (PAGE_BYTES - 1)]! &= ~(1 << (ref & 7));
    this.#size -= 1;
  }

  has(ref: SeriesRef): boolean {
    const page = this.#pages.get(ref >>> PAGE_SHIFT);
    return page !== undefined && (page[(ref >>> 3) & (PAGE_BYTES - 1)]! & (1 << (ref & 7))) !== 0;
  }
}
