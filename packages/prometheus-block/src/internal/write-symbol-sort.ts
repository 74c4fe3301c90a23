import type { Pause } from "@varve/contracts";
import { RUN_MAX, WordSorter } from "./write-sort.ts";

/** Symbols by id, as the sort needs them. */
export interface SymbolBytes {
  readonly count: number;
  page(id: number): Uint8Array;
  start(id: number): number;
  length(id: number): number;
  /** Compares two symbols that agree in their first `depth` bytes. */
  compare(a: number, b: number, depth: number): number;
}

/** Bytes of a symbol that one key holds; its lowest byte says how many of them there are. */
const KEY_BYTES = 3;
/** The lowest byte of a key whose symbol goes on. */
const GOES_ON = 4;
/** Groups up to this are sorted by comparing: cheaper than another round of keys. */
const COMPARE_MAX = 16;

/**
 * Sorts distinct symbols by their bytes and returns their ids in order. Asks `pause` every few thousand symbols.
 *
 * From the front: groups that agree so far are sorted by a word made of the next three bytes, then split by it.
 * A word a round instead of a byte a round, because the bytes of a symbol cost a cache miss each time.
 */
export async function sortSymbols(symbols: SymbolBytes, pause: Pause): Promise<Uint32Array> {
  const sorter = new WordSorter(symbols.count);
  for (let id = 0; id < symbols.count; id += 1) {
    sorter.ids[id] = id;
    if (id % RUN_MAX === RUN_MAX - 1) await pause();
  }
  // Groups that wait: begin, end, and the bytes in which their symbols agree.
  const groups = [0, symbols.count, 0];
  let work = 0;
  while (groups.length > 0) {
    const depth = groups.pop()!;
    const until = groups.pop()!;
    const from = groups.pop()!;
    if (until - from <= COMPARE_MAX) {
      insertionSort(symbols, sorter.ids, from, until, depth);
    } else if (until - from <= RUN_MAX) {
      loadKeys(symbols, sorter, from, until, depth);
      sorter.sortRun(from, until);
      split(sorter.keys, from, until, depth, groups);
    } else {
      await sortLarge(symbols, sorter, from, until, depth, pause);
      await splitLarge(sorter.keys, from, until, depth, groups, pause);
    }
    work += until - from;
    if (work < RUN_MAX) continue;
    work = 0;
    const wait = pause();
    if (wait !== undefined) await wait;
  }
  return sorter.ids;
}

async function sortLarge(
  symbols: SymbolBytes,
  sorter: WordSorter,
  from: number,
  until: number,
  depth: number,
  pause: Pause,
): Promise<void> {
  for (let at = from; at < until; at += RUN_MAX) {
    loadKeys(symbols, sorter, at, Math.min(at + RUN_MAX, until), depth);
    await pause();
  }
  await sorter.sort(from, until, pause);
}

/** The words of the symbols at `depth`: three bytes, zeros behind the end, and how many bytes there were. */
function loadKeys(
  symbols: SymbolBytes,
  { keys, ids }: WordSorter,
  from: number,
  until: number,
  depth: number,
): void {
  for (let at = from; at < until; at += 1) {
    const id = ids[at]!;
    const page = symbols.page(id);
    const left = symbols.length(id) - depth;
    const start = symbols.start(id) + depth;
    if (left >= KEY_BYTES) {
      const low = left > KEY_BYTES ? GOES_ON : KEY_BYTES;
      keys[at] = (page[start]! << 24) | (page[start + 1]! << 16) | (page[start + 2]! << 8) | low;
    } else if (left === 2) {
      keys[at] = (page[start]! << 24) | (page[start + 1]! << 16) | 2;
    } else {
      keys[at] = left === 1 ? (page[start]! << 24) | 1 : 0;
    }
  }
}

/** Adds the groups of equal words. A word whose symbol ended belongs to one symbol only. */
function split(
  keys: Uint32Array,
  from: number,
  until: number,
  depth: number,
  groups: number[],
): void {
  let begin = from;
  for (let at = from + 1; at <= until; at += 1) {
    if (at < until && keys[at] === keys[begin]) continue;
    if (at - begin > 1) groups.push(begin, at, depth + KEY_BYTES);
    begin = at;
  }
}

/** The same in pieces: a piece ends where a group does. */
async function splitLarge(
  keys: Uint32Array,
  from: number,
  until: number,
  depth: number,
  groups: number[],
  pause: Pause,
): Promise<void> {
  let begin = from;
  while (begin < until) {
    let end = Math.min(begin + RUN_MAX, until);
    while (end < until && keys[end] === keys[end - 1]) end += 1;
    split(keys, begin, end, depth, groups);
    begin = end;
    await pause();
  }
}

function insertionSort(
  symbols: SymbolBytes,
  ids: Uint32Array,
  from: number,
  until: number,
  depth: number,
): void {
  for (let i = from + 1; i < until; i += 1) {
    const id = ids[i]!;
    let at = i;
    while (at > from && symbols.compare(ids[at - 1]!, id, depth) > 0) {
      ids[at] = ids[at - 1]!;
      at -= 1;
    }
    ids[at] = id;
  }
}
