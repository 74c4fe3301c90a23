import { compareBytes, utf8BytesMax, writeUtf8 } from "@varve/bytes";
import { KEY_SEPARATOR, type Pause } from "@varve/contracts";
import { CRC_BYTES, SECTION_ALIGN } from "./layout.ts";
import { NO_ID, PostingsLists } from "./postings-list.ts";
import type { PostingsTable } from "./postings-table.ts";
import type { BlockFile } from "./read-file.ts";
import { SectionReader } from "./read-section.ts";
import { SymbolCursor, type SymbolTable } from "./read-symbols.ts";
import type { IndexPlaces } from "./read-toc.ts";
import { addId, type PairSums } from "./verify-pairs.ts";
import type { Problems } from "./verify-problems.ts";

const SYMBOLS_PER_PIECE = 2048;
const IDS_PER_PIECE = 16_384;

/** Symbols are strictly ascending: a search would pass by those that are not. */
export async function verifySymbols(
  file: BlockFile,
  places: IndexPlaces,
  symbols: SymbolTable,
  problems: Problems,
  pause: Pause,
): Promise<void> {
  const cursor = new SymbolCursor(symbols);
  let last: Uint8Array = new Uint8Array(0);
  for (let i = 0; cursor.next(); i += 1) {
    const { bytes, from, until } = cursor;
    if (i > 0 && compareBytes(bytes, from, until, last, 0, last.length) <= 0) {
      const problem = `symbol ${i} does not come after the one before it`;
      problems.add("SYMBOLS", file.path, places.symbols, problem);
      return;
    }
    last = bytes.slice(from, until);
    if (i % SYMBOLS_PER_PIECE === 0) await pause();
  }
}

/** Checksums of the sections that only older readers need, where a writer did not leave them out. */
export async function verifyLegacy(
  file: BlockFile,
  places: IndexPlaces,
  problems: Problems,
  pause: Pause,
): Promise<void> {
  const { seriesEnd, postings, labelOffsetTable, postingsTable, end } = places;
  const isInside =
    seriesEnd <= postings && postings <= labelOffsetTable && labelOffsetTable <= postingsTable;
  if (!isInside) {
    problems.add("INDEX", file.path, end, "the table of contents is not in order");
    return;
  }
  await problems.tryAsync("INDEX", file.path, async () => {
    for (let at = align(seriesEnd); at < postings; await pause()) {
      at = align(readThrough(file, at, postings));
    }
    if (labelOffsetTable < postingsTable) readThrough(file, labelOffsetTable, postingsTable);
  });
}

function align(position: number): number {
  return Math.ceil(position / SECTION_ALIGN) * SECTION_ALIGN;
}

/** Reads a section for its checksum, and returns where it ends. */
function readThrough(file: BlockFile, position: number, limit: number): number {
  const section = new SectionReader(file, position, limit);
  section.finish();
  return section.until + CRC_BYTES;
}

/** Compares every list with what the series say, whose pairs are in `sums`. */
export class PostingsVerifier {
  readonly #file: BlockFile;
  readonly #lists: PostingsLists;
  readonly #table: PostingsTable;
  readonly #sums: PairSums;
  readonly #problems: Problems;
  readonly #pause: Pause;
  #pair: Uint8Array = new Uint8Array(256);

  constructor(
    places: IndexPlaces,
    table: PostingsTable,
    sums: PairSums,
    problems: Problems,
    pause: Pause,
  ) {
    this.#file = table.file;
    this.#lists = new PostingsLists(table.file, places);
    this.#table = table;
    this.#sums = sums;
    this.#problems = problems;
    this.#pause = pause;
  }

  /** `isWhole` says that all series could be read, so that lists can be held against them. */
  async run(isWhole: boolean): Promise<void> {
    const problems = this.#problems;
    for (const name of this.#table.names.keys()) {
      const walk = this.#table.values(name);
      while (!problems.isFull && walk.next()) {
        const { list } = walk;
        const length = this.#makePair(name, walk.bytes, walk.at, walk.length);
        await problems.tryAsync("POSTINGS", this.#file.path, () =>
          this.#verifyList(list, length, isWhole),
        );
      }
    }
    const missing = this.#sums.size;
    if (isWhole && missing > 0 && !problems.isFull) {
      const problem = `${missing} pairs that series carry have no list`;
      problems.add("POSTINGS", this.#file.path, this.#table.from, problem);
    }
  }

  async #verifyList(list: number, pairLength: number, isWhole: boolean): Promise<void> {
    await this.#lists.check(list, this.#pause);
    const ids = this.#lists.open(list);
    let sum = 0;
    let count = 0;
    for (let id = ids.seek(0); id !== NO_ID; id = ids.seek(id + 1)) {
      sum = addId(sum, id);
      count += 1;
      if (count % IDS_PER_PIECE === 0) await this.#pause();
    }
    // A seek passes by ids that do not ascend, so that they are missing here.
    const isSame = this.#sums.take(this.#pair, 0, pairLength, count, sum);
    if (count === ids.countMax && (isSame || !isWhole)) return;
    const pair = JSON.stringify(
      Buffer.from(this.#pair.subarray(0, pairLength)).toString("latin1").replace("\u00ff", "="),
    );
    const problem = `the list of ${pair} does not hold exactly the series that carry it`;
    this.#problems.add("POSTINGS", this.#file.path, list, problem);
  }

  /** Puts `name 0xFF value` together and returns its length. */
  #makePair(name: string, value: Uint8Array, at: number, length: number): number {
    const room = utf8BytesMax(name.length) + 1 + length;
    if (room > this.#pair.length) this.#pair = new Uint8Array(room * 2);
    const nameEnd = writeUtf8(this.#pair, 0, name);
    this.#pair[nameEnd] = KEY_SEPARATOR;
    this.#pair.set(value.subarray(at, at + length), nameEnd + 1);
    return nameEnd + 1 + length;
  }
}
