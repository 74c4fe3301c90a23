import { loadKernel } from "@varve/bytes";
import {
  ACCEPTED,
  type Memory,
  type RecordBuffer,
  type RecordNeeds,
  type Variant,
  type WriteBatch,
} from "@varve/contracts";
import { RefCodec, SAMPLE_BYTES_MAX, SAMPLES_HEADER_BYTES } from "./internal/ref-codec.ts";

/**
 * The records of `ref`, byte for byte, written by a kernel: a call for the new series of a batch, and one for its samples.
 *
 * It works where the log's buffer lies in the linear memory, and does as `ref` does elsewhere. Decoding is that of `ref`.
 */
export function refWasmRecord(): Variant<"record"> {
  return {
    slot: "record",
    name: "ref-wasm",
    traits: { prometheusReadable: true },
    open: (needs) => new RefWasmCodec(needs),
  };
}

/** What kernel/ref.ts exports. Places are byte offsets of the memory. */
interface RefKernel {
  seriesRoom(isNew: number, status: number, keyAt: number, from: number, until: number): number;
  writeSeries(
    refs: number,
    isNew: number,
    status: number,
    keys: number,
    keyAt: number,
    from: number,
    until: number,
    at: number,
  ): number;
  writeSamples(
    refs: number,
    times: number,
    values: number,
    status: number,
    from: number,
    until: number,
    at: number,
  ): number;
}

const KERNEL = new URL("../dist/kernel/ref.wasm", import.meta.url);
/** Behind a samples record the kernel says at which row it stopped. */
const STOP_BYTES = 4;

class RefWasmCodec extends RefCodec {
  readonly #kernel: RefKernel;
  readonly #memory: Memory;

  constructor({ memory }: RecordNeeds) {
    super();
    this.#kernel = loadKernel<RefKernel>(KERNEL, memory);
    this.#memory = memory!;
  }

  override encode(batch: WriteBatch, from: number, until: number, into: RecordBuffer): void {
    const { buffer } = this.#memory.wasm;
    if (into.bytes.buffer !== buffer || batch.refs.buffer !== buffer) {
      super.encode(batch, from, until, into);
      return;
    }
    if (!this.#encodeSeries(batch, from, until, into))
      return super.encode(batch, from, until, into);
    const accepted = ACCEPTED; // A local copy: V8 loads a module's constants each time.
    const { status } = batch;
    let row = from;
    while (row < until && status[row] !== accepted) row += 1;
    while (row < until) row = this.#encodeSamples(batch, row, until, into);
  }

  /** Writes the new series. False, and nothing is written, when the buffer has left the memory for want of room there. */
  #encodeSeries(batch: WriteBatch, from: number, until: number, into: RecordBuffer): boolean {
    const { isNew, status, keyAt } = batch;
    const kernel = this.#kernel;
    const room = kernel.seriesRoom(
      isNew.byteOffset,
      status.byteOffset,
      keyAt.byteOffset,
      from,
      until,
    );
    into.reserve(
      (room >>> 0) + SAMPLES_HEADER_BYTES + (until - from) * SAMPLE_BYTES_MAX + STOP_BYTES,
    );
    const { bytes } = into;
    if (bytes.buffer !== this.#memory.wasm.buffer) return false;
    if (room === 0) return true;
    const end = kernel.writeSeries(
      batch.refs.byteOffset,
      isNew.byteOffset,
      status.byteOffset,
      batch.keys.byteOffset,
      keyAt.byteOffset,
      from,
      until,
      bytes.byteOffset + into.length,
    );
    into.length = (end >>> 0) - bytes.byteOffset;
    into.endRecord();
    return true;
  }

  /** Writes a samples record that begins with an ACCEPTED row, and returns the row at which the next one begins. */
  #encodeSamples(batch: WriteBatch, row: number, until: number, into: RecordBuffer): number {
    into.reserve(SAMPLES_HEADER_BYTES + (until - row) * SAMPLE_BYTES_MAX + STOP_BYTES);
    const { bytes } = into;
    const end = this.#kernel.writeSamples(
      batch.refs.byteOffset,
      batch.times.byteOffset,
      batch.values.byteOffset,
      batch.status.byteOffset,
      row,
      until,
      bytes.byteOffset + into.length,
    );
    const at = (end >>> 0) - bytes.byteOffset;
    into.length = at;
    into.endRecord();
    return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
  }
}
