import { type Disk, type Matcher, noPause, type Pause } from "@varve/contracts";
import { readMeta } from "../meta.ts";
import type {
  BlockReader,
  NameCount,
  OpenBlockOptions,
  PairCount,
  RawSeries,
  RawSymbols,
} from "../reader.ts";
import { readTombstones, type Tombstones, writeTombstones } from "../tombstones.ts";
import { isUlid } from "../ulid.ts";
import { blockName, CHUNKS_DIRECTORY, INDEX_FILE, META_FILE, TOMBSTONES_FILE } from "./layout.ts";
import { type BlockMeta, encodeMeta } from "./meta-json.ts";
import { NO_ID, PostingsLists } from "./postings-list.ts";
import { listedCheck, nameSymbol, NOT_LISTED, valueSymbol } from "./postings-check.ts";
import { planIds } from "./postings-plan.ts";
import { openSegments } from "./read-chunks.ts";
import { SeriesCursor } from "./read-cursor.ts";
import { closed, corrupt } from "./read-errors.ts";
import { BlockFile } from "./read-file.ts";
import type { BlockParts } from "./read-parts.ts";
import { SeriesEntry } from "./read-series.ts";
import { readSymbols, SymbolCursor, type SymbolTable } from "./read-symbols.ts";
import { readPostingsTable } from "./read-table.ts";
import { readPlaces } from "./read-toc.ts";
import { replaceFile } from "./replace-file.ts";

/** Series that a deletion looks at between two questions whether to pause. */
const SERIES_PER_PIECE = 128;

/** See `openBlock`. */
export async function openReader(options: OpenBlockOptions): Promise<BlockReader> {
  const { disk, dir } = options;
  const meta = readMeta(disk, dir);
  const name = blockName(dir);
  if (name !== undefined && isUlid(name) && meta.ulid !== name) {
    throw corrupt(`${dir}/${META_FILE}`, 0, `it names ${meta.ulid}, and its directory does not`);
  }
  const tombstones = readTombstones(disk, dir);
  checkDeletions(options, meta);
  const path = `${dir}/${INDEX_FILE}`;
  if (disk.kind(path) !== "file") throw corrupt(path, 0, "there is no such file");
  const index = new BlockFile(disk, options.cache, path);
  let parts: BlockParts | undefined;
  try {
    parts = await readParts(options, index, tombstones);
    checkCount(meta, parts);
    return new Block(disk, meta, parts);
  } catch (error) {
    for (const file of [index, ...(parts?.segments ?? [])]) file.close();
    throw error;
  }
}

async function readParts(
  { disk, dir, cache, codec, pause = noPause }: OpenBlockOptions,
  index: BlockFile,
  tombstones: Tombstones,
): Promise<BlockParts> {
  const places = readPlaces(index);
  const symbols = await readSymbols(index, places.symbols, places.series, pause);
  const table = await readPostingsTable(index, places, pause);
  const lists = new PostingsLists(index, places);
  if (table.names.size > 0 && table.find("", "") < 0) {
    throw corrupt(index.path, places.postingsTable, "there is no list of all series");
  }
  const segments = openSegments(disk, dir, cache);
  return { dir, codec, index, places, symbols, table, lists, segments, tombstones };
}

/** Without the file nothing is deleted, and what was would be back. */
function checkDeletions({ disk, dir }: OpenBlockOptions, { stats }: BlockMeta): void {
  const path = `${dir}/${TOMBSTONES_FILE}`;
  const { numTombstones } = stats;
  if (numTombstones === 0 || disk.kind(path) !== "none") return;
  const counted = `${numTombstones} deletion${numTombstones === 1 ? "" : "s"}`;
  throw corrupt(path, 0, `there is no such file, and ${META_FILE} counts ${counted}`);
}

/** A sound list may lie where that of all series belongs: then most series would seem to be gone. */
function checkCount(
  { stats }: BlockMeta,
  { dir, index, lists, segments, table }: BlockParts,
): void {
  const list = table.find("", "");
  const count = list < 0 ? 0 : lists.countAt(list);
  if (stats.numChunks > 0 && segments.length === 0) {
    const problem = `there are none, and ${META_FILE} counts ${stats.numChunks}`;
    throw corrupt(`${dir}/${CHUNKS_DIRECTORY}`, 0, problem);
  }
  // Other programs may leave the stats out.
  if (stats.numSeries === 0 || stats.numSeries === count) return;
  const problem = `the list of all series has ${count}, and ${META_FILE} says ${stats.numSeries}`;
  throw corrupt(index.path, Math.max(0, list), problem);
}

class Block implements BlockReader {
  readonly id: string;
  readonly seriesCount: number;
  readonly #disk: Disk;
  readonly #parts: BlockParts;
  /** Size of the files that do not change. */
  readonly #bytes: number;
  #meta: BlockMeta;
  #smallBytes: number;
  #isClosed = false;
  /** The last deletion. */
  #deletion: Promise<unknown> = Promise.resolve();

  constructor(disk: Disk, meta: BlockMeta, parts: BlockParts) {
    this.#disk = disk;
    this.#parts = parts;
    this.#meta = meta;
    this.id = meta.ulid;
    const list = parts.table.find("", "");
    this.seriesCount = list < 0 ? 0 : parts.lists.countAt(list);
    this.#bytes = parts.segments.reduce((sum, { size }) => sum + size, parts.index.size);
    this.#smallBytes = smallBytes(disk, parts.dir);
  }

  get dir(): string {
    return this.#parts.dir;
  }

  get meta(): BlockMeta {
    return this.#meta;
  }

  get minTime(): number {
    return this.#meta.minTime;
  }

  get maxTime(): number {
    return this.#meta.maxTime;
  }

  get bytes(): number {
    return this.#bytes + this.#smallBytes;
  }

  get tombstones(): Tombstones {
    return this.#parts.tombstones;
  }

  select(matchers: readonly Matcher[]): RawSeries {
    this.#checkOpen();
    const parts = this.#parts;
    return new SeriesCursor(parts, planIds(parts, matchers), listedCheck(parts, matchers));
  }

  allSeries(): RawSeries {
    return this.select([]);
  }

  allSymbols(): RawSymbols {
    this.#checkOpen();
    return new SymbolCursor(this.#parts.symbols);
  }

  labelNames(matchers: readonly Matcher[]): string[] {
    this.#checkOpen();
    const { table, symbols } = this.#parts;
    if (matchers.length === 0) return [...table.names.keys()].filter((name) => name !== "");
    const found = new Set<number>();
    this.#eachEntry(matchers, (entry) => {
      for (let i = 0; i < entry.labelCount; i += 1) found.add(entry.symbols[2 * i]!);
    });
    return inOrder(found, symbols);
  }

  labelValues(name: string, matchers: readonly Matcher[]): string[] {
    this.#checkOpen();
    const { table, symbols } = this.#parts;
    if (name === "" || !table.names.has(name)) return [];
    if (matchers.length === 0) {
      const values: string[] = [];
      const walk = table.values(name);
      while (walk.next()) values.push(walk.text());
      return values;
    }
    const wanted = nameSymbol(this.#parts, name);
    const found = new Set<number>();
    this.#eachEntry(matchers, (entry) => {
      const value = valueSymbol(entry, wanted);
      if (value >= 0) found.add(value);
    });
    return inOrder(found, symbols);
  }

  *nameCounts(): IterableIterator<NameCount> {
    this.#checkOpen();
    for (const { name, count } of this.#parts.table.names.values()) {
      if (name !== "") yield { name, values: count };
    }
  }

  *pairCounts(only?: string): IterableIterator<PairCount> {
    this.#checkOpen();
    const { table, lists } = this.#parts;
    const names = only === undefined ? table.names.keys() : [only];
    for (const name of names) {
      if (name === "") continue;
      const walk = table.values(name);
      while (walk.next()) {
        const { list } = walk;
        yield { name, value: walk.text(), series: lists.countAt(list) };
      }
    }
  }

  delete(
    matchers: readonly Matcher[],
    from: number,
    until: number,
    pause: Pause = noPause,
  ): Promise<number> {
    const done = this.#deletion.then(() => this.#delete(matchers, from, until, pause));
    this.#deletion = done.catch(() => undefined);
    return done;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#parts.index.close();
    for (const file of this.#parts.segments) file.close();
  }

  async #delete(
    matchers: readonly Matcher[],
    from: number,
    until: number,
    pause: Pause,
  ): Promise<number> {
    const parts = this.#parts;
    const tombstones = parts.tombstones.copy();
    const series = this.select(matchers);
    let touched = 0;
    for (let i = 1; series.next(); i += 1) {
      if (markDeleted(series, from, until, tombstones)) touched += 1;
      if (i % SERIES_PER_PIECE === 0) await pause();
    }
    if (touched === 0) return 0;
    await writeTombstones(this.#disk, parts.dir, tombstones);
    parts.tombstones = tombstones;
    const stats = { ...this.#meta.stats, numTombstones: tombstones.count };
    this.#meta = { ...this.#meta, stats };
    await replaceFile(this.#disk, parts.dir, META_FILE, encodeMeta(this.#meta));
    this.#smallBytes = smallBytes(this.#disk, parts.dir);
    return touched;
  }

  #eachEntry(matchers: readonly Matcher[], visit: (entry: SeriesEntry) => void): void {
    const parts = this.#parts;
    const ids = planIds(parts, matchers);
    const check = listedCheck(parts, matchers);
    const entry = new SeriesEntry(parts.index, parts.places);
    for (let id = ids.seek(0); id !== NO_ID; id = ids.seek(id + 1)) {
      entry.read(id);
      if (check !== null && !check.acceptsEntry(entry)) throw entry.damaged(NOT_LISTED);
      visit(entry);
    }
  }

  #checkOpen(): void {
    if (this.#isClosed) throw closed(this.#parts.dir);
  }
}

/** The texts of symbols, in the order of their bytes: their numbers are in it. */
function inOrder(found: ReadonlySet<number>, symbols: SymbolTable): string[] {
  return [...found].sort((a, b) => a - b).map((symbol) => symbols.text(symbol));
}

/** Adds the range to a series' deleted ones, as far as its samples reach. False when none of its chunks does. */
function markDeleted(
  series: RawSeries,
  from: number,
  until: number,
  tombstones: Tombstones,
): boolean {
  let first = Infinity;
  let last = -Infinity;
  let isTouched = false;
  for (let i = 0; i < series.chunkCount; i += 1) {
    const minTime = series.minTime(i);
    const maxTime = series.maxTime(i);
    first = Math.min(first, minTime);
    last = Math.max(last, maxTime);
    if (minTime < until && maxTime >= from) isTouched = true;
  }
  if (isTouched) tombstones.add(series.id, Math.max(from, first), Math.min(until - 1, last));
  return isTouched;
}

/** Size of the files that deletions replace. */
function smallBytes(disk: Disk, dir: string): number {
  let bytes = 0;
  for (const name of [META_FILE, TOMBSTONES_FILE]) {
    const path = `${dir}/${name}`;
    if (disk.kind(path) !== "file") continue;
    const fd = disk.open(path, "read");
    bytes += disk.size(fd);
    disk.close(fd);
  }
  return bytes;
}
