import { makeColumns } from "@varve/bytes";
import {
  isStorageError,
  type Allocator,
  type ChunkCodec,
  type ChunkState,
  type SampleColumns,
} from "@varve/contracts";
import {
  type ChunkTable,
  COUNT,
  FILE,
  FILE_OFFSET,
  LENGTH,
  MAX_TIME,
  MIN_TIME,
  REF,
  SEALED_REGION,
} from "./chunk-table.ts";
import type { SealedReader } from "./sealed-reader.ts";
import {
  ADMITTED_HIGH,
  ADMITTED_LOW,
  CODEC_STATE,
  FLAGS,
  NEWEST_CHUNK,
  REGION,
  REGION_AT,
  type SeriesTable,
  VALUE_UNREAD,
} from "./series-table.ts";

export interface ChunkAccessOptions {
  readonly chunks: ChunkTable;
  readonly series: SeriesTable;
  readonly allocator: Allocator;
  readonly codec: ChunkCodec;
  readonly reader: SealedReader;
}

/** Decodes chunks wherever they are: open, in memory, or in `sealed/`. */
export class ChunkAccess {
  /** What `load` found: a sealed chunk's data is `bytes[at … at+length)`, until the next call of anything here. */
  bytes: Uint8Array = new Uint8Array(0);
  at = 0;
  length = 0;
  readonly #options: ChunkAccessOptions;
  readonly #scratch: SampleColumns = makeColumns();

  constructor(options: ChunkAccessOptions) {
    this.#options = options;
  }

  /** Appends the samples of a sealed chunk with from <= time < until to `into`. */
  read(chunk: number, from: number, until: number, into: SampleColumns): void {
    const { chunks } = this.#options;
    const count = chunks.word(chunk, COUNT);
    if (chunks.double(chunk, MIN_TIME) >= from && chunks.double(chunk, MAX_TIME) < until) {
      this.#decode(chunk, count, into);
    } else {
      this.readFirst(chunk, count, from, until, into);
    }
  }

  /** Appends those of a chunk's first `count` samples with from <= time < until to `into`. */
  readFirst(chunk: number, count: number, from: number, until: number, into: SampleColumns): void {
    const scratch = this.#scratch;
    scratch.length = 0;
    this.#decode(chunk, count, scratch);
    const { times, values } = scratch;
    let low = 0;
    while (low < count && times[low]! < from) low += 1;
    let high = low;
    while (high < count && times[high]! < until) high += 1;
    if (high === low) return;
    into.reserve(high - low);
    into.times.set(times.subarray(low, high), into.length);
    into.values.set(values.subarray(low, high), into.length); // A byte copy: NaNs keep their bits.
    into.length += high - low;
  }

  /** Reads the last value of a series whose newest sample is sealed into its state. False when it is damaged. */
  readValue(page: ChunkState, base: number): boolean {
    const { chunks } = this.#options;
    const { words } = page;
    const w = base >> 2;
    const chunk = words[w + NEWEST_CHUNK]! >>> 0;
    const scratch = this.#scratch;
    scratch.length = 0;
    const count = chunks.word(chunk, COUNT);
    try {
      this.#decode(chunk, count, scratch);
    } catch (error) {
      if (isStorageError(error)) return false;
      throw error;
    }
    const { values } = scratch;
    const bits = new Int32Array(values.buffer, values.byteOffset, values.length * 2);
    words[w + ADMITTED_LOW] = bits[2 * count - 2]!;
    words[w + ADMITTED_HIGH] = bits[2 * count - 1]!;
    words[w + FLAGS] = words[w + FLAGS]! & ~VALUE_UNREAD;
    return true;
  }

  #decode(chunk: number, count: number, into: SampleColumns): void {
    const { chunks, series, allocator, codec } = this.#options;
    if (chunks.isOpen(chunk)) {
      const ref = chunks.word(chunk, REF);
      const page = series.pageOf(ref);
      const base = series.baseOf(ref);
      const bytes = allocator.bytes(page.words[(base >> 2) + REGION]! >>> 0);
      const length = codec.length(page, base + CODEC_STATE);
      codec.decode(bytes, page.words[(base >> 2) + REGION_AT]!, length, count, into);
      return;
    }
    this.load(chunk);
    codec.decode(this.bytes, this.at, this.length, count, into);
  }

  /** Brings a sealed chunk's data, from memory or from `sealed/`. Throws BLOCK_CORRUPT when it is damaged. */
  load(chunk: number): void {
    const { chunks, allocator, reader } = this.#options;
    this.length = chunks.word(chunk, LENGTH);
    const region = chunks.word(chunk, SEALED_REGION);
    if (region !== 0) {
      this.bytes = allocator.bytes(region);
      this.at = allocator.at(region);
      return;
    }
    const ref = chunks.word(chunk, REF);
    reader.read(chunks.word(chunk, FILE), chunks.word(chunk, FILE_OFFSET), ref, this.length);
    this.bytes = reader.bytes;
    this.at = reader.dataAt;
  }
}
