/** Tables by the top bits of the hash: each grows for itself, so that growing stays well below a millisecond. */
const TABLE_BITS = 8;
const TABLE_SHIFT = 32 - TABLE_BITS;
/** Slots of a table that holds something, a power of two. */
const SLOTS_MIN = 16;
/** A table that holds nothing: one empty slot, which nobody writes to. A small block uses few tables, and makes no more. */
const EMPTY = new Uint32Array(2);

/** A slot has two words: the hash, and the id plus one; 0 marks an empty slot. */
const ID = 1;

/**
 * A hash table from hashes to ids, open-addressed with linear probing. Nothing is ever removed.
 *
 * Ids with the same hash are candidates, which the caller compares:
 * `for (let id = slots.first(hash); id >= 0; id = slots.next()) if (…) return id;`
 */
export class Slots {
  readonly #tables: Uint32Array[] = Array.from({ length: 1 << TABLE_BITS }, () => EMPTY);
  readonly #counts = new Uint32Array(1 << TABLE_BITS);
  /** The search that goes on: where it stands, and for what hash. */
  #table: Uint32Array = EMPTY;
  #at = 0;
  #hash = 0;

  /** The first id with this hash, an unsigned word, or -1. */
  first(hash: number): number {
    this.#table = this.#tables[hash >>> TABLE_SHIFT]!;
    this.#hash = hash;
    this.#at = startOf(this.#table, hash);
    return this.#search();
  }

  /** The next id with the hash of the last `first`, or -1. */
  next(): number {
    this.#at = (this.#at + 2) & (this.#table.length - 1);
    return this.#search();
  }

  add(hash: number, id: number): void {
    const which = hash >>> TABLE_SHIFT;
    this.#counts[which]! += 1;
    let table = this.#tables[which]!;
    if (this.#counts[which]! * 2 > table.length >>> 1) table = this.#grow(which);
    put(table, hash, id + 1);
  }

  #search(): number {
    const table = this.#table;
    const hash = this.#hash;
    const mask = table.length - 1;
    let at = this.#at;
    for (;;) {
      const id = table[at + ID]!;
      if (id === 0 || table[at] === hash) {
        this.#at = at;
        return id - 1;
      }
      at = (at + 2) & mask;
    }
  }

  #grow(which: number): Uint32Array {
    const old = this.#tables[which]!;
    const table = new Uint32Array(Math.max(old.length * 2, 2 * SLOTS_MIN));
    for (let at = 0; at < old.length; at += 2) {
      if (old[at + ID] !== 0) put(table, old[at]!, old[at + ID]!);
    }
    this.#tables[which] = table;
    return table;
  }
}

/** The low bits choose the slot: the top ones are the same in the whole table. */
function startOf(table: Uint32Array, hash: number): number {
  return (hash << 1) & (table.length - 1);
}

function put(table: Uint32Array, hash: number, idPlusOne: number): void {
  const mask = table.length - 1;
  let at = startOf(table, hash);
  while (table[at + ID] !== 0) at = (at + 2) & mask;
  table[at] = hash;
  table[at + ID] = idPlusOne;
}
