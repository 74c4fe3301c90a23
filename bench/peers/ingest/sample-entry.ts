import type { Found } from "./store.ts";

/** A sample in a store of keys and values: the series' id and the time, big-endian, so that a series' samples lie together. */
const KEY_BYTES = 12;

/** Makes the key of a sample. Times before 1970 would be out of order. */
export function sampleKey(id: number, time: number): Buffer {
  const key = Buffer.allocUnsafe(KEY_BYTES);
  key.writeUInt32BE(id, 0);
  key.writeDoubleBE(time, 4);
  return key;
}

/** Makes the value of a sample. */
export function sampleValue(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(Float64Array.BYTES_PER_ELEMENT);
  bytes.writeDoubleLE(value, 0);
  return bytes;
}

/** Sums samples up as they come, in the order of their keys. */
export class SampleSum {
  readonly #origin: number;
  #last = 0;
  #sampled = 0;
  #samples = 0;
  #times = 0;
  #values = 0;

  constructor(origin: number) {
    this.#origin = origin;
  }

  add(key: Uint8Array, value: Uint8Array): void {
    const [k, v] = [viewOf(key), viewOf(value)];
    const id = k.getUint32(0);
    if (id !== this.#last) this.#sampled += 1;
    this.#last = id;
    this.#samples += 1;
    this.#times += k.getFloat64(4) - this.#origin;
    this.#values += v.getFloat64(0, true);
  }

  found(series: number): Found {
    const [sampled, samples] = [this.#sampled, this.#samples];
    return { series, sampled, samples, times: this.#times, values: this.#values };
  }
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}
