import type { Lsn, MaintainReport, RecordBuffer, SeriesRef } from "@varve/contracts";
import type { Parts } from "./parts.ts";
import { encodeNextRef } from "./replay.ts";
import type { Writer } from "./writer.ts";

export interface MaintenanceOptions {
  readonly maintainEveryMs: number;
  readonly walBytesMax: number;
  readonly prefaultBytes: number;
}

/** Time that one background slice may take, in milliseconds. */
const SLICE_MS = 5;
/** Share of the memory above which maintenance does not wait for its turn. */
const FORCED_SHARE = 0.9;
/** Series that one call of a checkpoint's `fill` encodes. */
const CHECKPOINT_SERIES = 512;

/** A cut of the log that is under way: everything up to `lsn` moves to `sealed/` and the checkpoint. */
interface Cut {
  readonly lsn: Lsn;
  /** Series below this were logged at or before `lsn`. */
  readonly nextRef: SeriesRef;
}

/** Background work in slices: sealing, persisting, and cutting the log once it is long. */
export class Maintenance {
  readonly #parts: Parts;
  readonly #writer: Writer;
  readonly #walBytesMax: number;
  readonly #prefaultBytes: number;
  readonly #everyMs: number;
  #timer: NodeJS.Timeout | null = null;
  #running: Promise<MaintainReport> | null = null;
  #cut: Cut | null = null;
  /** What the last cut left of the log, in bytes: its checkpoint and the newest segment. */
  #bytesKept = 0;
  /** What the last background slice failed with; the next `run` meets it, too, while it lasts. */
  #failure: unknown = null;

  constructor(parts: Parts, writer: Writer, options: MaintenanceOptions) {
    this.#parts = parts;
    this.#writer = writer;
    this.#walBytesMax = options.walBytesMax;
    this.#prefaultBytes = options.prefaultBytes;
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

  /** Runs one slice; callers that overlap share it. */
  run(budgetMs: number): Promise<MaintainReport> {
    this.#running ??= this.#work(budgetMs).finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  /** Seals and persists everything, and cuts the log, however small it is. */
  async compactLog(): Promise<void> {
    this.#cut = this.#beginCut(); // Takes the place of a cut under way, which ends earlier.
    while (this.#cut !== null) await this.run(Number.POSITIVE_INFINITY);
  }

  /** Stops the timer and waits for the slice that runs. */
  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    await this.#running?.catch(() => undefined);
  }

  #slice(): void {
    const { memory } = this.#parts;
    memory.prefault(this.#prefaultBytes);
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

  async #work(budgetMs: number): Promise<MaintainReport> {
    const { blocks, wal } = this.#parts;
    // A log that a cut cannot make short is cut again once it has doubled, not at every slice.
    const bytesMax = Math.max(this.#walBytesMax, 2 * this.#bytesKept);
    if (this.#cut === null && wal.stats.bytesOnDisk > bytesMax) this.#cut = this.#beginCut();
    const cut = this.#cut;
    const commitLog = (): Promise<Lsn> => wal.commit();
    const report = await blocks.maintain(
      cut === null ? { budgetMs, commitLog } : { budgetMs, commitLog, sealBeforeLsn: cut.lsn + 1 },
    );
    if (cut !== null && report.durableLsn >= cut.lsn) {
      await this.#finishCut(cut);
      this.#bytesKept = wal.stats.bytesOnDisk;
      if (this.#cut === cut) this.#cut = null;
    }
    return report;
  }

  #beginCut(): Cut {
    const lsn = this.#writer.close();
    return { lsn, nextRef: this.#parts.index.nextRef };
  }

  async #finishCut(cut: Cut): Promise<void> {
    const { index, wal, codec } = this.#parts;
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
      return ref + 1 < cut.nextRef;
    };
    await wal.checkpoint(fill, cut.lsn);
    await wal.truncateBefore(cut.lsn + 1);
  }
}
