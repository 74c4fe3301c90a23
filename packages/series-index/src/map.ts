import {
  LIMIT,
  NO_SERIES,
  OPEN,
  StorageError,
  type IndexSettlement,
  type SeriesIndex,
  type SeriesIndexStats,
  type SeriesRef,
  type Variant,
  type WriteBatch,
} from "@varve/contracts";
import { equalBytes } from "@varve/bytes";
import { Overflow } from "./overflow.ts";
import { MAP_ENTRIES_MAX, ShardedMap } from "./sharded-map.ts";

/** Options of the Map index. */
export interface MapOptions {
  /** Entries that one Map holds before another is begun. Lower it only to test that. */
  readonly mapEntriesMax?: number;
}

/**
 * JavaScript Maps from a hash word to the first series that has it, and from refs to series. Other series of a word are
 * found by a keyed hash. Each series is an object with a copy of its key, and the whole key is compared.
 * The plain way, and the yardstick: it grows by rehashing a whole Map at once. Forgets everything at close.
 *
 * Adopted series do not count against `seriesMax`, since the log already has them; rows after them do.
 */
export function mapIndex(options: MapOptions = {}): Variant<"series-index"> {
  const { mapEntriesMax = MAP_ENTRIES_MAX } = options;
  return {
    slot: "series-index",
    name: "map",
    traits: { persistent: false },
    open: (needs) => new MapIndex(needs.seriesMax, mapEntriesMax),
  };
}

/** Heap bytes of a series beside its key: its object, its array, and entries in two Maps. Measured at a million. */
const SERIES_BYTES = 340;

interface Series {
  readonly ref: SeriesRef;
  readonly word: number;
  readonly key: Uint8Array;
}

class MapIndex implements SeriesIndex {
  readonly #seriesMax: number;
  /** The first series of each hash word. */
  readonly #unique: ShardedMap<number, Series>;
  /** How many other series have a hash word, for words that several share. */
  readonly #conflicts: ShardedMap<number, number>;
  /** Those others: whoever chooses keys of one hash does not choose where they lie here. */
  readonly #overflow = new Overflow();
  readonly #byRef: ShardedMap<SeriesRef, Series>;
  #nextRef: SeriesRef = 1;
  #size = 0;
  #keyBytes = 0;
  #probes = 0;
  #collisions = 0;
  #closed = false;

  constructor(seriesMax: number, mapEntriesMax: number) {
    this.#seriesMax = seriesMax;
    this.#unique = new ShardedMap(mapEntriesMax);
    this.#conflicts = new ShardedMap(mapEntriesMax);
    this.#byRef = new ShardedMap(mapEntriesMax);
  }

  get size(): number {
    return this.#size;
  }

  get nextRef(): SeriesRef {
    return this.#nextRef;
  }

  get stats(): SeriesIndexStats {
    return {
      probes: this.#probes,
      growths: this.#unique.shards - 1,
      collisions: this.#collisions,
      overflowed: this.#overflow.size,
      bytes: this.#keyBytes + this.#size * SERIES_BYTES,
      transactions: 0,
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
    for (let row = from; row < until; row += 1) {
      if (status[row] !== OPEN || refs[row] !== NO_SERIES) continue;
      let ref = this.#lookUp(batch, row);
      if (ref === NO_SERIES) {
        if (this.#size >= this.#seriesMax || this.#nextRef > 0xffffffff) {
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
      if (known === ref) continue;
      if (known !== NO_SERIES) this.#forget(known);
      this.#forget(ref);
      this.#bind(batch, row, ref);
    }
  }

  settle(nextRef: SeriesRef): IndexSettlement {
    this.#assertOpen();
    if (nextRef > this.#nextRef) this.#nextRef = nextRef;
    return { rebuilt: false, reason: "", dropped: 0 };
  }

  drop(refs: Uint32Array, count: number): void {
    this.#assertOpen();
    for (let i = 0; i < count; i += 1) this.#forget(refs[i]!);
  }

  keyBytes(ref: SeriesRef): number {
    return this.#byRef.get(ref)?.key.length ?? 0;
  }

  copyKey(ref: SeriesRef, into: Uint8Array, at: number): number {
    const series = this.#byRef.get(ref);
    if (series === undefined) return 0;
    into.set(series.key, at);
    return series.key.length;
  }

  async commit(): Promise<void> {
    this.#assertOpen();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#unique.clear();
    this.#conflicts.clear();
    this.#overflow.clear();
    this.#byRef.clear();
    this.#size = 0;
    this.#keyBytes = 0;
  }

  #lookUp(batch: WriteBatch, row: number): SeriesRef {
    const word = wordOf(batch.hashes[2 * row]!, batch.hashes[2 * row + 1]!);
    const first = this.#unique.get(word);
    const from = batch.keyAt[row]!;
    const until = batch.keyAt[row + 1]!;
    this.#probes += 1;
    if (
      first !== undefined &&
      equalBytes(first.key, 0, first.key.length, batch.keys, from, until)
    ) {
      return first.ref;
    }
    // The first of a word may be gone, and others of it still there.
    if (this.#overflow.size === 0 || this.#conflicts.get(word) === undefined) return NO_SERIES;
    const overflow = this.#overflow;
    let ref = overflow.first(overflow.hash(batch.keys, from, until));
    while (ref !== NO_SERIES) {
      this.#probes += 1;
      const { key } = this.#byRef.get(ref)!;
      if (equalBytes(key, 0, key.length, batch.keys, from, until)) return ref;
      ref = overflow.next(ref);
    }
    return NO_SERIES;
  }

  #bind(batch: WriteBatch, row: number, ref: SeriesRef): void {
    const word = wordOf(batch.hashes[2 * row]!, batch.hashes[2 * row + 1]!);
    const key = batch.keys.slice(batch.keyAt[row], batch.keyAt[row + 1]);
    const series = { ref, word, key };
    if (this.#unique.get(word) === undefined) {
      this.#unique.set(word, series);
    } else {
      this.#collisions += 1;
      this.#conflicts.set(word, (this.#conflicts.get(word) ?? 0) + 1);
      this.#overflow.add(this.#overflow.hash(key, 0, key.length), ref);
    }
    this.#byRef.set(ref, series);
    this.#size += 1;
    this.#keyBytes += key.length;
    if (ref >= this.#nextRef) this.#nextRef = ref + 1;
  }

  #forget(ref: SeriesRef): void {
    const series = this.#byRef.get(ref);
    if (series === undefined) return;
    this.#byRef.delete(ref);
    this.#size -= 1;
    const { word, key } = series;
    this.#keyBytes -= key.length;
    if (this.#unique.get(word) === series) {
      this.#unique.delete(word);
      return;
    }
    this.#overflow.remove(this.#overflow.hash(key, 0, key.length), ref);
    const others = this.#conflicts.get(word)! - 1;
    if (others === 0) this.#conflicts.delete(word);
    else this.#conflicts.set(word, others);
  }

  #assertOpen(): void {
    if (this.#closed) throw new StorageError("CLOSED", "the series index is closed");
  }
}

/** Both words of a hash as one small integer: a Map of doubles is slower and allocates a box for each key. */
function wordOf(low: number, high: number): number {
  return (low ^ Math.imul(high, 0x9e3779b1)) | 0;
}
