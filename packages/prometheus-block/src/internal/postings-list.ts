import { crc32c } from "@varve/bytes";
import type { Pause } from "@varve/contracts";
import { CRC_BYTES, LENGTH_BYTES } from "./layout.ts";
import { corrupt } from "./read-errors.ts";
import { type BlockFile, FileView } from "./read-file.ts";
import type { IndexPlaces } from "./read-toc.ts";

/** Behind the last id: ids are words. */
export const NO_ID = 2 ** 32;

/** Ids of series, ascending. */
export interface Ids {
  /** There are at most so many. */
  readonly countMax: number;
  /** The first id that is not below `from`, or NO_ID. `from` never decreases. */
  seek(from: number): number;
}

const COUNT_BYTES = 4;
const ID_BYTES = 4;
/** Bytes that are checked at a time. */
const CHECK_BYTES = 32 * 1024;
/** Lists that are remembered as checked. */
const CHECKED_MAX = 4096;

/** Opens postings lists, and checks each at its first use. */
export class PostingsLists {
  readonly #file: BlockFile;
  readonly #places: IndexPlaces;
  readonly #view: FileView;
  readonly #checked = new Set<number>();

  constructor(file: BlockFile, places: IndexPlaces) {
    this.#file = file;
    this.#places = places;
    this.#view = new FileView(file);
  }

  /** Ids in the list that lies at `position`. Throws BLOCK_CORRUPT when it is damaged. */
  open(position: number): ListIds {
    const count = this.countAt(position);
    if (!this.#checked.has(position)) this.#check(position, count);
    return new ListIds(this.#file, position + LENGTH_BYTES + COUNT_BYTES, count);
  }

  /** Length of a list, which must fit its place; its checksum is not looked at. */
  countAt(position: number): number {
    const end = this.#places.postingsTable;
    if (position + LENGTH_BYTES + COUNT_BYTES + CRC_BYTES > end) throw this.#damaged(position);
    const length = this.#view.u32(position);
    const count = this.#view.u32(position + LENGTH_BYTES);
    const fits = position + LENGTH_BYTES + length + CRC_BYTES <= end;
    if (!fits || length !== COUNT_BYTES + count * ID_BYTES) throw this.#damaged(position);
    return count;
  }

  /** Checks a list in pieces, so that `open` finds it checked. */
  async check(position: number, pause: Pause): Promise<void> {
    const until = this.#endOf(position, this.countAt(position));
    let crc = 0;
    for (let at = position + LENGTH_BYTES; at < until; at += CHECK_BYTES) {
      crc = this.#sum(at, Math.min(at + CHECK_BYTES, until), crc);
      const wait = pause();
      if (wait !== undefined) await wait;
    }
    this.#compare(position, until, crc);
  }

  #check(position: number, count: number): void {
    const until = this.#endOf(position, count);
    let crc = 0;
    for (let at = position + LENGTH_BYTES; at < until; at += CHECK_BYTES) {
      crc = this.#sum(at, Math.min(at + CHECK_BYTES, until), crc);
    }
    this.#compare(position, until, crc);
  }

  #endOf(position: number, count: number): number {
    return position + LENGTH_BYTES + COUNT_BYTES + count * ID_BYTES;
  }

  #sum(from: number, until: number, crc: number): number {
    const view = this.#view;
    view.view(from, until - from);
    return crc32c(view.bytes, view.at, view.at + until - from, crc);
  }

  #compare(position: number, until: number, crc: number): void {
    if (crc !== this.#view.u32(until)) throw this.#damaged(position);
    if (this.#checked.size === CHECKED_MAX) this.#checked.clear();
    this.#checked.add(position);
  }

  #damaged(position: number): Error {
    return corrupt(this.#file.path, position, "a postings list is damaged");
  }
}

/** Ids in a list on disk, read where they are looked for and nowhere else. */
export class ListIds implements Ids {
  readonly countMax: number;
  readonly #view: FileView;
  readonly #from: number;
  #at = 0;

  constructor(file: BlockFile, from: number, count: number) {
    this.#view = new FileView(file);
    this.#from = from;
    this.countMax = count;
  }

  /** Steps of doubling width, then halves what is left: near ids are near in the list. */
  seek(from: number): number {
    const count = this.countMax;
    if (this.#at >= count) return NO_ID;
    let low = this.#at;
    let id = this.#read(low);
    if (id >= from) return id;
    let step = 1;
    let high = low + step;
    while (high < count && (id = this.#read(high)) < from) {
      low = high;
      step *= 2;
      high += step;
    }
    if (high > count) high = count;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (this.#read(middle) < from) low = middle;
      else high = middle;
    }
    this.#at = high;
    return high < count ? this.#read(high) : NO_ID;
  }

  #read(at: number): number {
    return this.#view.u32(this.#from + at * ID_BYTES);
  }
}
