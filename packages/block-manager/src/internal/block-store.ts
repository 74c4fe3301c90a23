import {
  ACCEPTED,
  LATE,
  OPEN,
  OUT_OF_ORDER,
  type Allocator,
  type ChunkCodec,
  type ChunkState,
  type Lsn,
  type Memory,
  type WriteBatch,
} from "@varve/contracts";
import { Admission, KERNEL_ROWS_MIN } from "./admission.ts";
import { type ChunkTable, NO_CHUNK, REF } from "./chunk-table.ts";
import type { Late } from "./late.ts";
import type { OpenChunks } from "./open-chunks.ts";
import type { Settings } from "./options.ts";
import type { Pipeline } from "./pipeline.ts";
import {
  APPLIED_TIME,
  CHUNK_END,
  CODEC_STATE,
  OPEN_COUNT,
  OPEN_STOP,
  REGION,
  REGION_AT,
  REGION_CAPACITY,
  SERIES_MASK,
  SERIES_SHIFT,
  type SeriesTable,
} from "./series-table.ts";
import type { Stock } from "./stock.ts";

/** Open chunks that are closed early, oldest first, when a known series needs room and no full chunk has any. */
const EARLY_CHUNKS = 64;

/** Longest stretch in which chunks are sealed for a cut of the log, in milliseconds. */
const SEAL_MS = 4;

/** How full chunks reach `sealed/`: all in which block managers differ. */
export interface Persistence {
  /** A new series' first sample is a chunk of its own. */
  readonly sealsFirstSample: boolean;
  /** Most chunks that one write carries. */
  readonly chunksPerWrite: number;
  /** Called inside `append`, after it has sealed a chunk. */
  afterSeal(pipeline: Pipeline): void;
}

export interface BlockStoreOptions {
  readonly settings: Settings;
  readonly persistence: Persistence;
  readonly series: SeriesTable;
  readonly chunks: ChunkTable;
  readonly stock: Stock;
  readonly open: OpenChunks;
  readonly pipeline: Pipeline;
  readonly late: Late;
  readonly memory: Memory;
  readonly allocator: Allocator;
  readonly codec: ChunkCodec;
  /** Reads the last value of a series whose last sample lies in `sealed/` to its state; false when it cannot. */
  readValue(page: ChunkState, base: number): boolean;
}

/**
 * Series and their open chunks: applies the rows that were admitted.
 *
 * `append` cannot fail: `Admission` holds back what a row needs to start a chunk. A chunk that cannot grow is sealed
 * early, and its row starts the next one there.
 */
export class BlockStore {
  samples = 0;
  /** The batch applied last, and the last one that was told at open. */
  lastLsn: Lsn = 0;
  replayedLsn: Lsn = 0;
  readonly #options: BlockStoreOptions;
  readonly #admission: Admission;

  constructor(options: BlockStoreOptions) {
    this.#options = options;
    const { settings, memory, series, chunks, stock, late } = options;
    this.#admission = new Admission({
      settings,
      memory,
      series,
      chunks,
      stock,
      late,
      readValue: (page, base) => options.readValue(page, base),
      makeRoom: (isKnown) => this.#makeRoom(isKnown),
    });
  }

  /** Whether a row is admitted and not applied. */
  get hasWaiting(): boolean {
    return this.#admission.hasWaiting;
  }

  /** Rows below this time are in blocks, or about to be: they come late. */
  get cutTime(): number {
    return this.#admission.cutTime;
  }

  set cutTime(time: number) {
    this.#admission.cutTime = time;
  }

  /** The highest time applied. */
  get newestTime(): number {
    return this.#admission.newestTime;
  }

  set newestTime(time: number) {
    this.#admission.newestTime = time;
  }

  admit(batch: WriteBatch, from: number, until: number): void {
    this.#admission.admit(batch, from, until);
  }

  withdraw(batch: WriteBatch, from: number, until: number): void {
    this.#admission.withdraw(batch, from, until);
  }

  append(batch: WriteBatch, from: number, until: number, lsn: Lsn): void {
    const isMany = until - from >= KERNEL_ROWS_MIN;
    const applied =
      isMany && this.#options.open.takesRows
        ? this.#appendTogether(batch, from, until, lsn)
        : this.#appendEach(batch, from, until, lsn);
    this.samples += applied;
    this.#admission.applied(applied);
    if (lsn > this.lastLsn) this.lastLsn = lsn;
  }

  /** Applies rows by the codec's batch form, and those one by one that begin a chunk, end one, or outgrow theirs. */
  #appendTogether(batch: WriteBatch, from: number, until: number, lsn: Lsn): number {
    const { series, codec, open } = this.#options;
    const { times, status } = batch;
    const accepted = ACCEPTED; // A local copy: V8 loads a module's constants each time.
    const { openChunks: table } = series;
    let { newestTime } = this;
    let applied = 0;
    for (let next = from; ;) {
      const row = codec.appendRows!(batch, next, until, table);
      for (; next < row; next += 1) {
        if (status[next] !== accepted) continue;
        applied += 1;
        if (times[next]! > newestTime) newestTime = times[next]!;
      }
      this.newestTime = newestTime;
      if (row === until) return applied;
      next = open.takesRows ? row + 1 : until;
      applied += this.#appendEach(batch, row, next, lsn);
      if (next === until) return applied;
      ({ newestTime } = this);
    }
  }

  /** Applies rows one by one, and returns how many ACCEPTED ones there were. */
  #appendEach(batch: WriteBatch, from: number, until: number, lsn: Lsn): number {
    const { refs, times, valueWords, status } = batch;
    const { series, codec, allocator, open } = this.#options;
    const { pages, stride } = series;
    let { newestTime } = this;
    let applied = 0;
    for (let i = from; i < until; i += 1) {
      if (status[i] !== ACCEPTED) {
        if (status[i] === LATE) this.#applyLate(batch, i, lsn);
        continue;
      }
      const index = (refs[i]! - 1) >>> 0;
      const page = pages[index >>> SERIES_SHIFT]!;
      const { words, doubles } = page;
      const base = (index & SERIES_MASK) * stride;
      const w = base >> 2;
      const time = times[i]!;
      if (words[w + OPEN_STOP] === 0) open.open(page, base, index + 1, time, lsn);
      else if (time >= doubles[(base >> 3) + CHUNK_END]!) {
        this.#sealFull(page, base);
        open.open(page, base, index + 1, time, lsn);
      }
      if (
        !codec.append(
          page,
          base + CODEC_STATE,
          allocator.bytes(words[w + REGION]! >>> 0),
          words[w + REGION_AT]!,
          words[w + REGION_CAPACITY]!,
          time,
          valueWords[2 * i]!,
          valueWords[2 * i + 1]!,
        )
      ) {
        open.appendElsewhere(page, base, batch, i, lsn);
      }
      doubles[(base >> 3) + APPLIED_TIME] = time;
      if (time > newestTime) newestTime = time;
      const count = words[w + OPEN_COUNT]! + 1;
      words[w + OPEN_COUNT] = count;
      applied += 1;
      if (count >= words[w + OPEN_STOP]! && open.isFullAtStop(page, base, time)) {
        this.#sealFull(page, base);
      }
    }
    this.newestTime = newestTime;
    return applied;
  }

  replay(batch: WriteBatch, from: number, until: number, lsn: Lsn, isLate: boolean): void {
    if (isLate) this.#replayLate(batch, from, until, lsn);
    else {
      this.#admission.isReplaying = true;
      this.admit(batch, from, until);
      this.#admission.isReplaying = false;
    }
    this.append(batch, from, until, lsn);
    this.replayedLsn = this.lastLsn;
  }

  /** Late rows keep the state that they were written in: no window is asked. */
  #replayLate(batch: WriteBatch, from: number, until: number, lsn: Lsn): void {
    const { late } = this.#options;
    const { refs, times, valueWords, status } = batch;
    for (let i = from; i < until; i += 1) {
      if (status[i] !== OPEN) continue;
      status[i] =
        lsn <= late.storedLsn
          ? OUT_OF_ORDER
          : late.decide(refs[i]!, times[i]!, valueWords[2 * i]!, valueWords[2 * i + 1]!);
      if (status[i] === LATE) late.waiting += 1;
    }
  }

  #applyLate(batch: WriteBatch, row: number, lsn: Lsn): void {
    const { late } = this.#options;
    const { refs, times, valueWords } = batch;
    late.add(refs[row]!, times[row]!, valueWords[2 * row]!, valueWords[2 * row + 1]!, lsn);
    late.waiting -= 1;
    this.samples += 1;
  }

  /**
   * Seals open chunks whose first sample came before `lsn`, until the time is over or some milliseconds are, and returns
   * how many: the rest is for the next call, when these are written and do not lie in the way any more.
   */
  sealBefore(lsn: Lsn, untilMs: number): number {
    const { chunks, series, open } = this.#options;
    const endsMs = Math.min(untilMs, performance.now() + SEAL_MS);
    let sealed = 0;
    for (let chunk = chunks.head; chunk !== NO_CHUNK; chunk = chunks.next(chunk)) {
      if (chunks.firstLsn(chunk) >= lsn) break;
      if (!chunks.isOpen(chunk)) continue;
      const ref = chunks.word(chunk, REF);
      open.seal(series.pageOf(ref), series.baseOf(ref));
      sealed += 1;
      if (sealed % 64 === 0 && performance.now() >= endsMs) break;
    }
    return sealed;
  }

  dispose(): void {
    this.#admission.dispose();
  }

  /** Brings regions and pages while no writer waits. */
  prepare(): void {
    const { stock, settings, chunks } = this.#options;
    stock.stockUp(settings.regionsAhead);
    chunks.prepare(settings.regionsAhead);
    this.#admission.recount();
  }

  /**
   * The allocator's bound is reached: writes and syncs full chunks while the caller waits, and for a
   * series that is known already closes the oldest open ones early.
   */
  #makeRoom(isKnown: boolean): boolean {
    const { pipeline, persistence, chunks, series, open } = this.#options;
    if (pipeline.relieve(persistence.chunksPerWrite) > 0) return true;
    if (!isKnown || pipeline.failure !== undefined || pipeline.poison !== undefined) return false;
    let sealed = 0;
    for (let chunk = chunks.head; chunk !== NO_CHUNK && sealed < EARLY_CHUNKS;) {
      const next = chunks.next(chunk);
      if (chunks.isOpen(chunk)) {
        const ref = chunks.word(chunk, REF);
        open.seal(series.pageOf(ref), series.baseOf(ref));
        sealed += 1;
      }
      chunk = next;
    }
    open.chunksSealedEarly += sealed;
    return sealed > 0 && pipeline.relieve(persistence.chunksPerWrite) > 0;
  }

  #sealFull(page: ChunkState, base: number): void {
    const { settings, persistence, pipeline, open } = this.#options;
    open.seal(page, base);
    if (!settings.lazyChunks) open.place(page, base);
    persistence.afterSeal(pipeline);
  }
}
