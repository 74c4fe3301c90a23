import type { Lsn, MaintainReport, RecordBuffer, SeriesRef } from "@varve/contracts";
import type { IdleSeries } from "./idle-series.ts";
import type { Parts } from "./parts.ts";
import { Prefault } from "./prefault.ts";
import { encodeNextRef, TombstoneRecord } from "./records.ts";
import type { Writer } from "./writer.ts";

export interface MaintenanceOptions {
  readonly maintainEveryMs: number;
  readonly walBytesMax: number;
  readonly prefaultBytes: number;
}

/** What one run may be asked for. */
export interface RunOptions {
  /** Cut blocks from all windows that begin before this time. */
  readonly cutBefore?: number;
  /** Begin nothing that takes long. */
  readonly isClosing?: boolean;
}

/** Time that one background slice may take, in milliseconds. */
const SLICE_MS = 5;
/** Share of the memory above which maintenance does not wait for its turn. */
const FORCED_SHARE = 0.9;
/** Series that one call of a checkpoint's `fill` encodes. */
const CHECKPOINT_SERIES = 512;
/** Bytes that the log must have grown by for a cut of blocks to be followed by one of the log. */
const CUT_BYTES_MIN = 8 * 2 ** 20;

/** A cut of the log that is under way: everything up to `lsn` moves to `sealed/` and the checkpoint. */
interface Cut {
  readonly lsn: Lsn;
  /** Series below this were logged at or before `lsn`, or will be found again behind it. */
  readonly nextRef: SeriesRef;
}

/** Background work in slices: sealing, persisting, cutting blocks, cutting the log once it is long, dropping series. */
export class Maintenance {
  readonly #parts: Parts;
  readonly #writer: Writer;
  readonly #idle: IdleSeries;
  readonly #walBytesMax: number;
  readonly #prefault: Prefault;
  readonly #everyMs: number;
  #timer: NodeJS.Timeout | null = null;
  #running: Promise<MaintainReport> | null = null;
  #cut: Cut | null = null;
  /** What the last cut left of the log, in bytes: its checkpoint and the newest segment. */
  #bytesKept = 0;
  #cutTime = Number.NEGATIVE_INFINITY;
  /** What the last background slice failed with; the next `run` meets it, too, while it lasts. */
  #failure: unknown = null;

  constructor(parts: Parts, writer: Writer, idle: IdleSeries, options: MaintenanceOptions) {
    this.#parts = parts;
    this.#writer = writer;
    this.#idle = idle;
    this.#walBytesMax = options.walBytesMax;
    this.#prefault = new Prefault(parts.memory, options.prefaultBytes);
    this.#everyMs = options.maintainEveryMs;
  }

  /** Starts the slices in the background, if there is an interval for them. */
  start(): void {
    if (this.#everyMs <= 0) return;
    this.#timer = setInterval(() => this.#slice(), this.#everyMs);
    this.#timer.unref();
  }

  /** What the last background slice failed with, as text; null while all is well. */
  get failure(): string | null {
    const failure = this.#failure;
    if (failure === null) return null;
    return failure instanceof Error ? failure.message : "unknown";
  }

  /** Runs one slice. Callers that overlap share it, unless they ask for something of their own: then they wait. */
  async run(budgetMs: number, options: RunOptions = {}): Promise<MaintainReport> {
    if (options.cutBefore !== undefined || options.isClosing === true) {
      while (this.#running !== null) await this.#running.catch(() => undefined);
    }
    this.#running ??= this.#work(budgetMs, options).finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  /** Seals and persists everything, and cuts the log, however small it is. */
  async compactLog(): Promise<void> {
    this.#cut = this.#beginCut(this.#writer.close()); // Takes the place of a cut under way, which ends earlier.
    while (this.#cut !== null) await this.run(Number.POSITIVE_INFINITY);
  }

  /** Does something while no slice runs, and no file of the log goes. */
  async exclusively<T>(work: () => Promise<T>): Promise<T> {
    while (this.#running !== null) await this.#running.catch(() => undefined);
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    // Whoever asks for a slice meanwhile gets one that begins when this is done.
    this.#running = held
      .then(() => this.#work(0, {}))
      .finally(() => {
        this.#running = null;
      });
    this.#running.catch(() => undefined); // Told to whoever waits for it.
    try {
      return await work();
    } finally {
      release();
    }
  }

  /** Stops the timer and waits for the slice that runs. */
  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#prefault.stop();
    await this.#running?.catch(() => undefined);
  }

  #slice(): void {
    const { memory } = this.#parts;
    this.#prefault.begin();
    const isShort = memory.bytesTaken > memory.bytesMax * FORCED_SHARE;
    this.run(isShort ? 4 * SLICE_MS : SLICE_MS).then(
      () => {
        this.#failure = null;
      },
      (error: unknown) => {
        this.#failure = error;
      },
    );
  }

  async #work(budgetMs: number, options: RunOptions): Promise<MaintainReport> {
    const { blocks, postings, wal } = this.#parts;
    const untilMs = performance.now() + budgetMs;
    // A log that a cut cannot make short is cut again once it has doubled, not at every slice.
    const bytesMax = Math.max(this.#walBytesMax, 2 * this.#bytesKept);
    if (this.#cut === null && wal.stats.bytesOnDisk > bytesMax) {
      this.#cut = this.#beginCut(this.#writer.close());
    }
    const cut = this.#cut;
    const report = await blocks.maintain({
      ...options,
      budgetMs,
      commitLog: () => wal.commit(),
      closeBatch: () => this.#writer.close(),
      ...(cut === null ? {} : { sealBeforeLsn: cut.lsn + 1 }),
    });
    if (cut !== null && report.durableLsn >= cut.lsn) {
      await nextTurn();
      await this.#finishCut(cut);
      if (this.#cut === cut) this.#cut = null;
    }
    if (report.cutTime > this.#cutTime) this.#afterBlocks(report);
    // Each in a turn of its own: one behind the other they would hold the event loop three times as long.
    await nextTurn();
    this.#idle.sweep(Math.min(untilMs, performance.now() + SLICE_MS));
    await nextTurn();
    postings.maintain(SLICE_MS);
    return report;
  }

  /** Samples have gone to blocks: what they leave behind goes, too, as soon as the log lets it. */
  #afterBlocks({ cutTime, settledLsn }: MaintainReport): void {
    const { wal } = this.#parts;
    this.#cutTime = cutTime;
    this.#idle.begin();
    const grown = wal.stats.bytesOnDisk - this.#bytesKept;
    // Cut where nothing has to be sealed early for it.
    if (this.#cut === null && grown > CUT_BYTES_MIN && settledLsn > 0) {
      this.#cut = this.#beginCut(settledLsn);
    }
  }

  #beginCut(lsn: Lsn): Cut {
    return { lsn, nextRef: this.#parts.index.nextRef };
  }

  async #finishCut(cut: Cut): Promise<void> {
    const { index, wal, codec, blocks } = this.#parts;
    await wal.commit();
    await index.commit(cut.lsn);
    let ref: SeriesRef = 0;
    let key = new Uint8Array(4096);
    const fill = (into: RecordBuffer): boolean => {
      if (ref === 0) encodeNextRef(cut.nextRef, into);
      const until = Math.min(cut.nextRef, ref + 1 + CHECKPOINT_SERIES);
      for (ref += 1; ref < until; ref += 1) {
        const length = index.keyBytes(ref);
        if (length === 0) continue;
        if (length > key.length) key = new Uint8Array(length);
        index.copyKey(ref, key, 0);
        codec.encodeSeries(ref, key, 0, length, into);
      }
      ref -= 1;
      const isLast = ref + 1 >= cut.nextRef;
      if (isLast) this.#encodeHidden(into, blocks);
      return !isLast;
    };
    await wal.checkpoint(fill, cut.lsn);
    await wal.truncateBefore(cut.lsn + 1);
    this.#bytesKept = wal.stats.bytesOnDisk;
    this.#idle.begin(cut.lsn);
  }

  /** Deletions of samples that `sealed/` holds have to be told again: their records went with the log. */
  #encodeHidden(into: RecordBuffer, blocks: Parts["blocks"]): void {
    const record = new TombstoneRecord(into);
    blocks.hidden((ref, minTime, maxTime) => record.add(ref, minTime, maxTime));
    record.end();
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
