import { compareBytes, compareKeys } from "@varve/bytes";
import { KEY_SEPARATOR, type Pause } from "@varve/contracts";
import { SERIES_ALIGN } from "./layout.ts";
import type { BlockFile } from "./read-file.ts";
import { SeriesEntry } from "./read-series.ts";
import type { SymbolTable } from "./read-symbols.ts";
import type { IndexPlaces } from "./read-toc.ts";
import type { ChunkVerifier } from "./verify-chunks.ts";
import type { PairSums } from "./verify-pairs.ts";
import type { Problems } from "./verify-problems.ts";

export interface SeriesVerifierOptions {
  readonly index: BlockFile;
  readonly places: IndexPlaces;
  /** Undefined when they are damaged: labels are not looked at then. */
  readonly symbols: SymbolTable | undefined;
  readonly chunks: ChunkVerifier;
  readonly sums: PairSums;
  readonly problems: Problems;
  readonly pause: Pause;
  readonly onProgress: (done: number, total: number) => void;
}

const SERIES_PER_PIECE = 16;
/** The pair that all series carry: no name and no value. */
const ALL = Uint8Array.of(KEY_SEPARATOR);

/** Goes through the series section from its start, and through the chunks of each series. */
export class SeriesVerifier {
  count = 0;
  /** All series could be read, with their labels: what others say about series can be held against them. */
  isWhole: boolean;
  readonly #options: SeriesVerifierOptions;
  readonly #entry: SeriesEntry;
  #isLost = false;
  #key: Uint8Array = new Uint8Array(256);
  #keyLength = 0;
  #lastKey: Uint8Array = new Uint8Array(256);
  #lastKeyLength = 0;

  constructor(options: SeriesVerifierOptions) {
    this.#options = options;
    this.#entry = new SeriesEntry(options.index, options.places);
    this.isWhole = options.symbols !== undefined;
  }

  async run(): Promise<void> {
    const { places, chunks, problems, pause, onProgress } = this.#options;
    const { series, seriesEnd } = places;
    const total = seriesEnd - series + chunks.total;
    let at = Math.ceil(series / SERIES_ALIGN) * SERIES_ALIGN;
    for (let i = 1; at < seriesEnd && !problems.isFull; i += 1) {
      if (this.#read(at)) {
        at = Math.ceil(this.#entry.end / SERIES_ALIGN) * SERIES_ALIGN;
        this.#verify();
      } else {
        at += SERIES_ALIGN;
      }
      if (i % SERIES_PER_PIECE !== 0) continue;
      onProgress(Math.min(at, seriesEnd) - series + chunks.done, total);
      await pause();
    }
    if (problems.isFull) this.isWhole = false;
    onProgress(total, total);
  }

  /** Reads an entry: a stretch of bytes that are none is one problem. */
  #read(at: number): boolean {
    try {
      this.#entry.read(at / SERIES_ALIGN);
    } catch (error) {
      const { problems, index } = this.#options;
      if (!this.#isLost) problems.catch("SERIES", index.path, error);
      this.#isLost = true;
      this.isWhole = false;
      return false;
    }
    this.#isLost = false;
    return true;
  }

  #verify(): void {
    const { index, symbols, chunks, problems } = this.#options;
    const entry = this.#entry;
    this.count += 1;
    const isRead = problems.try("SERIES", index.path, () => {
      entry.readChunks();
      if (symbols !== undefined) this.#verifyLabels(symbols);
      return true;
    });
    if (isRead === undefined) this.isWhole = false;
    chunks.verify(entry);
  }

  #verifyLabels(symbols: SymbolTable): void {
    const entry = this.#entry;
    const { sums } = this.#options;
    let length = 0;
    let lastName = 0;
    let lastNameEnd = 0;
    sums.add(ALL, 0, 1, entry.id);
    for (let i = 0; i < entry.labelCount; i += 1) {
      const from = length;
      this.#key = symbols.append(entry.symbols[2 * i]!, this.#key, from);
      const nameEnd = from + symbols.length;
      this.#key = symbols.append(entry.symbols[2 * i + 1]!, this.#key, nameEnd + 1);
      const end = nameEnd + 1 + symbols.length;
      const key = this.#key;
      const order = i === 0 ? 1 : compareBytes(key, from, nameEnd, key, lastName, lastNameEnd);
      if (order <= 0) throw entry.damaged("has a name that does not come after the one before it");
      if (nameEnd === from || end === nameEnd + 1) throw entry.damaged("has an empty label");
      sums.add(key, from, end, entry.id);
      lastName = from;
      lastNameEnd = nameEnd;
      length = end + 1;
    }
    this.#keyLength = length;
    this.#compareWithLast();
  }

  #compareWithLast(): void {
    const order = compareKeys(this.#key, 0, this.#keyLength, this.#lastKey, 0, this.#lastKeyLength);
    const key = this.#lastKey;
    this.#lastKey = this.#key;
    this.#lastKeyLength = this.#keyLength;
    this.#key = key;
    if (order <= 0) throw this.#entry.damaged("does not come after the one before it");
  }
}
