import { isUtf8 } from "node:buffer";
import { KEY_SEPARATOR, type Pause } from "@varve/contracts";
import { compareBytes, readUtf8, utf8BytesMax, VarintReader, writeUtf8 } from "@varve/bytes";
import type { RawSymbols } from "../reader.ts";
import { corrupt } from "./read-errors.ts";
import { type BlockFile, FileView } from "./read-file.ts";
import { SectionReader } from "./read-section.ts";

/** Of so many symbols, the place of one is kept; the others are found by passing those before. */
const GROUP = 32;
const VARINT_BYTES = 10;
/**
 * Larger keys do not occur: it is twice the longest value. A series of an index that nobody should trust may name one long symbol thousands of times:
 * labels of gigabytes in a file of a few kilobytes.
 */
const KEY_BYTES_MAX = 32 * 2 ** 20;
/** Places of symbols that were found last, a power of two. */
const RECENT = 4096;

/**
 * Names and values of an index by number. `find` leaves a symbol in bytes[at … at + length), until the next call,
 * or until any page is read.
 */
export class SymbolTable {
  readonly count: number;
  bytes: Uint8Array = new Uint8Array(0);
  at = 0;
  length = 0;
  readonly #view: FileView;
  readonly #varints = new VarintReader();
  /** Where the symbols begin and end in the file, and each group, counted from there. */
  readonly #from: number;
  readonly #until: number;
  readonly #groups: Uint32Array;
  /** By the symbol's low bits: its number plus one, where its bytes lie, and how many. */
  readonly #recent = new Uint32Array(RECENT);
  readonly #recentAt = new Uint32Array(RECENT);
  readonly #recentLength = new Uint32Array(RECENT);

  constructor(file: BlockFile, from: number, until: number, groups: Uint32Array, count: number) {
    this.#view = new FileView(file);
    this.#from = from;
    this.#until = until;
    this.#groups = groups;
    this.count = count;
  }

  /** Finds a symbol. Throws BLOCK_CORRUPT when there is none of that number. */
  find(symbol: number): void {
    const place = symbol & (RECENT - 1);
    if (this.#recent[place] !== symbol + 1) this.#search(symbol, place);
    const length = this.#recentLength[place]!;
    this.#view.view(this.#from + this.#recentAt[place]!, length);
    this.bytes = this.#view.bytes;
    this.at = this.#view.at;
    this.length = length;
  }

  /** Makes room for the symbol and a separator in `into`, which grows, copies it there, and returns `into`. */
  append(symbol: number, into: Uint8Array, at: number): Uint8Array {
    this.find(symbol);
    const { bytes, length } = this;
    let target = into;
    if (at + length >= KEY_BYTES_MAX) {
      throw this.#damaged(symbol, `makes a key of more than ${KEY_BYTES_MAX} bytes`);
    }
    if (at + length + 1 > into.length) {
      target = new Uint8Array(Math.max(2 * into.length, at + length + 1));
      target.set(into.subarray(0, at));
    }
    const from = this.at;
    for (let i = 0; i < length; i += 1) {
      const byte = bytes[from + i]!;
      if (byte === KEY_SEPARATOR) throw this.#damaged(symbol, "is no UTF-8");
      target[at + i] = byte;
    }
    target[at + length] = KEY_SEPARATOR;
    return target;
  }

  text(symbol: number): string {
    this.find(symbol);
    try {
      return readUtf8(this.bytes, this.at, this.at + this.length);
    } catch (cause) {
      throw this.#damaged(symbol, "is no UTF-8", cause);
    }
  }

  /** The number of a symbol, or -1: halves the table, which is in the order of its bytes. */
  numberOf(text: string): number {
    const wanted = new Uint8Array(utf8BytesMax(text.length));
    const length = writeUtf8(wanted, 0, text);
    let low = 0;
    let high = length < 0 ? 0 : this.count;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      this.find(middle);
      const order = compareBytes(this.bytes, this.at, this.at + this.length, wanted, 0, length);
      if (order === 0) return middle;
      if (order < 0) low = middle + 1;
      else high = middle;
    }
    return -1;
  }

  /** Passes the symbols of the group before this one, and remembers where it lies. */
  #search(symbol: number, place: number): void {
    if (symbol >= this.count) throw this.#damaged(symbol, `is beyond the last of ${this.count}`);
    let position = this.#from + this.#groups[Math.floor(symbol / GROUP)]!;
    for (let left = symbol % GROUP; ; left -= 1) {
      const most = Math.min(VARINT_BYTES, this.#until - position);
      this.#view.view(position, Math.max(0, most));
      this.#varints.reset(this.#view.bytes, this.#view.at, this.#view.at + most);
      const length = this.#varints.unsigned();
      position += this.#varints.at - this.#view.at;
      if (this.#varints.failed || position + length > this.#until) {
        throw this.#damaged(symbol, "is not where it was");
      }
      if (left === 0) {
        this.#recent[place] = symbol + 1;
        this.#recentAt[place] = position - this.#from;
        this.#recentLength[place] = length;
        return;
      }
      position += length;
    }
  }

  #damaged(symbol: number, problem: string, cause?: unknown): Error {
    const { path } = this.#view.file;
    return corrupt(path, this.#from, `symbol ${symbol} ${problem}`, cause);
  }
}

/** Goes through all symbols in the order of the table. */
export class SymbolCursor implements RawSymbols {
  bytes: Uint8Array = new Uint8Array(0);
  from = 0;
  until = 0;
  readonly #symbols: SymbolTable;
  #next = 0;

  constructor(symbols: SymbolTable) {
    this.#symbols = symbols;
  }

  next(): boolean {
    const symbols = this.#symbols;
    if (this.#next === symbols.count) return false;
    symbols.find(this.#next);
    this.#next += 1;
    this.bytes = symbols.bytes;
    this.from = symbols.at;
    this.until = symbols.at + symbols.length;
    return true;
  }
}

/** Reads the symbols' section once and checks it, asking `pause` every few thousand symbols. */
export async function readSymbols(
  file: BlockFile,
  position: number,
  limit: number,
  pause: Pause,
): Promise<SymbolTable> {
  const section = new SectionReader(file, position, limit);
  const count = section.u32();
  const from = section.position;
  // A symbol takes a byte at least.
  if (count > section.until - from) throw section.damaged(`${count} symbols do not fit`);
  const groups = new Uint32Array(Math.ceil(count / GROUP));
  for (let i = 0; i < count; i += 1) {
    if (i % GROUP === 0) groups[i / GROUP] = section.position - from;
    const length = section.text();
    if (!isText(section.bytes, section.at, length)) throw section.damaged("a symbol is no UTF-8");
    section.at += length;
    if (section.isPauseDue) {
      const wait = pause();
      if (wait !== undefined) await wait;
    }
  }
  const until = section.position;
  section.finish();
  return new SymbolTable(file, from, until, groups, count);
}

/** True for UTF-8. Most symbols are ASCII, which takes no call to find out. */
function isText(bytes: Uint8Array, from: number, length: number): boolean {
  const until = from + length;
  for (let at = from; at < until; at += 1) {
    if (bytes[at]! >= 0x80) return isUtf8(bytes.subarray(from, until));
  }
  return true;
}
