import { KeySorter, makeColumns, mergeRuns } from "@varve/bytes";
import type {
  ChunkCodec,
  Disk,
  Pause,
  SampleColumns,
  SeriesKeys,
  SeriesRef,
} from "@varve/contracts";
import { createBlock, type BlockWriter } from "@varve/prometheus-block";
import type { ChunkAccess } from "../chunk-access.ts";
import {
  type ChunkTable,
  COUNT,
  MAX_TIME,
  MIN_TIME,
  NO_CHUNK,
  OLDER,
  REF,
} from "../chunk-table.ts";
import { type Hidden, removeHidden } from "../hidden.ts";
import type { LateSamples } from "../late-samples.ts";
import { NEWEST_CHUNK, type SeriesTable } from "../series-table.ts";
import { ChunkEncoder } from "./chunk-encoder.ts";
import { type CutFacts, factsField, LATE_HINT } from "./facts.ts";

export interface CutterOptions {
  readonly disk: Disk;
  readonly blocksDir: string;
  readonly storeId: string;
  readonly keys: SeriesKeys;
  readonly codec: ChunkCodec;
  readonly series: SeriesTable;
  readonly chunks: ChunkTable;
  readonly access: ChunkAccess;
  readonly hidden: Hidden;
}

/** What goes into one block: samples with from <= time < until. */
export interface CutTask {
  readonly from: number;
  readonly until: number;
  /** Whether chunks go in, or late samples alone. */
  readonly hasChunks: boolean;
  readonly late: LateSamples | null;
  readonly facts: CutFacts;
}

/** Chunks between two questions whether to pause, and series. */
const CHUNKS_PER_PIECE = 256;
const SERIES_PER_PIECE = 64;
/** Samples of a chunk that is encoded anew. */
const SAMPLES_PER_CHUNK = 120;

/** A block that is written and not published, and the series that gave samples. */
export interface CutBlock {
  readonly writer: BlockWriter;
  readonly refs: Uint32Array;
}

/**
 * Writes chunks and late samples of one window to a block, in label order, in pieces. A chunk that lies in the window
 * whole, of a series without deletions and late samples, is copied byte for byte.
 */
export class BlockCutter {
  readonly #options: CutterOptions;
  readonly #encoder: ChunkEncoder;
  readonly #samples: SampleColumns = makeColumns({ capacity: 1024 });
  /** Chunks of one series, newest first. */
  #chain = new Uint32Array(64);
  #chainLength = 0;
  /** The first time of all samples that went into the block. */
  #firstTime = 0;

  constructor(options: CutterOptions) {
    this.#options = options;
    this.#encoder = new ChunkEncoder(options.codec);
  }

  /** Writes the block, finished and not published. Null when no sample goes in. All chunks of the window are sealed. */
  async write(task: CutTask, pause: Pause): Promise<CutBlock | null> {
    const { disk, blocksDir, storeId, keys } = this.#options;
    const sorter = new KeySorter(keys);
    const writer = createBlock({ disk, parent: blocksDir });
    try {
      this.#firstTime = Number.POSITIVE_INFINITY;
      await pause();
      const refs = await this.#collect(task, sorter, writer, pause);
      await writer.sortSymbols(pause);
      for (let i = 0; sorter.next(); i += 1) {
        this.#writeSeries(task, sorter, writer);
        if (i % SERIES_PER_PIECE === 0) await pause();
      }
      if (writer.samples === 0) {
        await writer.abort();
        return null;
      }
      const { until, late, hasChunks, facts } = task;
      const hints = late !== null && !hasChunks ? [LATE_HINT] : [];
      const extra = factsField(storeId, facts);
      const minTime = this.#firstTime;
      await writer.finish({ minTime, maxTime: until, level: 1, hints, extra }, pause);
      return { writer, refs };
    } catch (error) {
      await writer.abort();
      throw error;
    }
  }

  /** Finds the series of the window, and declares their labels. */
  async #collect(
    task: CutTask,
    sorter: KeySorter,
    writer: BlockWriter,
    pause: Pause,
  ): Promise<Uint32Array> {
    const { chunks } = this.#options;
    const refs = new RefList();
    const add = (ref: SeriesRef): void => {
      refs.add(ref);
      if (sorter.add(ref)) writer.addKey(sorter.addedKeys, sorter.addedFrom, sorter.addedUntil);
    };
    const lateRefs = task.late?.refs(task.from, task.until) ?? [];
    const withChunks = new Set<SeriesRef>();
    const last = task.hasChunks ? chunks.count : 0; // What opens from here on is beyond the window.
    for (let chunk = 1; chunk <= last; chunk += 1) {
      // A series is found by its oldest chunk: where any is in the window, that one is.
      const isFirst = chunks.isLive(chunk) && chunks.word(chunk, OLDER) === NO_CHUNK;
      if (isFirst && chunks.double(chunk, MIN_TIME) < task.until) {
        const ref = chunks.word(chunk, REF);
        add(ref);
        if (lateRefs.length > 0) withChunks.add(ref);
      }
      if (chunk % CHUNKS_PER_PIECE === 0) await pause();
    }
    for (let i = 0; i < lateRefs.length; i += 1) {
      if (!withChunks.has(lateRefs[i]!)) add(lateRefs[i]!);
      if (i % SERIES_PER_PIECE === 0) await pause();
    }
    return refs.toArray();
  }

  #writeSeries(task: CutTask, { ref, key, keyLength }: KeySorter, writer: BlockWriter): void {
    const { hidden } = this.#options;
    this.#findChain(task, ref);
    writer.beginSeries(key, 0, keyLength);
    const isPlain = hidden.of(ref) === undefined && task.late?.has(ref) !== true;
    if (isPlain && this.#liesInside(task)) this.#copyChunks(writer);
    else this.#encodeAnew(task, ref, writer);
    writer.endSeries();
  }

  #findChain({ until, hasChunks }: CutTask, ref: SeriesRef): void {
    const { series, chunks } = this.#options;
    const { words } = series.pageOf(ref);
    this.#chainLength = 0;
    if (!hasChunks || words.length === 0) return;
    let chunk = words[(series.baseOf(ref) >> 2) + NEWEST_CHUNK]! >>> 0;
    for (; chunk !== NO_CHUNK; chunk = chunks.word(chunk, OLDER)) {
      if (chunks.double(chunk, MIN_TIME) >= until) continue;
      if (this.#chainLength === this.#chain.length) {
        const chain = new Uint32Array(this.#chain.length * 2);
        chain.set(this.#chain);
        this.#chain = chain;
      }
      this.#chain[this.#chainLength] = chunk;
      this.#chainLength += 1;
    }
  }

  #liesInside({ from, until }: CutTask): boolean {
    const { chunks } = this.#options;
    if (this.#chainLength === 0) return true;
    const newest = this.#chain[0]!;
    const oldest = this.#chain[this.#chainLength - 1]!;
    return chunks.double(newest, MAX_TIME) < until && chunks.double(oldest, MIN_TIME) >= from;
  }

  #copyChunks(writer: BlockWriter): void {
    const { chunks, access, codec } = this.#options;
    for (let i = this.#chainLength - 1; i >= 0; i -= 1) {
      const chunk = this.#chain[i]!;
      const minTime = chunks.double(chunk, MIN_TIME);
      if (minTime < this.#firstTime) this.#firstTime = minTime;
      access.load(chunk);
      writer.addChunk(
        codec.encoding,
        minTime,
        chunks.double(chunk, MAX_TIME),
        chunks.word(chunk, COUNT),
        access.bytes,
        access.at,
        access.at + access.length,
      );
    }
  }

  #encodeAnew({ from, until, late }: CutTask, ref: SeriesRef, writer: BlockWriter): void {
    const { access, hidden, codec } = this.#options;
    const samples = this.#samples;
    const encoder = this.#encoder;
    samples.length = 0;
    for (let i = this.#chainLength - 1; i >= 0; i -= 1) {
      access.read(this.#chain[i]!, from, until, samples);
    }
    const intervals = hidden.of(ref);
    if (intervals !== undefined) removeHidden(samples, 0, intervals);
    const middle = samples.length;
    late?.read(ref, from, until, samples);
    mergeRuns(samples, 0, middle);
    if (samples.length > 0) this.#firstTime = Math.min(this.#firstTime, samples.times[0]!);
    for (let at = 0; at < samples.length;) {
      at = encoder.encode(samples, at, SAMPLES_PER_CHUNK);
      const { minTime, maxTime, count, bytes, length } = encoder;
      writer.addChunk(codec.encoding, minTime, maxTime, count, bytes, 0, length);
    }
  }
}

/** A list of refs that doubles when it is full. */
class RefList {
  #refs = new Uint32Array(1024);
  #count = 0;

  add(ref: SeriesRef): void {
    if (this.#count === this.#refs.length) {
      const refs = new Uint32Array(this.#refs.length * 2);
      refs.set(this.#refs);
      this.#refs = refs;
    }
    this.#refs[this.#count] = ref;
    this.#count += 1;
  }

  toArray(): Uint32Array {
    return this.#refs.slice(0, this.#count);
  }
}
