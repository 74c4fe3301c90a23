import { KEY_SEPARATOR } from "@varve/contracts";
import { HASH, Lists, NAME, VALUE_AT } from "./lists.ts";
import { isName, Names, type Name } from "./names.ts";
import { PairTable } from "./pair-table.ts";
import { ValueArena } from "./value-arena.ts";

/** Labels of a key that are remembered for the next key. */
const LABELS_REMEMBERED = 64;

/**
 * For each pair of a name and a value the refs that carry it. Series are put in by their keys; that a ref is put in
 * once is the caller's to see to.
 *
 * Neighbours mostly differ in few labels, so a label that equals its neighbour's of the last key, byte for byte, is
 * neither hashed nor looked up: about 0.4 µs a series of 11 labels instead of 1.1 µs.
 */
export class LabelLists {
  readonly lists = new Lists();
  readonly names = new Names();
  readonly values = new ValueArena();
  readonly #table = new PairTable();
  /** Odd, and the process' secret, so that nobody can prepare values that collide. */
  readonly #multiplier = (Math.floor(Math.random() * 2 ** 32) | 0x01000001) >>> 0;
  /** The last key, with the end and the pair of each of its labels. */
  #lastBytes: Uint8Array = new Uint8Array(0);
  #lastFrom = 0;
  #lastCount = 0;
  readonly #lastEnds = new Uint32Array(LABELS_REMEMBERED);
  readonly #lastPairs = new Uint32Array(LABELS_REMEMBERED);
  #nameEnd = 0;

  /** Pairs that have a list. */
  get pairs(): number {
    return this.#table.count;
  }

  get bytes(): number {
    return this.lists.bytes + this.names.bytes + this.values.bytes + this.#table.bytes;
  }

  /**
   * Puts a series into the lists of its labels. The bytes of its key are looked at again by the next `put`: until
   * `forget`, they must not change.
   */
  put(ref: number, bytes: Uint8Array, from: number, until: number): void {
    const { lists } = this;
    const last = this.#lastBytes;
    const ends = this.#lastEnds;
    const pairs = this.#lastPairs;
    const lastCount = this.#lastCount;
    let lastAt = this.#lastFrom;
    let label = 0;
    for (let at = from; at < until;) {
      let pair = -1;
      let end = at;
      if (label < lastCount) {
        const lastEnd = ends[label]!;
        end = endIfSame(bytes, at, until, last, lastAt, lastEnd);
        lastAt = lastEnd;
        if (end > at) pair = pairs[label]!;
      }
      if (pair < 0) {
        end = endOfLabel(bytes, at);
        pair = this.#intern(bytes, at, end);
      }
      if (label < LABELS_REMEMBERED) {
        ends[label] = end;
        pairs[label] = pair;
        label += 1;
      }
      lists.append(pair, ref);
      at = end;
    }
    this.#lastBytes = bytes;
    this.#lastFrom = from;
    this.#lastCount = label;
  }

  /** Remembers no key, so that its bytes may change and pairs may go. */
  forget(): void {
    this.#lastCount = 0;
    this.#lastBytes = new Uint8Array(0);
  }

  /** The pair of the label bytes[from … until), which is written as in a key: `name 0xFF value 0xFF`. Or -1. */
  find(bytes: Uint8Array, from: number, until: number): number {
    return this.#lookUp(this.#hash(bytes, from, until), bytes, from, until);
  }

  /** The name bytes[from … until), without its separator. */
  findName(bytes: Uint8Array, from: number, until: number): Name | undefined {
    return this.names.find(this.#hash(bytes, from, until), bytes, from, until);
  }

  /** Lets go of a pair whose list is empty. */
  remove(pair: number): void {
    this.#table.delete(this.lists.get(pair, HASH), pair);
    this.lists.removePair(pair);
  }

  #intern(bytes: Uint8Array, from: number, until: number): number {
    const hash = this.#hash(bytes, from, until);
    const found = this.#lookUp(hash, bytes, from, until);
    if (found >= 0) return found;
    const nameEnd = this.#nameEnd;
    const nameHash = this.#hash(bytes, from, nameEnd);
    const name =
      this.names.find(nameHash, bytes, from, nameEnd) ??
      this.names.add(nameHash, bytes, from, nameEnd);
    const valueAt = this.values.append(bytes, nameEnd + 1, until - 1);
    const pair = this.lists.addPair(hash, name.id, valueAt);
    this.#table.add(hash, pair);
    this.names.addPair(name, pair);
    return pair;
  }

  #lookUp(hash: number, bytes: Uint8Array, from: number, until: number): number {
    let nameEnd = from;
    while (bytes[nameEnd] !== KEY_SEPARATOR) nameEnd += 1;
    this.#nameEnd = nameEnd;
    const table = this.#table;
    for (let pair = table.first(hash); pair >= 0; pair = table.next(hash)) {
      const valueAt = this.lists.get(pair, VALUE_AT);
      if (!this.values.equals(valueAt, bytes, nameEnd + 1, until - 1)) continue;
      const name = this.names.get(this.lists.get(pair, NAME))!;
      if (isName(name.bytes, bytes, from, nameEnd)) return pair;
    }
    return -1;
  }

  #hash(bytes: Uint8Array, from: number, until: number): number {
    const multiplier = this.#multiplier;
    let hash = multiplier;
    for (let at = from; at < until; at += 1) hash = Math.imul(hash ^ bytes[at]!, multiplier);
    hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
    return (hash ^ (hash >>> 13)) >>> 0;
  }
}

/** Where the label at `at` ends if it has the bytes last[lastAt … lastEnd); `at` if it has others. */
function endIfSame(
  bytes: Uint8Array,
  at: number,
  until: number,
  last: Uint8Array,
  lastAt: number,
  lastEnd: number,
): number {
  const end = at + lastEnd - lastAt;
  if (end > until) return at;
  for (let i = at, k = lastAt; i < end; i += 1, k += 1) if (bytes[i] !== last[k]) return at;
  return end;
}

/** The position behind the label's second separator. */
function endOfLabel(bytes: Uint8Array, from: number): number {
  let at = from;
  while (bytes[at] !== KEY_SEPARATOR) at += 1;
  at += 1;
  while (bytes[at] !== KEY_SEPARATOR) at += 1;
  return at + 1;
}
