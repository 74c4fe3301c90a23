import { compareBytes, readUtf8 } from "@varve/bytes";
import type { Pause } from "@varve/contracts";
import { POSTINGS_TABLE_PARTS } from "./layout.ts";
import { type NameEntries, PostingsTable, TABLE_GROUP } from "./postings-table.ts";
import type { BlockFile } from "./read-file.ts";
import type { IndexPlaces } from "./read-toc.ts";
import { SectionReader } from "./read-section.ts";

/** Reads the postings offset table once and checks it, asking `pause` every few thousand entries. */
export async function readPostingsTable(
  file: BlockFile,
  places: IndexPlaces,
  pause: Pause,
): Promise<PostingsTable> {
  const section = new SectionReader(file, places.postingsTable, places.end);
  const scan = new TableScan(section, places);
  while (scan.next()) {
    if (!section.isPauseDue) continue;
    const wait = pause();
    if (wait !== undefined) await wait;
  }
  section.finish();
  return new PostingsTable(file, scan.from, scan.names);
}

/** Gathers entries by name, and sees to it that they are in order: a search would pass by those that are not. */
class TableScan {
  readonly names = new Map<string, NameEntries>();
  readonly from: number;
  readonly #section: SectionReader;
  readonly #places: IndexPlaces;
  #left: number;
  /** The name whose entries are gathered, and its last value: bytes[0 … length). */
  readonly #name = new Text();
  readonly #value = new Text();
  #count = 0;
  #groups: number[] = [];
  #headBytes = 0;

  constructor(section: SectionReader, places: IndexPlaces) {
    this.#section = section;
    this.#places = places;
    this.#left = section.u32();
    this.from = section.position;
  }

  /** Takes the next entry. False behind the last one. */
  next(): boolean {
    const section = this.#section;
    const place = section.position - this.from;
    if (this.#left === 0) {
      this.#endName(place);
      return false;
    }
    this.#left -= 1;
    if (section.uvarint() !== POSTINGS_TABLE_PARTS) throw section.damaged("an entry of no pair");
    this.#takeName(place);
    const value = section.text();
    const order = this.#count === 0 ? 1 : this.#value.compare(section.bytes, section.at, value);
    if (order <= 0) throw section.damaged("a value that does not come after the one before it");
    this.#value.take(section.bytes, section.at, value);
    section.at += value;
    const list = section.uvarint();
    if (list < this.#places.series || list >= this.#places.postingsTable) {
      throw section.damaged("an entry that points outside the postings");
    }
    if (this.#count % TABLE_GROUP === 0) this.#groups.push(place);
    this.#count += 1;
    return true;
  }

  #takeName(place: number): void {
    const section = this.#section;
    const length = section.text();
    const order = this.#count === 0 ? 1 : this.#name.compare(section.bytes, section.at, length);
    if (order < 0) throw section.damaged("a name that does not come after the one before it");
    if (order > 0) {
      this.#endName(place);
      this.#name.take(section.bytes, section.at, length);
    }
    section.at += length;
    const headBytes = section.position - this.from - place;
    if (order === 0 && headBytes !== this.#headBytes) throw section.damaged("a padded number");
    this.#headBytes = headBytes;
  }

  #endName(until: number): void {
    if (this.#count === 0) return;
    const { bytes, length } = this.#name;
    let name: string;
    try {
      name = readUtf8(bytes, 0, length);
    } catch {
      throw this.#section.damaged("a name is no UTF-8");
    }
    const groups = Uint32Array.from(this.#groups);
    const count = this.#count;
    this.names.set(name, { name, count, groups, until, headBytes: this.#headBytes });
    this.#count = 0;
    this.#groups = [];
  }
}

/** A copy of a text that outlives the buffer it was read into. */
class Text {
  bytes: Uint8Array = new Uint8Array(64);
  length = 0;

  take(bytes: Uint8Array, at: number, length: number): void {
    if (length > this.bytes.length) this.bytes = new Uint8Array(length * 2);
    for (let i = 0; i < length; i += 1) this.bytes[i] = bytes[at + i]!;
    this.length = length;
  }

  /** Positive when bytes[at … at + length) comes after this. */
  compare(bytes: Uint8Array, at: number, length: number): number {
    return compareBytes(bytes, at, at + length, this.bytes, 0, this.length);
  }
}
