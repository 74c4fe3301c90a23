import {
  NO_REGION,
  assert,
  type Allocator,
  type ChunkCodec,
  type ChunkState,
  type Lsn,
  type Memory,
  type Region,
  type WriteBatch,
} from "@varve/contracts";
import { chunkEndTime } from "@varve/prometheus-block";
import { type ChunkTable, MIN_TIME, NO_CHUNK, REF } from "./chunk-table.ts";
import type { Settings } from "./options.ts";
import type { Ring } from "./ring.ts";
import {
  APPLIED_TIME,
  CHUNK_END,
  CODEC_STATE,
  NEWEST_CHUNK,
  OPEN_CHUNK,
  OPEN_COUNT,
  REGION,
  REGION_AT,
  OPEN_STOP,
  REGION_CAPACITY,
  REGION_OFFSET,
} from "./series-table.ts";
import type { Stock } from "./stock.ts";
import { startOfWindow } from "./windows.ts";

/** Golden ratio: spreads consecutive refs evenly over 0 … 1. */
const SPREAD = 0.6180339887498949;

export interface OpenChunksOptions {
  readonly settings: Settings;
  readonly chunks: ChunkTable;
  readonly stock: Stock;
  readonly allocator: Allocator;
  readonly codec: ChunkCodec;
  /** Takes in the chunks that were sealed. */
  readonly sealed: Ring;
  /** A new series' first sample is a chunk of its own. */
  readonly sealsFirstSample: boolean;
  readonly memory: Memory;
}

/** Opens, grows and seals the chunks that samples are applied to: what is done once a chunk, not once a row. */
export class OpenChunks {
  seriesCount = 0;
  refMax = 0;
  chunksSealed = 0;
  chunksSealedEarly = 0;
  /** Whether the codec has a batch form, and all regions so far lie where that works: in the memory. */
  takesRows: boolean;
  readonly #options: OpenChunksOptions;

  constructor(options: OpenChunksOptions) {
    this.#options = options;
    this.takesRows = options.codec.appendRows !== undefined;
  }

  /** Starts a chunk whose first sample comes with batch `lsn`. A region and a descriptor are held back for it. */
  open(page: ChunkState, base: number, ref: number, time: number, lsn: Lsn): void {
    const { stock, chunks, codec, allocator } = this.#options;
    const { words } = page;
    const w = base >> 2;
    assert(chunks.free > 0, "a descriptor is held back for every admitted row");
    if (words[w + REGION] === NO_REGION) {
      assert(stock.length > 0, "a region is held back for every admitted row");
      this.#place(words, w, stock.take());
    }
    const newest = words[w + NEWEST_CHUNK]! >>> 0;
    words[w + OPEN_CHUNK] = chunks.open(ref, newest, time, lsn);
    words[w + OPEN_COUNT] = 0;
    words[w + OPEN_STOP] = this.#stopAfter(0, newest);
    const { blockDurationMs } = this.#options.settings;
    page.doubles[(base >> 3) + CHUNK_END] = startOfWindow(time, blockDurationMs) + blockDurationMs;
    const bytes = allocator.bytes(words[w + REGION]! >>> 0);
    codec.open(page, base + CODEC_STATE, bytes, words[w + REGION_AT]!);
    if (newest === NO_CHUNK) this.seriesCount += 1;
    if (ref > this.refMax) this.refMax = ref;
  }

  /**
   * What is done when an open chunk has come to `OPEN_STOP` samples: its end is predicted, or it is found to be full, and
   * the answer is true. Otherwise it goes on to the next stop.
   */
  isFullAtStop(page: ChunkState, base: number, time: number): boolean {
    const { samplesPerQuarter, samplesPerChunk } = this.#options.settings;
    const { words } = page;
    const w = base >> 2;
    const count = words[w + OPEN_COUNT]!;
    const newest = words[w + NEWEST_CHUNK]! >>> 0;
    if (this.#options.sealsFirstSample && newest === NO_CHUNK) return true;
    if (count === samplesPerQuarter) this.#predictEnd(page, base, time);
    if (count >= samplesPerChunk && this.#isFull(page, base, time)) return true;
    words[w + OPEN_STOP] = this.#stopAfter(count, newest);
    return false;
  }

  /** The next number of samples at which there is something to do. */
  #stopAfter(count: number, newest: number): number {
    const { samplesPerQuarter, samplesPerChunk } = this.#options.settings;
    if (this.#options.sealsFirstSample && newest === NO_CHUNK) return 1;
    if (count < samplesPerQuarter) return samplesPerQuarter;
    return count < samplesPerChunk ? samplesPerChunk : count + 1;
  }

  /**
   * Predicts, when a quarter of a chunk is full, where it should end so that the chunks of its window get equally
   * long: Prometheus' rule. With jitter the first chunk of a window ends early, by a share that differs from series
   * to series, so that chunks do not all fill at the same moment.
   */
  #predictEnd(page: ChunkState, base: number, time: number): void {
    const { chunks, settings } = this.#options;
    const { words, doubles } = page;
    const w = base >> 2;
    const d = base >> 3;
    const start = chunks.double(words[w + OPEN_CHUNK]! >>> 0, MIN_TIME);
    const windowEnd = doubles[d + CHUNK_END]!;
    let end = chunkEndTime(start, time, windowEnd);
    if (settings.chunkJitter > 0 && this.#isFirstOfWindow(w, words, windowEnd)) {
      const ref = chunks.word(words[w + OPEN_CHUNK]! >>> 0, REF);
      const share = ((ref * SPREAD) % 1) * settings.chunkJitter;
      end = Math.max(time + 1, Math.floor(end - (end - start) * share));
    }
    doubles[d + CHUNK_END] = end;
  }

  #isFirstOfWindow(w: number, words: Int32Array, windowEnd: number): boolean {
    const { chunks, settings } = this.#options;
    const newest = words[w + NEWEST_CHUNK]! >>> 0;
    return (
      newest === NO_CHUNK || chunks.double(newest, MIN_TIME) < windowEnd - settings.blockDurationMs
    );
  }

  /**
   * Whether a chunk that has its samples is sealed now: when the next one, if it comes at the same pace, would begin
   * another chunk, or there are twice as many. Chunks of few samples have no pace to go by.
   */
  #isFull(page: ChunkState, base: number, time: number): boolean {
    const { chunks, settings } = this.#options;
    const { words, doubles } = page;
    const w = base >> 2;
    const count = words[w + OPEN_COUNT]!;
    if (settings.samplesPerQuarter === 0 || count >= 2 * settings.samplesPerChunk) return true;
    const start = chunks.double(words[w + OPEN_CHUNK]! >>> 0, MIN_TIME);
    return time + (time - start) / (count - 1) >= doubles[(base >> 3) + CHUNK_END]!;
  }

  /** Applies a row that did not fit its chunk's region: to a larger one, or to the next chunk. */
  appendElsewhere(page: ChunkState, base: number, batch: WriteBatch, row: number, lsn: Lsn): void {
    const { codec, allocator } = this.#options;
    const { times, valueWords, refs } = batch;
    const { words } = page;
    const w = base >> 2;
    for (;;) {
      if (!this.#grow(page, base)) {
        assert(words[w + OPEN_COUNT]! > 0, "a region of capacityMin bytes holds a sample");
        this.seal(page, base);
        this.chunksSealedEarly += 1;
        this.open(page, base, refs[row]!, times[row]!, lsn);
      }
      const fits = codec.append(
        page,
        base + CODEC_STATE,
        allocator.bytes(words[w + REGION]! >>> 0),
        words[w + REGION_AT]!,
        words[w + REGION_CAPACITY]!,
        times[row]!,
        valueWords[2 * row]!,
        valueWords[2 * row + 1]!,
      );
      if (fits) return;
    }
  }

  /** Closes a series' open chunk, which has at least one sample. */
  seal(page: ChunkState, base: number): void {
    const { codec, allocator, chunks, sealed } = this.#options;
    const { words, doubles } = page;
    const w = base >> 2;
    const chunk = words[w + OPEN_CHUNK]! >>> 0;
    const region = words[w + REGION]! >>> 0;
    const at = words[w + REGION_AT]!;
    const length = codec.seal(page, base + CODEC_STATE, allocator.bytes(region), at);
    const maxTime = doubles[(base >> 3) + APPLIED_TIME]!;
    chunks.seal(chunk, maxTime, words[w + OPEN_COUNT]!, length, region);
    words[w + NEWEST_CHUNK] = chunk;
    words[w + OPEN_CHUNK] = NO_CHUNK;
    words[w + OPEN_COUNT] = 0;
    words[w + OPEN_STOP] = 0;
    words[w + REGION] = NO_REGION;
    sealed.push(chunk);
    this.chunksSealed += 1;
  }

  /** Gives a series its next region ahead of its next sample, if there is one to be had. */
  place(page: ChunkState, base: number): void {
    const { allocator, settings } = this.#options;
    const region = allocator.acquire(settings.chunkBytesFirst);
    if (region !== NO_REGION) this.#place(page.words, base >> 2, region);
  }

  /** Moves an open chunk to a region twice as large. Answers false when there is none to be had. */
  #grow(page: ChunkState, base: number): boolean {
    const { allocator, codec, settings } = this.#options;
    const { words } = page;
    const w = base >> 2;
    const capacity = words[w + REGION_CAPACITY]!;
    const wanted = Math.min(capacity * 2, settings.chunkBytesMax);
    if (wanted <= capacity) return false;
    const region = allocator.acquire(wanted);
    if (region === NO_REGION) return false;
    const old = words[w + REGION]! >>> 0;
    const source = allocator.bytes(old);
    const target = allocator.bytes(region);
    const from = words[w + REGION_AT]!;
    const at = allocator.at(region);
    const length = codec.length(page, base + CODEC_STATE);
    // A loop: on shared memory `set` of so few bytes takes longer.
    for (let i = 0; i < length; i += 1) target[at + i] = source[from + i]!;
    this.#place(words, w, region);
    allocator.release(old);
    return true;
  }

  #place(words: Int32Array, w: number, region: Region): void {
    const { allocator, memory } = this.#options;
    const bytes = allocator.bytes(region);
    if (this.takesRows && bytes.buffer !== memory.wasm.buffer) this.takesRows = false;
    words[w + REGION] = region;
    words[w + REGION_AT] = allocator.at(region);
    words[w + REGION_OFFSET] = bytes.byteOffset + words[w + REGION_AT]!;
    words[w + REGION_CAPACITY] = allocator.capacity(region);
  }
}
