import {
  isStorageError,
  LIMIT,
  NO_SERIES,
  OPEN,
  StorageError,
  type IndexSettlement,
  type SeriesIndex,
  type SeriesIndexNeeds,
  type SeriesIndexStats,
  type SeriesRef,
  type WriteBatch,
} from "@varve/contracts";
import { readRefKey } from "./entry.ts";
import type { IndexFiles, Opened } from "./files.ts";
import type { LmdbOptions } from "./lmdb.ts";
import type { Meta } from "./meta.ts";
import { Overlay } from "./overlay.ts";
import { RefSet } from "./ref-set.ts";
import type { Store } from "./store.ts";

/** The part behind `lmdbIndex`: what waits in memory in front of what is in the store. */
export class LmdbIndex implements SeriesIndex {
  readonly #needs: SeriesIndexNeeds;
  readonly #options: Required<LmdbOptions>;
  readonly #files: IndexFiles;
  readonly #store: Store;
  readonly #reason: string;
  readonly #wasEmpty: boolean;
  readonly #overlay = new Overlay();
  /** Refs whose entries in the store are dropped by the next transaction, and count as gone already. */
  readonly #dropped = new Set<SeriesRef>();
  /** Refs that the log told of, while it does. */
  #adopted: RefSet | undefined = new RefSet();
  #meta: Meta;
  #nextRef: SeriesRef = 1;
  #isClean: boolean;
  #transactions = 0;
  #state: "open" | "poisoned" | "closed" = "open";

  constructor(
    needs: SeriesIndexNeeds,
    options: Required<LmdbOptions>,
    files: IndexFiles,
    opened: Opened,
  ) {
    this.#needs = needs;
    this.#options = options;
    this.#files = files;
    this.#store = opened.store;
    this.#meta = opened.meta;
    this.#reason = opened.reason;
    this.#wasEmpty = opened.isEmpty;
    this.#isClean = opened.isClean;
  }

  get size(): number {
    return this.#meta.entries - this.#dropped.size + this.#overlay.size;
  }

  get nextRef(): SeriesRef {
    return this.#nextRef;
  }

  get stats(): SeriesIndexStats {
    return {
      probes: this.#store.reads,
      growths: 0,
      collisions: this.#store.collisions,
      overflowed: 0,
      bytes: this.#overlay.bytes + (this.#state === "closed" ? 0 : this.#store.bytes),
      transactions: this.#transactions,
    };
  }

  find(batch: WriteBatch, from: number, until: number): void {
    this.#assertOpen();
    const refs = batch.refs;
    for (let row = from; row < until; row += 1) {
      if (refs[row] === NO_SERIES) refs[row] = this.#lookUp(batch, row);
    }
  }

  insert(batch: WriteBatch, from: number, until: number): number {
    this.#assertOpen();
    const { refs, status } = batch;
    let inserted = 0;
    let isFull = false; // Tried once a call: a refused transaction costs as much as one that goes in.
    for (let row = from; row < until; row += 1) {
      if (status[row] !== OPEN || refs[row] !== NO_SERIES) continue;
      let ref = this.#lookUp(batch, row);
      if (ref === NO_SERIES) {
        const isBounded = this.size >= this.#needs.seriesMax || this.#nextRef > 0xffffffff;
        if (!isBounded && !isFull) isFull = !this.#makeRoom();
        if (isBounded || isFull) {
          status[row] = LIMIT;
          continue;
        }
        ref = this.#nextRef;
        this.#bind(batch, row, ref);
        inserted += 1;
      }
      refs[row] = ref;
    }
    return inserted;
  }

  adopt(batch: WriteBatch, from: number, until: number): void {
    this.#assertOpen();
    for (let row = from; row < until; row += 1) {
      const ref = batch.refs[row]!;
      if (ref === NO_SERIES) continue;
      const known = this.#lookUp(batch, row);
      if (known !== ref) {
        if (this.#overlay.size >= this.#options.batchRowsMax) this.#flush();
        if (known !== NO_SERIES) this.#forget(known);
        this.#forget(ref);
        this.#bind(batch, row, ref);
      }
      if (ref >= this.#nextRef) this.#nextRef = ref + 1;
      this.#adopted?.add(ref);
    }
  }

  settle(nextRef: SeriesRef): IndexSettlement {
    this.#assertOpen();
    if (nextRef > this.#nextRef) this.#nextRef = nextRef;
    const adopted = this.#adopted;
    this.#adopted = undefined;
    if (adopted === undefined) return { rebuilt: false, reason: "", dropped: 0 };
    const dropped = this.#dropUnless(adopted);
    const isMissing = this.#wasEmpty && this.#reason === "" && adopted.size > 0;
    const reason = isMissing ? "there was no index" : this.#reason;
    return { rebuilt: reason !== "", reason, dropped };
  }

  drop(refs: Uint32Array, count: number): void {
    this.#assertOpen();
    for (let i = 0; i < count; i += 1) this.#forget(refs[i]!);
    if (this.#dropped.size >= this.#options.batchRowsMax) this.#tryFlush();
  }

  keyBytes(ref: SeriesRef): number {
    return this.#keyOf(ref)?.length ?? 0;
  }

  copyKey(ref: SeriesRef, into: Uint8Array, at: number): number {
    const key = this.#keyOf(ref);
    if (key === undefined) return 0;
    into.set(key, at);
    return key.length;
  }

  async commit(coveredLsn: number): Promise<void> {
    this.#assertOpen();
    this.#flush(coveredLsn);
    if (this.#isClean) return;
    try {
      await this.#files.sync();
    } catch (error) {
      this.#state = "poisoned"; // What reached the disk is unknown; opening again verifies it.
      throw error;
    }
  }

  /** Never fails for a full disk: what could not be written is told by the log again. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#state === "closed") return;
    const isWritten = this.#state === "open" && this.#tryFlush();
    this.#state = "closed";
    await this.#store.close();
    if (!isWritten || this.#isClean) return;
    await this.#files.sync();
    await this.#files.markClean(this.#meta.generation, this.#meta.entries);
  }

  #lookUp(batch: WriteBatch, row: number): SeriesRef {
    const low = batch.hashes[2 * row]!;
    const high = batch.hashes[2 * row + 1]!;
    const from = batch.keyAt[row]!;
    const until = batch.keyAt[row + 1]!;
    if (this.#overlay.size > 0) {
      const pending = this.#overlay.find(batch.keys, from, until);
      if (pending !== undefined) return pending.ref;
    }
    if (this.#meta.entries === 0) return NO_SERIES;
    const ref = this.#store.find(low, high, batch.keys, from, until);
    return this.#dropped.has(ref) ? NO_SERIES : ref;
  }

  #keyOf(ref: SeriesRef): Uint8Array | undefined {
    this.#assertOpen();
    const pending = this.#overlay.get(ref);
    if (pending !== undefined) return pending.key;
    return this.#dropped.has(ref) ? undefined : this.#store.keyOf(ref);
  }

  #bind(batch: WriteBatch, row: number, ref: SeriesRef): void {
    const low = batch.hashes[2 * row]!;
    const high = batch.hashes[2 * row + 1]!;
    const key = batch.keys.slice(batch.keyAt[row], batch.keyAt[row + 1]);
    this.#overlay.add({ ref, low, high, key });
    if (ref >= this.#nextRef) this.#nextRef = ref + 1;
  }

  #forget(ref: SeriesRef): void {
    this.#adopted?.delete(ref);
    if (this.#overlay.remove(ref) || this.#dropped.has(ref)) return;
    if (this.#store.has(ref)) this.#dropped.add(ref);
  }

  /** Drops what the log did not tell of; returns how many. Looks at the refs only when some must be missing. */
  #dropUnless(adopted: RefSet): number {
    if (this.size === adopted.size) return 0;
    let dropped = 0;
    const unknown: SeriesRef[] = [];
    this.#store.forEachRef((key) => {
      const ref = readRefKey(key);
      if (!adopted.has(ref)) unknown.push(ref);
    });
    for (const ref of unknown) {
      if (!this.#dropped.has(ref)) dropped += 1;
      this.#dropped.add(ref);
    }
    this.#tryFlush();
    return dropped;
  }

  /** True when one more series may wait. */
  #makeRoom(): boolean {
    return this.#overlay.size < this.#options.batchRowsMax || this.#tryFlush();
  }

  /** Like `#flush`; false, and nothing is lost, while the file can take no more. */
  #tryFlush(): boolean {
    try {
      this.#flush();
      return true;
    } catch (error) {
      if (isStorageError(error, "STORAGE_FULL")) return false;
      throw error;
    }
  }

  /** Writes all that waits in one transaction, with the meta record. */
  #flush(coveredLsn: number = this.#meta.coveredLsn): void {
    const isIdle = this.#overlay.size === 0 && this.#dropped.size === 0;
    if (isIdle && coveredLsn === this.#meta.coveredLsn) return;
    const { fileBytesMax } = this.#options;
    if (this.#overlay.size > 0 && this.#store.bytes >= fileBytesMax) throw this.#full();
    const meta: Meta = {
      ...this.#meta,
      coveredLsn,
      nextRef: this.#nextRef,
      entries: this.size,
      generation: this.#meta.generation + 1,
    };
    try {
      if (this.#isClean) this.#files.markDirty();
      this.#isClean = false;
      this.#store.write(this.#dropped, this.#overlay.sorted(), meta);
    } catch (error) {
      if (!isStorageError(error, "STORAGE_FULL")) this.#state = "poisoned";
      throw error;
    }
    this.#transactions += 1;
    this.#meta = meta;
    this.#overlay.clear();
    this.#dropped.clear();
  }

  #full(): StorageError {
    const { fileBytesMax } = this.#options;
    return new StorageError(
      "STORAGE_FULL",
      `${this.#needs.dir}: the index has reached fileBytesMax (${fileBytesMax} bytes); raise it`,
      { facts: { path: this.#needs.dir, limit: "fileBytesMax", max: fileBytesMax } },
    );
  }

  #assertOpen(): void {
    if (this.#state === "open") return;
    if (this.#state === "closed") throw new StorageError("CLOSED", "the series index is closed");
    throw new StorageError(
      "POISONED",
      `${this.#needs.dir}: an earlier write of the index failed; reopen the store`,
      { facts: { path: this.#needs.dir } },
    );
  }
}
