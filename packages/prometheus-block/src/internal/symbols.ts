import { type Pause, StorageError } from "@varve/contracts";
import { compareBytes, copyBytes, equalBytes, uvarintBytes } from "@varve/bytes";
import { hashBytes } from "./write-hash.ts";
import { Slots } from "./write-slots.ts";
import { sortSymbols, type SymbolBytes } from "./write-symbol-sort.ts";
import { PagedWords } from "./write-words.ts";

/** Bits of a position in an arena page; a longer symbol has a page to itself. */
const PAGE_BITS = 16;
const PAGE_BYTES = 1 << PAGE_BITS;
/** What one word can number: 4 GiB of symbols, which is what a symbol table can hold. */
const PAGES_MAX = 1 << (32 - PAGE_BITS);
/** Symbols that are handled without asking for a pause: each costs a cache miss. */
const PIECE_SYMBOLS = 2048;
/** Symbols that were found lately, by a cheap hash: a power of two. A slot has two words: the hash, and the id plus one. */
const RECENT_BITS = 12;
const RECENT_SLOTS = 1 << RECENT_BITS;

/**
 * The distinct names and values of a block, each with an id in order of first sight, and after `sort` with an
 * ordinal in order of UTF-8 bytes. Growing never copies what is there, so no call takes long.
 */
export class Symbols implements SymbolBytes {
  readonly #slots = new Slots();
  readonly #recent = new Uint32Array(2 * RECENT_SLOTS);
  readonly #pages: Uint8Array[] = [];
  /** By id: the page and where in it the symbol begins, as one word, and its length. */
  readonly #places = new PagedWords();
  readonly #lengths = new PagedWords();
  #pageEnd = PAGE_BYTES;
  #encodedBytes = 0;
  #order: Uint32Array = new Uint32Array(0);
  #ordinals = new Uint32Array(0);

  get count(): number {
    return this.#lengths.length;
  }

  /** What all symbols take in a symbol table, each with its length before it. */
  get encodedBytes(): number {
    return this.#encodedBytes;
  }

  /**
   * The id of bytes[from … until), if it was asked for lately with this `hint`, any hash of the bytes; or -1. Saves
   * the keyed hash for the few values that most series share.
   */
  recall(hint: number, bytes: Uint8Array, from: number, until: number): number {
    const at = slotOf(hint);
    const id = this.#recent[at + 1]! - 1;
    if (id < 0 || this.#recent[at] !== hint >>> 0) return -1;
    const place = this.#places.get(id);
    const page = this.#pages[place >>> PAGE_BITS]!;
    const start = place & (PAGE_BYTES - 1);
    const end = start + this.#lengths.get(id);
    return equalBytes(bytes, from, until, page, start, end) ? id : -1;
  }

  /** Remembers an id for `recall`. */
  remember(hint: number, id: number): void {
    const at = slotOf(hint);
    this.#recent[at] = hint;
    this.#recent[at + 1] = id + 1;
  }

  /** The id of bytes[from … until), a new one when it was not seen before. */
  intern(bytes: Uint8Array, from: number, until: number): number {
    const hash = hashBytes(bytes, from, until);
    const known = this.#find(hash, bytes, from, until);
    if (known >= 0) return known;
    const id = this.#store(bytes, from, until);
    this.#slots.add(hash, id);
    return id;
  }

  /** The id of bytes[from … until), or -1. */
  find(bytes: Uint8Array, from: number, until: number): number {
    return this.#find(hashBytes(bytes, from, until), bytes, from, until);
  }

  /** Gives every symbol its ordinal. No symbol comes after. */
  async sort(pause: Pause): Promise<void> {
    this.#order = await sortSymbols(this, pause);
    this.#ordinals = new Uint32Array(this.count);
    for (let ordinal = 0; ordinal < this.count; ordinal += 1) {
      this.#ordinals[this.#order[ordinal]!] = ordinal;
      if (ordinal % PIECE_SYMBOLS === PIECE_SYMBOLS - 1) await pause();
    }
  }

  ordinalOf(id: number): number {
    return this.#ordinals[id]!;
  }

  idAt(ordinal: number): number {
    return this.#order[ordinal]!;
  }

  page(id: number): Uint8Array {
    return this.#pages[this.#places.get(id) >>> PAGE_BITS]!;
  }

  start(id: number): number {
    return this.#places.get(id) & (PAGE_BYTES - 1);
  }

  length(id: number): number {
    return this.#lengths.get(id);
  }

  compare(a: number, b: number, depth: number): number {
    const aStart = this.start(a);
    const bStart = this.start(b);
    return compareBytes(
      this.page(a),
      aStart + depth,
      aStart + this.length(a),
      this.page(b),
      bStart + depth,
      bStart + this.length(b),
    );
  }

  #find(hash: number, bytes: Uint8Array, from: number, until: number): number {
    const slots = this.#slots;
    for (let id = slots.first(hash); id >= 0; id = slots.next()) {
      const start = this.start(id);
      if (equalBytes(bytes, from, until, this.page(id), start, start + this.length(id))) return id;
    }
    return -1;
  }

  #store(bytes: Uint8Array, from: number, until: number): number {
    const length = until - from;
    if (this.#pageEnd + length > PAGE_BYTES) {
      if (this.#pages.length === PAGES_MAX) throw tooManySymbols();
      this.#pages.push(new Uint8Array(Math.max(PAGE_BYTES, length)));
      this.#pageEnd = 0;
    }
    const page = this.#pages.length - 1;
    copyBytes(bytes, from, until, this.#pages[page]!, this.#pageEnd);
    this.#places.push(page * PAGE_BYTES + this.#pageEnd);
    this.#pageEnd += length;
    this.#encodedBytes += uvarintBytes(length) + length;
    return this.#lengths.push(length);
  }
}

/** The top bits of a cheap hash are the better ones. */
function slotOf(hint: number): number {
  return (Math.imul(hint, 0x9e3779b1) >>> (32 - RECENT_BITS)) << 1;
}

function tooManySymbols(): StorageError {
  return new StorageError(
    "LIMIT",
    "the names and values of a block take 4 GiB; nothing was published; cut blocks of fewer labels",
    { facts: { limit: PAGES_MAX * PAGE_BYTES } },
  );
}
