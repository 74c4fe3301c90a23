import { KEY_SEPARATOR, StorageError } from "@varve/contracts";
import type { Symbols } from "./symbols.ts";

/** Labels that there is room for at first. */
const LABELS_MIN = 32;

/** FNV-1a, which needs a step a byte anyway looked at: a hint where to look first, not a hash to rely on. */
const FNV_BASIS = 0x811c9dc5 | 0;
const FNV_PRIME = 0x01000193;

/**
 * Takes keys apart into symbols. What a key shares with the one before it is not looked up again: keys in label
 * order, or host by host, differ in a label or two.
 */
export class KeyLabels {
  /** Labels of the key that was read last. */
  count = 0;
  /** Symbol ids: of label i's name at 2i, of its value at 2i + 1. */
  ids = new Uint32Array(2 * LABELS_MIN);
  /** 1 where label i is not label i of the key before. */
  changed = new Uint8Array(LABELS_MIN);
  /** Labels at the front that are those of the key before. */
  kept = 0;
  readonly #symbols: Symbols;
  readonly #interns: boolean;
  /** The last key, and where in it each name and value ends: at its separator. */
  #last = new Uint8Array(256);
  #lastLength = 0;
  #ends = new Uint32Array(2 * LABELS_MIN);

  /** With `interns`, unknown names and values become symbols; without, they are refused. */
  constructor(symbols: Symbols, interns: boolean) {
    this.#symbols = symbols;
    this.#interns = interns;
  }

  /** The key that was read last: last[0 … lastLength). */
  get last(): Uint8Array {
    return this.#last;
  }

  get lastLength(): number {
    return this.#lastLength;
  }

  /** Bytes at the front of key[from … until) that are those of the last key. */
  commonBytes(key: Uint8Array, from: number, until: number): number {
    const last = this.#last;
    const length = Math.min(until - from, this.#lastLength);
    let at = 0;
    while (at < length && key[from + at] === last[at]) at += 1;
    return at;
  }

  /**
   * Reads the labels of key[from … until), of which the first `common` bytes are those of the last key. Throws INPUT
   * when it is not a key, or holds a symbol that is not known; nothing may be read after that.
   */
  read(key: Uint8Array, from: number, until: number, common: number): void {
    const lastCount = this.count;
    let label = 0;
    while (label < lastCount && this.#ends[2 * label + 1]! < common) label += 1;
    this.kept = label;
    let oldAt = label === 0 ? 0 : this.#ends[2 * label - 1]! + 1;
    let at = from + oldAt;
    for (; at < until; label += 1) {
      if (2 * label === this.ids.length) this.#grow();
      const isOld = label < lastCount;
      const oldNameEnd = isOld ? this.#ends[2 * label]! : -1;
      const oldEnd = isOld ? this.#ends[2 * label + 1]! : -1;
      this.changed[label] = 0;
      const nameEnd = this.#readPart(key, at, until, oldAt, oldNameEnd, label, 0);
      const end = this.#readPart(key, nameEnd + 1, until, oldNameEnd + 1, oldEnd, label, 1);
      this.#ends[2 * label] = nameEnd - from;
      this.#ends[2 * label + 1] = end - from;
      oldAt = oldEnd + 1;
      at = end + 1;
    }
    this.count = label;
    this.#keep(key, from, until, common);
  }

  /** Reads one name or value, and returns where it ends. The old one lies at oldAt … oldEnd of the last key; -1 for none. */
  #readPart(
    key: Uint8Array,
    from: number,
    until: number,
    oldAt: number,
    oldEnd: number,
    label: number,
    part: number,
  ): number {
    const last = this.#last;
    let at = from;
    let old = oldAt;
    while (old <= oldEnd && at < until && key[at] === last[old]) {
      at += 1;
      old += 1;
    }
    if (old > oldEnd && oldEnd >= 0) return at - 1; // The same, its separator included.
    let hint = FNV_BASIS;
    at = from;
    for (; at < until && key[at] !== KEY_SEPARATOR; at += 1) {
      hint = Math.imul(hint ^ key[at]!, FNV_PRIME);
    }
    if (at >= until) throw brokenKey(until - from);
    const known = this.#symbols.recall(hint, key, from, at);
    this.ids[2 * label + part] = known >= 0 ? known : this.#lookUp(key, from, at, hint);
    this.changed[label] = 1;
    return at;
  }

  #lookUp(key: Uint8Array, from: number, until: number, hint: number): number {
    const symbols = this.#symbols;
    const id = this.#interns ? symbols.intern(key, from, until) : symbols.find(key, from, until);
    if (id < 0) throw unknownSymbol(key, from, until);
    symbols.remember(hint, id);
    return id;
  }

  #keep(key: Uint8Array, from: number, until: number, common: number): void {
    const length = until - from;
    if (length > this.#last.length) {
      const last = new Uint8Array(length * 2);
      last.set(this.#last);
      this.#last = last;
    }
    const last = this.#last;
    for (let at = common; at < length; at += 1) last[at] = key[from + at]!;
    this.#lastLength = length;
  }

  #grow(): void {
    const ids = new Uint32Array(this.ids.length * 2);
    ids.set(this.ids);
    this.ids = ids;
    const ends = new Uint32Array(this.#ends.length * 2);
    ends.set(this.#ends);
    this.#ends = ends;
    const changed = new Uint8Array(this.changed.length * 2);
    changed.set(this.changed);
    this.changed = changed;
  }
}

function brokenKey(bytes: number): StorageError {
  return new StorageError(
    "INPUT",
    `a key ends inside a label, ${bytes} bytes after it began; nothing was published; pass canonical keys`,
    { facts: { value: bytes } },
  );
}

function unknownSymbol(key: Uint8Array, from: number, until: number): StorageError {
  const text = Buffer.from(key.subarray(from, until)).toString();
  return new StorageError(
    "INPUT",
    `${JSON.stringify(text)} was not declared before the first series; ` +
      "nothing was published; declare the keys of all series with addKey",
    { facts: { value: text } },
  );
}
