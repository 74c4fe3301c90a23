import { makeBatch, type RowBatch } from "@varve/bytes";
import {
  isTaken,
  LIMIT,
  StorageError,
  type IndexSettlement,
  type Lsn,
  type RecordVisitor,
  type SeriesRef,
  type WalRecovery,
} from "@varve/contracts";
import type { Parts } from "./parts.ts";
import { decodeOwn, type OwnRecordVisitor } from "./records.ts";
import type { RefSet } from "./ref-set.ts";

/** Rows that replay hands to the parts at once. */
const REPLAY_ROWS = 1024;

/** What an open found and did. */
export interface RecoveryReport {
  readonly wal: WalRecovery;
  /** For an index on disk: whether it had to be built anew. */
  readonly index: IndexSettlement & { readonly persistent: boolean };
  /** Damage that was found in `sealed/`: stretches whose chunks are lost, and copies of them. */
  readonly sealed: { readonly damaged: number; readonly quarantined: readonly string[] };
  /** Series and samples that the log told. */
  readonly series: number;
  readonly samples: number;
  /** Samples that were in `sealed/` or in blocks already. */
  readonly samplesSkipped: number;
  /** Samples of series that the log never named, which are lost: damage, unless the mode is `salvage`. */
  readonly samplesOrphaned: number;
  readonly durationMs: number;
}

/** Tells the log's story to index and block manager, and marks which series the log holds. */
export function replay(parts: Parts, logged: RefSet, persistent: boolean): RecoveryReport {
  const start = performance.now();
  const replayer = new Replayer(parts, logged);
  const wal = parts.wal.replay((bytes, from, until, lsn) =>
    replayer.record(bytes, from, until, lsn),
  );
  const index = replayer.finish(wal.lastLsn);
  const { damaged = 0, quarantined = [] } = parts.blocks.stats;
  return {
    wal,
    sealed: { damaged, quarantined },
    index: { ...index, persistent },
    series: replayer.series,
    samples: replayer.samples,
    samplesSkipped: replayer.skipped,
    samplesOrphaned: replayer.orphaned,
    durationMs: performance.now() - start,
  };
}

class Replayer {
  series = 0;
  samples = 0;
  skipped = 0;
  orphaned = 0;
  readonly #parts: Parts;
  readonly #logged: RefSet;
  readonly #seriesRows: RowBatch;
  readonly #sampleRows: RowBatch;
  #nextRef: SeriesRef = 1;
  #lsn: Lsn = 0;
  /** The rows that wait came late. */
  #isLate = false;
  readonly #visitor: RecordVisitor = {
    series: (ref, bytes, from, until) => this.#addSeries(ref, bytes, from, until),
    samples: (refs, times, values, count) => this.#addSamples(refs, times, values, count),
  };
  readonly #ownVisitor: OwnRecordVisitor = {
    nextRef: (nextRef) => {
      this.#nextRef = Math.max(this.#nextRef, nextRef);
    },
    tombstone: (ref, minTime, maxTime) => {
      this.#applySamples(); // Deletions are of what was told before them.
      this.#parts.blocks.hide(ref, minTime, maxTime, this.#lsn);
    },
    late: (ref, time, low, high) => this.#addLate(ref, time, low, high),
  };

  constructor(parts: Parts, logged: RefSet) {
    this.#parts = parts;
    this.#logged = logged;
    this.#seriesRows = makeBatch(parts.memory, REPLAY_ROWS);
    this.#sampleRows = makeBatch(parts.memory, REPLAY_ROWS);
  }

  record(bytes: Uint8Array, from: number, until: number, lsn: Lsn): void {
    // The samples of one batch are applied under its own Lsn.
    if (lsn !== this.#lsn) this.#applySamples();
    this.#lsn = lsn;
    if (this.#parts.codec.decode(bytes, from, until, this.#visitor)) return;
    decodeOwn(bytes, from, until, lsn, this.#ownVisitor);
    this.#applySamples();
    this.#isLate = false;
  }

  finish(lastLsn: Lsn): IndexSettlement {
    this.#applySamples();
    // Batches of which no samples are left are applied, too: a cut of the log waits for the last one.
    this.#parts.blocks.replay(this.#sampleRows, 0, 0, lastLsn, false);
    this.#adoptSeries();
    const { index, blocks } = this.#parts;
    const settlement = index.settle(Math.max(this.#nextRef, blocks.refMax + 1));
    this.#seriesRows.dispose();
    this.#sampleRows.dispose();
    return settlement;
  }

  #addSeries(ref: SeriesRef, bytes: Uint8Array, from: number, until: number): void {
    const rows = this.#seriesRows;
    if (rows.length === rows.capacity) this.#adoptSeries();
    const row = rows.length;
    const length = until - from;
    rows.reserveKey(row, length);
    const at = rows.keyAt[row]!;
    for (let i = 0; i < length; i += 1) rows.keys[at + i] = bytes[from + i]!;
    rows.add(0, 0);
    rows.keyAt[row + 1] = at + length;
    rows.refs[row] = ref;
    if (!this.#logged.has(ref)) this.series += 1;
    this.#logged.add(ref);
    this.#nextRef = Math.max(this.#nextRef, ref + 1);
  }

  #addSamples(refs: Uint32Array, times: Float64Array, values: Float64Array, count: number): void {
    const words = new Int32Array(values.buffer, values.byteOffset, 2 * count);
    for (let i = 0; i < count; i += 1) {
      if (!this.#logged.has(refs[i]!)) {
        this.orphaned += 1;
        continue;
      }
      this.#addRow(refs[i]!, times[i]!, words[2 * i]!, words[2 * i + 1]!);
    }
  }

  #addLate(ref: SeriesRef, time: number, low: number, high: number): void {
    if (!this.#logged.has(ref)) {
      this.orphaned += 1;
      return;
    }
    if (!this.#isLate) this.#applySamples();
    this.#isLate = true;
    this.#addRow(ref, time, low, high);
  }

  #addRow(ref: SeriesRef, time: number, low: number, high: number): void {
    const rows = this.#sampleRows;
    if (rows.length === rows.capacity) this.#applySamples();
    const row = rows.add(time, 0);
    rows.refs[row] = ref;
    rows.valueWords[2 * row] = low;
    rows.valueWords[2 * row + 1] = high;
  }

  #adoptSeries(): void {
    const rows = this.#seriesRows;
    if (rows.length === 0) return;
    this.#parts.hasher.hash(rows, 0, rows.length);
    this.#parts.index.adopt(rows, 0, rows.length);
    rows.clear();
  }

  #applySamples(): void {
    const rows = this.#sampleRows;
    if (rows.length === 0) return;
    // What `sealed/` or a block holds already is refused here as old or repeated.
    this.#parts.blocks.replay(rows, 0, rows.length, this.#lsn, this.#isLate);
    let applied = 0;
    for (let row = 0; row < rows.length; row += 1) {
      const status = rows.status[row]!;
      if (isTaken(status)) applied += 1;
      else if (status === LIMIT) throw memoryError(this.#parts.memory.bytesMax);
    }
    this.samples += applied;
    this.skipped += rows.length - applied;
    rows.clear();
  }
}

function memoryError(bytesMax: number): StorageError {
  return new StorageError(
    "LIMIT",
    `the log holds more than fits in ${bytesMax} bytes of memory; nothing was lost; ` +
      "open with a larger memoryBytesMax or allocatorBytesMax",
    { facts: { limit: "memoryBytesMax", value: bytesMax } },
  );
}
