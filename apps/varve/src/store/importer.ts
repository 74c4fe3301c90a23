import {
  isStorageError,
  isTaken,
  LIMIT,
  REPEATED,
  STATUS_NAMES,
  StorageError,
  type Labels,
} from "@varve/contracts";
import type { SampleRows } from "@varve/exposition";
import type { PreparedLabels, UserBatch } from "varve";
import type { Store } from "./open.ts";

/** Rows of one batch of the store. */
const BATCH_ROWS = 4096;
/** Batches between two waits for the disk, so that the log does not run ahead of it. */
const BATCHES_PER_FLUSH = 16;
/** Slices of background work, in milliseconds, that a full memory is given to make room. */
const ROOM_MS = 250;
const ROOM_TRIES = 20;

/** A row that the store refused. */
export interface RefusedRow {
  readonly line: number;
  readonly reason: string;
}

/** Writes rows of text files into a store. */
export class Importer implements Disposable {
  /** Rows that went in. */
  accepted = 0;
  /** Rows that were there already, with the same bits. */
  repeated = 0;
  /** Rows that were refused, by reason. */
  readonly refused = new Map<string, number>();
  readonly #store: Store;
  readonly #batch: UserBatch;
  readonly #lines = new Float64Array(BATCH_ROWS);
  readonly #prepared = new WeakMap<Labels, PreparedLabels>();
  readonly #onRefused: (row: RefusedRow) => void;
  #batches = 0;

  constructor(store: Store, onRefused: (row: RefusedRow) => void) {
    this.#store = store;
    this.#batch = store.batch(BATCH_ROWS);
    this.#onRefused = onRefused;
  }

  /** Writes rows; they are in the store, though maybe not durable, when it resolves. */
  async write(rows: SampleRows): Promise<void> {
    const words = new Uint32Array(
      rows.values.buffer,
      rows.values.byteOffset,
      rows.values.length * 2,
    );
    for (let i = 0; i < rows.length; i += 1) {
      const labels = this.#prepare(rows.labels[i]!, rows.lines[i]!);
      if (labels === undefined) continue;
      if (this.#batch.length === BATCH_ROWS) await this.#close();
      this.#add(labels, rows.times[i]!, words[i * 2]!, words[i * 2 + 1]!, rows.lines[i]!);
    }
    await this.#close();
  }

  [Symbol.dispose](): void {
    this.#batch[Symbol.dispose]();
  }

  /** Adds a row by the words of its value: a NaN that travels as a number may lose its bits. */
  #add(labels: PreparedLabels, time: number, low: number, high: number, line: number): void {
    const { rows, length: row } = this.#batch;
    this.#batch.add(labels, time, 0);
    rows.valueWords[row * 2] = low;
    rows.valueWords[row * 2 + 1] = high;
    this.#lines[row] = line;
  }

  #prepare(labels: Labels, line: number): PreparedLabels | undefined {
    const known = this.#prepared.get(labels);
    if (known !== undefined) return known;
    try {
      const made = this.#store.labels(labels);
      this.#prepared.set(labels, made);
      return made;
    } catch (error) {
      if (!isStorageError(error, "LABELS")) throw error;
      this.#refuse(line, "LABELS", error.message);
      return undefined;
    }
  }

  async #close(): Promise<void> {
    const batch = this.#batch;
    if (batch.length === 0) return;
    for (let attempt = 0; ; attempt += 1) {
      await this.#writeBatch();
      this.#tally();
      if (batch.length === 0) break;
      if (attempt === ROOM_TRIES) {
        throw new StorageError(
          "LIMIT",
          "the store's memory is full, and background work made no room; what was imported is safe",
        );
      }
      await this.#store.maintain(ROOM_MS);
      await this.#store.flush();
    }
    this.#batches += 1;
    if (this.#batches % BATCHES_PER_FLUSH === 0) await this.#store.flush();
  }

  /** A log that is behind refuses the whole batch, and takes it once it has caught up. */
  async #writeBatch(): Promise<void> {
    try {
      this.#store.writeBatch(this.#batch);
    } catch (error) {
      if (!isStorageError(error, "WAL_BACKLOG")) throw error;
      await this.#store.flush();
      this.#store.writeBatch(this.#batch);
    }
  }

  /** Counts what became of the rows, and leaves those in the batch for which memory had no room. */
  #tally(): void {
    const batch = this.#batch;
    const left: (readonly [row: number, line: number])[] = [];
    for (let row = 0; row < batch.length; row += 1) {
      const status = batch.status(row);
      if (isTaken(status)) this.accepted += 1;
      else if (status === REPEATED) this.repeated += 1;
      else if (status === LIMIT) left.push([row, this.#lines[row]!]);
      else this.#refuse(this.#lines[row]!, STATUS_NAMES[status]!, reasonOf(status));
    }
    if (left.length === 0) return batch.clear();
    this.#keep(left);
  }

  #keep(left: readonly (readonly [row: number, line: number])[]): void {
    const { rows } = this.#batch;
    const kept = left.map(([row, line]) => {
      const key = rows.keys.slice(rows.keyAt[row]!, rows.keyAt[row + 1]!);
      const words = rows.valueWords.slice(row * 2, row * 2 + 2);
      return { key, ref: rows.refs[row]!, time: rows.times[row]!, words, line };
    });
    this.#batch.clear();
    for (const { key, ref, time, words, line } of kept) {
      const row = rows.length;
      rows.reserveKey(row, key.length);
      rows.keys.set(key, rows.keyAt[row]!);
      rows.add(time, 0);
      rows.keyAt[row + 1] = rows.keyAt[row]! + key.length;
      rows.refs[row] = ref;
      rows.valueWords.set(words, row * 2);
      this.#lines[row] = line;
    }
  }

  #refuse(line: number, word: string, reason: string): void {
    this.refused.set(word, (this.refused.get(word) ?? 0) + 1);
    this.#onRefused({ line, reason });
  }
}

const REASONS: Readonly<Record<string, string>> = {
  OUT_OF_ORDER: "the sample is older than what the store takes",
  CONFLICT: "the series has another value at that time",
  BAD_TIME: "the time is out of range",
};

function reasonOf(status: number): string {
  const word = STATUS_NAMES[status]!;
  return REASONS[word] ?? `the store refused the sample: ${word}`;
}
