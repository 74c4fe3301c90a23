import { isStorageError, type Labels } from "@varve/contracts";
import {
  readSamples,
  writeSamples,
  type BadLine,
  type ReadCounts,
  type ReadOptions,
  type SampleFormat,
  type SeriesSamples,
} from "../src/index.ts";

/** A row that was read, the value as its 16 hexadecimal digits. */
export interface Row {
  readonly labels: Labels;
  readonly time: number;
  readonly bits: string;
  readonly line: number;
}

export interface Answer {
  readonly rows: Row[];
  readonly bad: BadLine[];
  readonly counts: ReadCounts;
  /** The facts of the INPUT error that ended the reading. */
  readonly error: BadLine | undefined;
}

/** Reads text or bytes, in pieces of the sizes given in turn. */
export async function read(
  format: SampleFormat,
  input: string | Uint8Array,
  options: ReadOptions & { readonly pieces?: readonly number[] } = {},
): Promise<Answer> {
  const bytes = typeof input === "string" ? Buffer.from(input) : input;
  const bad: BadLine[] = [];
  const rows: Row[] = [];
  const { pieces, ...rest } = options;
  const reader = readSamples(format, cut(bytes, pieces ?? [bytes.length || 1]), {
    ...rest,
    onBad: (each) => bad.push(each),
  });
  let error: BadLine | undefined;
  try {
    for await (const batch of reader) {
      for (let i = 0; i < batch.length; i += 1) {
        rows.push({
          labels: batch.labels[i]!,
          time: batch.times[i]!,
          bits: bitsOf(batch.values, i),
          line: batch.lines[i]!,
        });
      }
    }
  } catch (cause) {
    if (!isStorageError(cause, "INPUT")) throw cause;
    error = cause.facts as unknown as BadLine;
  }
  return { rows, bad, counts: { ...reader.counts }, error };
}

/** All text that `writeSamples` yields. */
export async function write(format: SampleFormat, series: SeriesSamples[]): Promise<string> {
  let text = "";
  for await (const piece of writeSamples(format, series)) text += piece;
  return text;
}

/** The bits of a double as 16 digits. */
export function bitsOf(values: Float64Array, at: number): string {
  const words = new Uint32Array(values.buffer, values.byteOffset + at * 8, 2);
  return [words[1]!, words[0]!].map((word) => word.toString(16).padStart(8, "0")).join("");
}

/** The bits of a number that is no NaN, or Prometheus' NaN. */
export function bits(value: number): string {
  return Number.isNaN(value) ? "7ff8000000000001" : bitsOf(Float64Array.of(value), 0);
}

/** A double from its bits. */
export function valuesOf(...texts: readonly string[]): Float64Array {
  const values = new Float64Array(texts.length);
  const words = new Uint32Array(values.buffer);
  texts.forEach((text, i) => {
    words[i * 2] = Number(`0x${text.slice(8)}`);
    words[i * 2 + 1] = Number(`0x${text.slice(0, 8)}`);
  });
  return values;
}

async function* cut(bytes: Uint8Array, pieces: readonly number[]): AsyncGenerator<Uint8Array> {
  for (let at = 0, i = 0; at < bytes.length; i += 1) {
    const length = Math.max(1, pieces[i % pieces.length]!);
    const piece = new Uint8Array(bytes.subarray(at, at + length)); // A copy: Buffer.slice is none.
    yield piece;
    piece.fill(0x21); // The reader may not look at it again.
    at += length;
  }
}
