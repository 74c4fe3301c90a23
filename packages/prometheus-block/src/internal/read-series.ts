import { crc32c, readU32, VarintReader } from "@varve/bytes";
import { CRC_BYTES, SERIES_ALIGN } from "./layout.ts";
import { corrupt } from "./read-errors.ts";
import { type BlockFile, FileView } from "./read-file.ts";
import type { IndexPlaces } from "./read-toc.ts";

const VARINT_BYTES = 10;
/** Larger entries do not occur: four million chunks. */
const ENTRY_BYTES_MAX = 64 * 2 ** 20;

/** One series entry of an index, taken apart. Reading the next one replaces it. */
export class SeriesEntry {
  id = 0;
  labelCount = 0;
  /** Two symbols a label: its name and its value. */
  symbols = new Float64Array(64);
  chunkCount = 0;
  /** Times are inclusive. */
  minTimes = new Float64Array(16);
  maxTimes = new Float64Array(16);
  refs = new Float64Array(16);
  /** Where the entry ends in the file. */
  end = 0;
  readonly #view: FileView;
  readonly #places: IndexPlaces;
  readonly #fields = new VarintReader();
  #body = new Uint8Array(256);
  #chunksAt = 0;
  #bodyLength = 0;
  #areChunksRead = false;

  constructor(file: BlockFile, places: IndexPlaces) {
    this.#view = new FileView(file);
    this.#places = places;
  }

  /** Reads the entry and its labels. Throws BLOCK_CORRUPT when there is none, or its checksum is wrong. */
  read(id: number): void {
    const { series, seriesEnd } = this.#places;
    const view = this.#view;
    const start = id * SERIES_ALIGN;
    this.id = id;
    if (start < series || start >= seriesEnd) throw this.damaged("lies outside its section");
    const head = view.viewUpTo(start, Math.min(VARINT_BYTES, seriesEnd - start));
    const fields = this.#fields;
    fields.reset(view.bytes, view.at, view.at + head);
    const length = fields.unsigned();
    const bodyAt = start + fields.at - view.at;
    const end = bodyAt + length + CRC_BYTES;
    if (fields.failed || end > seriesEnd || length > ENTRY_BYTES_MAX) {
      throw this.damaged("has an impossible length");
    }
    view.view(bodyAt, length + CRC_BYTES);
    const crc = crc32c(view.bytes, view.at, view.at + length);
    if (crc !== readU32(view.bytes, view.at + length)) throw this.damaged("has a wrong checksum");
    this.end = end;
    this.#keep(view.bytes, view.at, length);
    this.#readLabels();
  }

  /** Takes the chunks apart, once. */
  readChunks(): void {
    if (this.#areChunksRead) return;
    const fields = this.#fields;
    fields.reset(this.#body, this.#chunksAt, this.#bodyLength);
    const count = fields.unsigned();
    // A chunk takes three bytes at least.
    if (count * 3 > this.#bodyLength - fields.at) throw this.damaged("has no room for its chunks");
    if (count > this.minTimes.length) this.#growChunks(count);
    let last = 0;
    let ref = 0;
    for (let i = 0; i < count; i += 1) {
      const minTime = i === 0 ? fields.signed() : last + this.#delta();
      last = minTime + fields.unsigned();
      ref = i === 0 ? fields.unsigned() : ref + fields.signed();
      const isSafe = Number.isSafeInteger(minTime) && Number.isSafeInteger(last);
      if (fields.failed || !isSafe) throw this.damaged("has malformed chunks");
      this.minTimes[i] = minTime;
      this.maxTimes[i] = last;
      this.refs[i] = ref;
    }
    if (fields.at !== this.#bodyLength) throw this.damaged("goes on behind its chunks");
    this.chunkCount = count;
    this.#areChunksRead = true;
  }

  damaged(problem: string, cause?: unknown): Error {
    const offset = this.id * SERIES_ALIGN;
    return corrupt(this.#view.file.path, offset, `series ${this.id} ${problem}`, cause);
  }

  #readLabels(): void {
    const fields = this.#fields;
    fields.reset(this.#body, 0, this.#bodyLength);
    const count = fields.unsigned();
    if (count * 2 > this.#bodyLength) throw this.damaged("has no room for its labels");
    if (count * 2 > this.symbols.length) this.symbols = new Float64Array(count * 4);
    const { symbols } = this;
    for (let i = 0; i < count * 2; i += 1) symbols[i] = fields.unsigned();
    if (fields.failed) throw this.damaged("has malformed labels");
    this.labelCount = count;
    this.#chunksAt = fields.at;
    this.chunkCount = 0;
    this.#areChunksRead = false;
  }

  /**
   * Reads how far a chunk begins behind the one before it. Some versions of Prometheus let chunks of a series overlap:
   * then it is a negative number as an unsigned varint of 64 bits.
   */
  #delta(): number {
    const fields = this.#fields;
    const body = this.#body;
    const { at } = fields;
    const last = at + VARINT_BYTES - 1;
    let end = at;
    while (end < last && end < this.#bodyLength && (body[end]! & 0x80) !== 0) end += 1;
    if (end < last || last >= this.#bodyLength || body[last] !== 1) return fields.unsigned();
    // Two's complement: the magnitude is what the bits say when they are turned, and one.
    let magnitude = 1;
    let scale = 1;
    for (let i = at; i < last; i += 1) {
      magnitude += (~body[i]! & 0x7f) * scale;
      scale *= 128;
    }
    fields.at = last + 1;
    return -magnitude;
  }

  /** Copies the body: a page may go while symbols are looked up. */
  #keep(bytes: Uint8Array, at: number, length: number): void {
    if (length > this.#body.length) this.#body = new Uint8Array(length * 2);
    const body = this.#body;
    for (let i = 0; i < length; i += 1) body[i] = bytes[at + i]!;
    this.#bodyLength = length;
  }

  #growChunks(count: number): void {
    this.minTimes = new Float64Array(count * 2);
    this.maxTimes = new Float64Array(count * 2);
    this.refs = new Float64Array(count * 2);
  }
}
