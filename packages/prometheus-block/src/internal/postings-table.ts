import { compareBytes, readUtf8, utf8BytesMax, VarintReader, writeUtf8 } from "@varve/bytes";
import { corrupt } from "./read-errors.ts";
import { type BlockFile, FileView } from "./read-file.ts";

/** Of so many values of a name, the place of one is kept; the others are found by passing those before. */
export const TABLE_GROUP = 32;
const VARINT_BYTES = 10;

/** Entries of one name in the postings offset table. Places are counted from the table's first entry. */
export interface NameEntries {
  readonly name: string;
  readonly count: number;
  /** Places of every 32nd entry, the first one included. */
  readonly groups: Uint32Array;
  /** Where the last entry ends. */
  readonly until: number;
  /** Bytes of an entry before the length of its value: the same for all of the name. */
  readonly headBytes: number;
}

/** The postings offset table: for each pair of a name and a value, where its list lies. */
export class PostingsTable {
  readonly names: ReadonlyMap<string, NameEntries>;
  readonly file: BlockFile;
  /** Where the first entry lies in the file. */
  readonly from: number;
  readonly #walk: ValueWalk;

  constructor(file: BlockFile, from: number, names: ReadonlyMap<string, NameEntries>) {
    this.file = file;
    this.from = from;
    this.names = names;
    this.#walk = new ValueWalk(file, from);
  }

  /** Where the list of a pair lies in the file, or -1 when no series carries it. */
  find(name: string, value: string): number {
    const entries = this.names.get(name);
    if (entries === undefined) return -1;
    const walk = this.#walk;
    walk.open(entries, value);
    return walk.next() && walk.compare() === 0 ? walk.list : -1;
  }

  /** Goes through the values of a name that begin with `prefix`, in order. */
  values(name: string, prefix = ""): ValueWalk {
    const walk = new ValueWalk(this.file, this.from);
    const entries = this.names.get(name);
    if (entries !== undefined) walk.open(entries, prefix, prefix !== "");
    return walk;
  }
}

/** Goes through values of one name. After `next`, the value lies in bytes[at … at + length) until any page is read. */
export class ValueWalk {
  bytes: Uint8Array = new Uint8Array(0);
  at = 0;
  length = 0;
  /** Where the value's list lies in the file. */
  list = 0;
  readonly #view: FileView;
  readonly #from: number;
  readonly #varints = new VarintReader();
  #entries: NameEntries | null = null;
  /** Where the next entry lies. */
  #place = 0;
  #placeAhead = 0;
  /** What was looked for. */
  #wanted: Uint8Array = new Uint8Array(64);
  #wantedLength = 0;
  #isPrefix = false;
  /** The value was found by `open` already. */
  #isAhead = false;

  constructor(file: BlockFile, from: number) {
    this.#view = new FileView(file);
    this.#from = from;
  }

  /** Moves before the first value that is not less than `wanted`, and stays among those that begin with it if asked. */
  open(entries: NameEntries, wanted: string, isPrefix = false): void {
    this.#entries = entries;
    this.#isPrefix = isPrefix;
    const room = utf8BytesMax(wanted.length);
    if (room > this.#wanted.length) this.#wanted = new Uint8Array(room);
    this.#wantedLength = writeUtf8(this.#wanted, 0, wanted);
    this.#isAhead = false;
    if (this.#wantedLength < 0) {
      this.#place = entries.until; // A lone surrogate: no value has it.
      return;
    }
    this.#place = entries.groups[this.#groupOf(entries)]!;
    while (!this.#isAhead && this.#place < entries.until) {
      const place = this.#place;
      this.#read(place);
      if (this.compare() < 0) continue;
      this.#isAhead = true;
      this.#placeAhead = place;
    }
  }

  next(): boolean {
    const entries = this.#entries;
    if (entries === null) return false;
    if (this.#isAhead) {
      this.#isAhead = false;
      this.#read(this.#placeAhead);
    } else {
      if (this.#place >= entries.until) return false;
      this.#read(this.#place);
    }
    return !this.#isPrefix || this.#beginsWithWanted();
  }

  text(): string {
    try {
      return readUtf8(this.bytes, this.at, this.at + this.length);
    } catch (cause) {
      throw this.#damaged(this.#place, "a value is no UTF-8", cause);
    }
  }

  /** Compares the value with what was looked for. */
  compare(): number {
    const { bytes, at } = this;
    return compareBytes(bytes, at, at + this.length, this.#wanted, 0, this.#wantedLength);
  }

  /** The last group that begins at or before the wanted value, or the first. */
  #groupOf(entries: NameEntries): number {
    let low = 0;
    let high = entries.groups.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      this.#read(entries.groups[middle]!);
      if (this.compare() <= 0) low = middle;
      else high = middle;
    }
    return low;
  }

  #beginsWithWanted(): boolean {
    const length = this.#wantedLength;
    if (this.length < length) return false;
    return compareBytes(this.bytes, this.at, this.at + length, this.#wanted, 0, length) === 0;
  }

  /** Reads the entry at a place, and moves behind it. */
  #read(place: number): void {
    const { headBytes, until } = this.#entries!;
    const view = this.#view;
    const varints = this.#varints;
    const start = this.#from + place + headBytes;
    const end = this.#from + until;
    let most = Math.max(0, Math.min(VARINT_BYTES, end - start));
    view.view(start, most);
    varints.reset(view.bytes, view.at, view.at + most);
    const length = varints.unsigned();
    const valueAt = start + varints.at - view.at;
    most = Math.min(length + VARINT_BYTES, end - valueAt);
    if (varints.failed || most <= length) throw this.#damaged(place, "is not where it was");
    view.view(valueAt, most);
    varints.reset(view.bytes, view.at + length, view.at + most);
    this.list = varints.unsigned();
    if (varints.failed) throw this.#damaged(place, "is not where it was");
    this.bytes = view.bytes;
    this.at = view.at;
    this.length = length;
    this.#place = valueAt + (varints.at - view.at) - this.#from;
  }

  #damaged(place: number, problem: string, cause?: unknown): Error {
    const offset = this.#from + place;
    return corrupt(
      this.#view.file.path,
      offset,
      `an entry of the postings table ${problem}`,
      cause,
    );
  }
}
