import { keyOf } from "@varve/bytes";
import type { Labels } from "@varve/contracts";
import { hash } from "node:crypto";
import type { CellInput } from "./rows.ts";

/** Words of a fingerprint. */
const WORDS = 4;

/**
 * 128 bits that stand for a store's whole content: the sum, word by word, of a SHA-256 over each series' key,
 * times and value bits. The order of the series does not matter; the order of samples does.
 */
export class Fingerprint {
  readonly #sum = new Uint32Array(WORDS);
  series = 0;
  rows = 0;

  add(labels: Labels, times: Float64Array, values: Float64Array): void {
    const digest = digestOf(labels, times, values);
    for (let i = 0; i < WORDS; i += 1) this.#sum[i]! += digest.readUInt32LE(4 * i);
    this.series += 1;
    this.rows += times.length;
  }

  toString(): string {
    return Array.from(this.#sum, (word) => word.toString(16).padStart(8, "0")).join("");
  }
}

/** The rows of an input by series, in the order in which they are written. */
export function* expectedSeries(
  input: CellInput,
): Generator<{ labels: Labels; times: Float64Array; values: Float64Array }> {
  const { labels } = input;
  const parts = [input.before, input.timed];
  // A counting sort: where each series' rows begin, then every row to its place.
  const starts = new Uint32Array(labels.length + 1);
  for (const { series, length } of parts) {
    for (let row = 0; row < length; row += 1) starts[series[row]! + 1]! += 1;
  }
  for (let i = 0; i < labels.length; i += 1) starts[i + 1]! += starts[i]!;
  const ends = starts.slice();
  const times = new Float64Array(starts[labels.length]!);
  const values = new Float64Array(times.length);
  for (const part of parts) {
    for (let row = 0; row < part.length; row += 1) {
      const at = ends[part.series[row]!]!;
      ends[part.series[row]!] = at + 1;
      times[at] = part.times[row]!;
      values[at] = part.values[row]!;
    }
  }
  for (let i = 0; i < labels.length; i += 1) {
    const from = starts[i]!;
    const until = starts[i + 1]!;
    if (from === until) continue;
    yield {
      labels: labels[i]!,
      times: times.subarray(from, until),
      values: values.subarray(from, until),
    };
  }
}

/** Room for a series' bytes; grows with the longest. */
let scratch = Buffer.alloc(64 * 1024);

function digestOf(labels: Labels, times: Float64Array, values: Float64Array): Buffer {
  const key = keyOf(labels);
  const length = 8 + key.length + times.byteLength + values.byteLength;
  if (length > scratch.length) scratch = Buffer.alloc(2 * length);
  scratch.writeUInt32LE(key.length, 0);
  scratch.writeUInt32LE(times.length, 4);
  scratch.set(key, 8);
  scratch.set(bytesOf(times), 8 + key.length);
  scratch.set(bytesOf(values), 8 + key.length + times.byteLength);
  return hash("sha256", scratch.subarray(0, length), "buffer");
}

function bytesOf(column: Float64Array): Uint8Array {
  return new Uint8Array(column.buffer, column.byteOffset, column.byteLength);
}
