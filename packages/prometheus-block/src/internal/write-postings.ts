import { writeU32 } from "@varve/bytes";
import { assert, type Disk, type Pause } from "@varve/contracts";
import { SECTION_ALIGN } from "./layout.ts";
import type { OutputFile } from "./write-output.ts";
import type { Pairs } from "./write-pairs.ts";
import { SeriesScan } from "./write-scan.ts";
import { PostingsWindow } from "./write-window.ts";

/** Entries that are turned to bytes at once. */
const PIECE_ENTRIES = 16 * 1024;
/** Series that are read at once. */
const PIECE_SERIES = 256;
/** What a list costs besides its entries, in entries. */
const LIST_COST = 16;

export interface PostingsOptions {
  readonly disk: Disk;
  readonly out: OutputFile;
  readonly pairs: Pairs;
  /** The series section in the file: where it begins and ends. */
  readonly from: number;
  readonly until: number;
  /** Entries that one pass over the series holds in memory. */
  readonly entriesMax: number;
  readonly pause: Pause;
}

/**
 * Writes the postings lists of all pairs, in the order of the pairs, by reading the series section again.
 *
 * The entries of all lists, one list behind the other, are numbered through; a pass collects those of one window
 * of these numbers. So memory depends on the window alone, and a list longer than it is written by several passes.
 */
export async function writePostings(options: PostingsOptions): Promise<void> {
  const { pairs, entriesMax, pause } = options;
  const window = new PostingsWindow(pairs, entriesMax);
  while (await window.next(pause)) {
    await collect(options, window);
    await writeLists(options.out, pairs, window, pause);
  }
}

/** Reads the series section again and puts each series' id into the lists of the window. */
async function collect(options: PostingsOptions, window: PostingsWindow): Promise<void> {
  const { disk, out, from, until, pairs, pause } = options;
  const scan = new SeriesScan(disk, out, from, until);
  const lists = new LabelLists(pairs, window);
  let series = 0;
  while (scan.fill()) {
    while (scan.next()) {
      lists.add(scan);
      series += 1;
      if (series % PIECE_SERIES !== 0) continue;
      const wait = pause();
      if (wait !== undefined) await wait;
    }
  }
}

/** Finds the lists that a series belongs to. Labels that it shares with the series before are not looked up again. */
class LabelLists {
  readonly #pairs: Pairs;
  readonly #window: PostingsWindow;
  /** Names that the window's lists are of, the first and the last. */
  readonly #nameFirst: number;
  readonly #nameLast: number;
  /** By position in the series: the label there in the series before, and its list's place in the window, or -1. */
  #names = new Uint32Array(32);
  #values = new Uint32Array(32);
  #lists = new Int32Array(32).fill(-1);

  constructor(pairs: Pairs, window: PostingsWindow) {
    this.#pairs = pairs;
    this.#window = window;
    this.#nameFirst = pairs.nameAt(window.first);
    this.#nameLast = pairs.nameAt(window.last);
  }

  add(scan: SeriesScan): void {
    const window = this.#window;
    if (window.first === 0) window.put(0, scan.id); // The list of all series is the first one.
    const count = scan.uvarint();
    if (count > this.#names.length) this.#grow(2 * count);
    for (let i = 0; i < count; i += 1) {
      const name = scan.uvarint();
      const value = scan.uvarint();
      if (name < this.#nameFirst || name > this.#nameLast) continue;
      if (name !== this.#names[i] || value !== this.#values[i]) {
        this.#names[i] = name;
        this.#values[i] = value;
        this.#lists[i] = this.#listOf(name, value);
      }
      const list = this.#lists[i]!;
      if (list >= 0) window.put(list, scan.id);
    }
  }

  #listOf(name: number, value: number): number {
    const pairs = this.#pairs;
    const id = pairs.find(name, value);
    assert(id >= 0, "each label of a written series was counted");
    const place = pairs.placeOf(id);
    const { first, last } = this.#window;
    return place < first || place > last ? -1 : place - first;
  }

  #grow(room: number): void {
    const [names, values, lists] = [this.#names, this.#values, this.#lists];
    this.#names = new Uint32Array(room);
    this.#values = new Uint32Array(room);
    this.#lists = new Int32Array(room).fill(-1);
    this.#names.set(names);
    this.#values.set(values);
    this.#lists.set(lists);
  }
}

/** Writes what a window holds of its lists. A list may begin in one window and end in another. */
async function writeLists(
  out: OutputFile,
  pairs: Pairs,
  window: PostingsWindow,
  pause: Pause,
): Promise<void> {
  let at = 0;
  let pieces = 0;
  for (let place = window.first; place <= window.last; place += 1) {
    const count = pairs.countAt(place);
    const skipped = place === window.first ? window.skipped : 0;
    if (skipped === 0) {
      out.pad(SECTION_ALIGN);
      out.beginSection();
      out.putU32(count);
    }
    const end = Math.min(at + count - skipped, window.length);
    const isLast = at + count - skipped === end;
    while (at < end) {
      const until = Math.min(at + PIECE_ENTRIES, end);
      putEntries(out, window.entries, at, until);
      pieces += until - at;
      at = until;
      if (pieces < PIECE_ENTRIES) continue;
      pieces = 0;
      const wait = pause();
      if (wait !== undefined) await wait;
    }
    if (isLast) out.endSection();
    pieces += LIST_COST;
  }
}

function putEntries(out: OutputFile, entries: Uint32Array, from: number, until: number): void {
  out.reserve(4 * (until - from));
  const { buffer } = out;
  let at = out.at;
  for (let i = from; i < until; i += 1, at += 4) writeU32(buffer, at, entries[i]!);
  out.at = at;
}
