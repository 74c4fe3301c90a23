import { copyBytes, crc32c, uvarintBytes, writeU32, writeUvarint, writeVarint } from "@varve/bytes";
import { StorageError } from "@varve/contracts";
import { CRC_BYTES, SERIES_ALIGN } from "./layout.ts";
import type { Symbols } from "./symbols.ts";
import type { KeyLabels } from "./write-key.ts";
import type { OutputFile } from "./write-output.ts";
import { ALL_PAIR, type Pairs } from "./write-pairs.ts";

/** Labels that there is room for at first. */
const LABELS_MIN = 32;
/** The most that a label takes: two symbol references. */
const LABEL_BYTES_MAX = 10;
/** The most that a chunk takes: three varints of safe integers. */
const CHUNK_BYTES_MAX = 24;
/** Series ids have 32 bits. */
const INDEX_BYTES_MAX = 2 ** 32 * SERIES_ALIGN;

/** Writes the entries of the series section: labels by `labels`, then chunks as they come, then `end`. */
export class SeriesWriter {
  readonly #out: OutputFile;
  readonly #symbols: Symbols;
  readonly #pairs: Pairs;
  readonly #labels: KeyLabels;
  /** Encoded labels, and where each begins. Those that a series shares with the one before stay. */
  #labelBytes = new Uint8Array(LABELS_MIN * LABEL_BYTES_MAX);
  #labelAt = new Uint32Array(LABELS_MIN + 1);
  /** The pair of each label. */
  #pairIds = new Uint32Array(LABELS_MIN);
  #chunkBytes = new Uint8Array(256);
  #chunkEnd = 0;
  #chunkCount = 0;
  #minTime = 0;
  #maxTime = 0;
  #ref = 0;

  constructor(out: OutputFile, symbols: Symbols, pairs: Pairs, labels: KeyLabels) {
    this.#out = out;
    this.#symbols = symbols;
    this.#pairs = pairs;
    this.#labels = labels;
  }

  /** Chunks of the series that is being written. */
  get chunks(): number {
    return this.#chunkCount;
  }

  /** The first time of the series' first chunk. */
  get minTime(): number {
    return this.#minTime;
  }

  /** The last time of the series' last chunk. */
  get maxTime(): number {
    return this.#maxTime;
  }

  /**
   * Begins the series whose labels `KeyLabels` read. Throws INPUT when its names are not in order, or a name or
   * a value is empty.
   */
  begin(): void {
    const { count, ids, changed, kept } = this.#labels;
    if (count > this.#pairIds.length) this.#growLabels(2 * count);
    const symbols = this.#symbols;
    let at = this.#labelAt[kept]!;
    for (let i = kept; i < count; i += 1) {
      const name = symbols.ordinalOf(ids[2 * i]!);
      const value = symbols.ordinalOf(ids[2 * i + 1]!);
      const before = i === 0 ? 0 : symbols.ordinalOf(ids[2 * i - 2]!);
      if (name <= before || value === 0) throw badLabels(i);
      if (changed[i] === 1) this.#pairIds[i] = this.#pairs.intern(name, value);
      this.#labelAt[i] = at;
      at = writeUvarint(this.#labelBytes, at, name);
      at = writeUvarint(this.#labelBytes, at, value);
    }
    this.#labelAt[count] = at;
    this.#chunkCount = 0;
    this.#chunkEnd = 0;
  }

  addChunk(minTime: number, maxTime: number, ref: number): void {
    if (this.#chunkEnd + CHUNK_BYTES_MAX > this.#chunkBytes.length) this.#growChunks();
    const bytes = this.#chunkBytes;
    let at = this.#chunkEnd;
    if (this.#chunkCount === 0) {
      this.#minTime = minTime;
      at = writeVarint(bytes, at, minTime);
      at = writeUvarint(bytes, at, maxTime - minTime);
      at = writeUvarint(bytes, at, ref);
    } else {
      at = writeUvarint(bytes, at, minTime - this.#maxTime);
      at = writeUvarint(bytes, at, maxTime - minTime);
      at = writeVarint(bytes, at, ref - this.#ref);
    }
    this.#chunkEnd = at;
    this.#chunkCount += 1;
    this.#maxTime = maxTime;
    this.#ref = ref;
  }

  /** Writes the entry, and counts the series for its labels' postings. Throws LIMIT when its id has no room. */
  end(): void {
    const out = this.#out;
    const { count } = this.#labels;
    const labelEnd = this.#labelAt[count]!;
    const countBytes = uvarintBytes(count) + uvarintBytes(this.#chunkCount);
    const length = countBytes + labelEnd + this.#chunkEnd;
    out.pad(SERIES_ALIGN);
    if (out.position >= INDEX_BYTES_MAX) throw tooManySeries(out);
    out.reserve(uvarintBytes(length) + length + CRC_BYTES);
    const { buffer } = out;
    const bodyAt = writeUvarint(buffer, out.at, length);
    let at = writeUvarint(buffer, bodyAt, count);
    at = copyBytes(this.#labelBytes, 0, labelEnd, buffer, at);
    at = writeUvarint(buffer, at, this.#chunkCount);
    at = copyBytes(this.#chunkBytes, 0, this.#chunkEnd, buffer, at);
    writeU32(buffer, at, crc32c(buffer, bodyAt, at));
    out.at = at + CRC_BYTES;
    const pairs = this.#pairs;
    pairs.addSeries(ALL_PAIR);
    for (let i = 0; i < count; i += 1) pairs.addSeries(this.#pairIds[i]!);
  }

  #growLabels(room: number): void {
    const labelAt = new Uint32Array(room + 1);
    labelAt.set(this.#labelAt);
    this.#labelAt = labelAt;
    const pairIds = new Uint32Array(room);
    pairIds.set(this.#pairIds);
    this.#pairIds = pairIds;
    const bytes = new Uint8Array(room * LABEL_BYTES_MAX);
    bytes.set(this.#labelBytes);
    this.#labelBytes = bytes;
  }

  #growChunks(): void {
    const bytes = new Uint8Array(this.#chunkBytes.length * 2);
    bytes.set(this.#chunkBytes);
    this.#chunkBytes = bytes;
  }
}

function badLabels(label: number): StorageError {
  return new StorageError(
    "INPUT",
    `label ${label + 1} of a series is empty, or its name does not come after the one before it; ` +
      "nothing was published; pass canonical keys",
    { facts: { value: label } },
  );
}

function tooManySeries(out: OutputFile): StorageError {
  return new StorageError(
    "LIMIT",
    `${out.path}@${out.position}: an index ends at 64 GiB; nothing was published; cut smaller blocks`,
    { facts: { path: out.path, offset: out.position, limit: INDEX_BYTES_MAX } },
  );
}
