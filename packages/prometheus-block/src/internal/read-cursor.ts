import { compareKeys, labelsOf, mergeRuns } from "@varve/bytes";
import type { Labels, OpaqueChunk, SampleColumns } from "@varve/contracts";
import type { RawSeries } from "../reader.ts";
import type { Tombstones } from "../tombstones.ts";
import { NOT_LISTED, type SeriesCheck } from "./postings-check.ts";
import { type Ids, NO_ID } from "./postings-list.ts";
import { ChunkFiles } from "./read-chunks.ts";
import type { BlockParts } from "./read-parts.ts";
import { clip, removeRanges } from "./read-samples.ts";
import { SeriesEntry } from "./read-series.ts";

/** Goes through the series of some ids. What was deleted is what was deleted when the cursor was made. */
export class SeriesCursor implements RawSeries {
  key: Uint8Array = new Uint8Array(256);
  keyLength = 0;
  readonly #parts: BlockParts;
  readonly #ids: Ids;
  readonly #check: SeriesCheck | null;
  readonly #tombstones: Tombstones;
  readonly #entry: SeriesEntry;
  readonly #chunks: ChunkFiles;
  #next = 0;
  /** The series before this one. */
  #lastKey: Uint8Array = new Uint8Array(256);
  /** The chunk that was loaded. */
  #chunk = 0;

  constructor(parts: BlockParts, ids: Ids, check: SeriesCheck | null) {
    this.#parts = parts;
    this.#ids = ids;
    this.#check = check;
    this.#tombstones = parts.tombstones;
    this.#entry = new SeriesEntry(parts.index, parts.places);
    this.#chunks = new ChunkFiles(parts.dir, parts.segments);
  }

  next(): boolean {
    const id = this.#ids.seek(this.#next);
    if (id === NO_ID) {
      this.#next = NO_ID;
      return false;
    }
    this.#next = id + 1;
    const entry = this.#entry;
    entry.read(id);
    if (this.#check?.acceptsEntry(entry) === false) throw entry.damaged(NOT_LISTED);
    const { key, keyLength } = this;
    this.key = this.#lastKey;
    this.#lastKey = key;
    this.#makeKey();
    // A sound entry in another's place: its series would come twice, and the other one never.
    if (compareKeys(this.key, 0, this.keyLength, key, 0, keyLength) <= 0 && keyLength > 0) {
      throw entry.damaged("does not come after the series before it");
    }
    return true;
  }

  read(from: number, until: number, into: SampleColumns): void {
    const entry = this.#entry;
    entry.readChunks();
    const first = into.length;
    for (let i = 0; i < entry.chunkCount; i += 1) {
      if (entry.maxTimes[i]! < from || entry.minTimes[i]! >= until) continue;
      this.load(i);
      if (this.#chunks.encoding !== this.#parts.codec.encoding) continue;
      const middle = into.length;
      this.decode(into);
      const { times, length } = into;
      if (length === middle) continue;
      if (times[middle]! < from || times[length - 1]! >= until) clip(into, middle, from, until);
      mergeRuns(into, first, middle);
    }
    const ranges = this.#tombstones.of(entry.id);
    if (ranges !== undefined) removeRanges(into, first, ranges);
  }

  opaque(from: number, until: number): OpaqueChunk[] {
    const entry = this.#entry;
    const found: OpaqueChunk[] = [];
    entry.readChunks();
    for (let i = 0; i < entry.chunkCount; i += 1) {
      const minTime = entry.minTimes[i]!;
      const maxTime = entry.maxTimes[i]!;
      if (maxTime < from || minTime >= until) continue;
      if (this.#chunks.encodingOf(entry.refs[i]!) === this.#parts.codec.encoding) continue;
      if (this.isDeleted(i)) continue;
      this.load(i);
      const { encoding } = this;
      found.push({ encoding, minTime, maxTime, bytes: this.bytes.slice(this.from, this.until) });
    }
    return found;
  }

  get id(): number {
    return this.#entry.id;
  }

  labels(): Labels {
    return labelsOf(this.key, 0, this.keyLength);
  }

  get chunkCount(): number {
    this.#entry.readChunks();
    return this.#entry.chunkCount;
  }

  minTime(chunk: number): number {
    return this.#entry.minTimes[chunk]!;
  }

  maxTime(chunk: number): number {
    return this.#entry.maxTimes[chunk]!;
  }

  ref(chunk: number): number {
    return this.#entry.refs[chunk]!;
  }

  get deleted(): Float64Array | undefined {
    return this.#tombstones.of(this.#entry.id);
  }

  isDeleted(chunk: number): boolean {
    const ranges = this.deleted;
    if (ranges === undefined) return false;
    const minTime = this.minTime(chunk);
    const maxTime = this.maxTime(chunk);
    for (let i = 0; i < ranges.length; i += 2) {
      if (ranges[i]! <= minTime && maxTime <= ranges[i + 1]!) return true;
    }
    return false;
  }

  load(chunk: number): void {
    this.#chunks.read(this.#entry.refs[chunk]!);
    this.#chunk = chunk;
  }

  get encoding(): number {
    return this.#chunks.encoding;
  }

  get bytes(): Uint8Array {
    return this.#chunks.bytes;
  }

  get from(): number {
    return this.#chunks.from;
  }

  get until(): number {
    return this.#chunks.until;
  }

  get sampleCount(): number {
    const { bytes, from, until } = this.#chunks;
    return until - from < 2 ? 0 : (bytes[from]! << 8) | bytes[from + 1]!;
  }

  decode(into: SampleColumns): void {
    const { bytes, from, until } = this.#chunks;
    const { codec } = this.#parts;
    const first = into.length;
    try {
      const count = codec.storedCount(bytes, from, until - from);
      codec.decode(bytes, from, until - from, count, into);
    } catch (cause) {
      throw this.#chunks.damaged("cannot be decoded", cause);
    }
    // A sound chunk in another's place: both times are exact, in Prometheus' blocks as in ours.
    const { times, length } = into;
    if (length === first) return;
    const { minTimes, maxTimes } = this.#entry;
    if (times[first] !== minTimes[this.#chunk] || times[length - 1] !== maxTimes[this.#chunk]) {
      into.length = first;
      throw this.#chunks.damaged("holds other times than the index says");
    }
  }

  #makeKey(): void {
    const { symbols } = this.#parts;
    const entry = this.#entry;
    let length = 0;
    for (let i = 0; i < entry.labelCount * 2; i += 1) {
      this.key = symbols.append(entry.symbols[i]!, this.key, length);
      length += symbols.length + 1;
    }
    this.keyLength = length;
  }
}
