import { readI64, readU32, VarintReader } from "@varve/bytes";
import { StorageError, type RecordVisitor, type SeriesRef } from "@varve/contracts";
import { LabelsReader } from "./read-labels.ts";
import { INLINE_RECORD, SAMPLES_RECORD, SERIES_RECORD, WORD_BYTES } from "./types.ts";

/** Distances of one byte each, and a value. */
const SAMPLE_BYTES_MIN = 1 + 1 + WORD_BYTES;

const REF_MAX = 2 ** 32 - 1;

/**
 * Decodes every record type that a codec of this package writes, from bytes that nobody trusts.
 *
 * Series are told as they are found; samples only once the whole record is known to be sound.
 */
export class RecordDecoder {
  readonly #reader = new VarintReader();
  readonly #labels = new LabelsReader();
  #refs = new Uint32Array(64);
  #times = new Float64Array(64);
  #values = new Float64Array(64);
  /** The same bytes as the values: a NaN would lose bits on its way through a number. */
  #valueWords = new Int32Array(this.#values.buffer);

  /** False for types that are not known here, and for empty records. */
  decode(bytes: Uint8Array, from: number, until: number, visitor: RecordVisitor): boolean {
    if (from >= until) return false;
    this.#reader.reset(bytes, from + 1, until);
    switch (bytes[from]) {
      case SERIES_RECORD:
        while (this.#reader.at < until) this.#series(from, visitor);
        return true;
      case SAMPLES_RECORD:
        this.#samples(from, visitor);
        return true;
      case INLINE_RECORD:
        this.#inline(from, visitor);
        return true;
      default:
        return false;
    }
  }

  #series(from: number, visitor: RecordVisitor): void {
    const ref = this.#ref(from);
    const labels = this.#readLabels(from);
    if (labels === 0) throw this.#corrupt(from, "a series without labels");
    visitor.series(ref, this.#labels.key, 0, this.#labels.length);
  }

  #samples(from: number, visitor: RecordVisitor): void {
    const reader = this.#reader;
    const { bytes, until } = reader;
    if (reader.at === until) return; // Prometheus writes no samples as the type alone.
    const firstRef = this.#ref(from);
    const firstTime = this.#time(from);
    this.#makeRoom(Math.ceil((until - reader.at) / SAMPLE_BYTES_MIN));
    const refs = this.#refs;
    const times = this.#times;
    const words = this.#valueWords;
    let count = 0;
    while (reader.at < until) {
      const ref = firstRef + reader.signed();
      const time = firstTime + reader.signed();
      const at = reader.at;
      if (reader.failed || at + WORD_BYTES > until) throw this.#corrupt(from, "a cut sample");
      if (!(ref > 0 && ref <= REF_MAX)) throw this.#corrupt(from, `ref ${ref}`);
      if (!Number.isSafeInteger(time)) throw this.#corrupt(from, `time ${time}`);
      refs[count] = ref;
      times[count] = time;
      words[2 * count] = readU32(bytes, at + 4);
      words[2 * count + 1] = readU32(bytes, at);
      reader.at = at + WORD_BYTES;
      count += 1;
    }
    visitor.samples(refs, times, this.#values, count);
  }

  #inline(from: number, visitor: RecordVisitor): void {
    const reader = this.#reader;
    const ref = this.#ref(from);
    const labels = this.#readLabels(from);
    const time = reader.signed();
    const { at, bytes } = reader;
    if (reader.failed || at + WORD_BYTES !== reader.until) {
      throw this.#corrupt(from, "a row of another length");
    }
    if (!Number.isSafeInteger(time)) throw this.#corrupt(from, `time ${time}`);
    if (labels > 0) visitor.series(ref, this.#labels.key, 0, this.#labels.length);
    this.#refs[0] = ref;
    this.#times[0] = time;
    this.#valueWords[0] = readU32(bytes, at + 4);
    this.#valueWords[1] = readU32(bytes, at);
    visitor.samples(this.#refs, this.#times, this.#values, 1);
  }

  #ref(from: number): SeriesRef {
    const ref = this.#reader.u64();
    if (this.#reader.failed || ref === 0 || ref > REF_MAX) {
      throw this.#corrupt(from, "a ref that is none");
    }
    return ref;
  }

  #time(from: number): number {
    const reader = this.#reader;
    if (reader.at + WORD_BYTES > reader.until) throw this.#corrupt(from, "a cut time");
    const time = readI64(reader.bytes, reader.at);
    if (!Number.isSafeInteger(time)) throw this.#corrupt(from, `time ${time}`);
    reader.at += WORD_BYTES;
    return time;
  }

  /** Reads labels as a canonical key; returns how many they are. */
  #readLabels(from: number): number {
    const count = this.#labels.read(this.#reader);
    if (this.#labels.problem !== "") throw this.#corrupt(from, this.#labels.problem);
    return count;
  }

  #makeRoom(count: number): void {
    if (count <= this.#refs.length) return;
    const capacity = Math.max(count, this.#refs.length * 2);
    this.#refs = new Uint32Array(capacity);
    this.#times = new Float64Array(capacity);
    this.#values = new Float64Array(capacity);
    this.#valueWords = new Int32Array(this.#values.buffer);
  }

  #corrupt(from: number, reason: string): StorageError {
    const { bytes, at, until } = this.#reader;
    const type = bytes[from]!;
    return new StorageError(
      "WAL_CORRUPT",
      `a record of type ${type} and ${until - from} bytes is malformed at byte ${at - from}: ${reason}`,
      { facts: { type, bytes: until - from, offset: at - from, reason } },
    );
  }
}
