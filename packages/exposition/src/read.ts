import { StorageError } from "@varve/contracts";
import type { SampleFormat } from "./format.ts";
import { csvParser } from "./internal/csv.ts";
import { jsonLinesParser } from "./internal/json-lines.ts";
import { LineFault } from "./internal/line-fault.ts";
import { lineSplitter, recordSplitter, type Splitter } from "./internal/lines.ts";
import { openMetricsParser } from "./internal/openmetrics.ts";
import type { ParserContext, RecordParser } from "./internal/parser.ts";
import { prometheusParser } from "./internal/prometheus-text.ts";
import { RowBuilder, ROWS_MAX, type SampleRows } from "./rows.ts";

/** Longest line that is read unless an option says otherwise, in bytes: label sets within default limits take less. */
export const LINE_BYTES_MAX = 1024 * 1024;

/** Input that is taken over at once, in bytes: bounds the buffer however large the source's pieces are. */
const SLICE_BYTES = 64 * 1024;
const BYTE_ORDER_MARK = Uint8Array.of(0xef, 0xbb, 0xbf);

/** How to read samples. */
export interface ReadOptions {
  /** Time of samples that have none, in milliseconds. Without it such a line is malformed. */
  readonly defaultTime?: number;
  /** Go on behind malformed lines, and count them. Default false: the first one ends the reading. */
  readonly skipBad?: boolean;
  /** Hears of each malformed line that is skipped. */
  readonly onBad?: (bad: BadLine) => void;
  /** Longest line, in bytes: what memory is bounded by. Default 1 MiB. */
  readonly lineBytesMax?: number;
}

/** A malformed line. */
export interface BadLine {
  /** From 1. */
  readonly line: number;
  /** The byte of the line, from 1. */
  readonly column: number;
  readonly reason: string;
}

/** How far a reading has come. */
export interface ReadCounts {
  /** Bytes taken from the source. */
  bytes: number;
  /** Lines that were looked at; of CSV, records. */
  lines: number;
  /** Rows that were handed out, and those that are about to be. */
  samples: number;
  /** Malformed lines that were skipped. */
  bad: number;
  /** Exemplars that were left out. */
  exemplars: number;
}

/** A reading under way: rows to iterate once, and live counts beside them. */
export interface SampleReader extends AsyncIterable<SampleRows> {
  readonly counts: Readonly<ReadCounts>;
}

const PARSERS: Readonly<Record<SampleFormat, (context: ParserContext) => RecordParser>> = {
  prometheus: prometheusParser,
  openmetrics: openMetricsParser,
  csv: csvParser,
  jsonl: jsonLinesParser,
};

/**
 * Reads samples piece by piece: memory is bounded by the longest line and by what is remembered of series
 * (16 MiB of text), not by the length of the input.
 *
 * The rows are valid until the next are asked for; their label sets stay. A piece of the source is copied before
 * the next one is asked for. Throws INPUT at the first malformed line, with `line`, `column` and `reason` as facts
 * and as `line:column: reason` in the message, for the caller to put a file's name before; rows before that line
 * have been handed out. What the source throws passes through.
 */
export function readSamples(
  format: SampleFormat,
  source: AsyncIterable<Uint8Array>,
  options: ReadOptions = {},
): SampleReader {
  return new Reader(format, source, options);
}

class Reader implements SampleReader {
  readonly counts: ReadCounts = { bytes: 0, lines: 0, samples: 0, bad: 0, exemplars: 0 };
  readonly #source: AsyncIterable<Uint8Array>;
  readonly #options: ReadOptions;
  readonly #rows = new RowBuilder();
  readonly #splitter: Splitter;
  readonly #parser: RecordParser;

  constructor(format: SampleFormat, source: AsyncIterable<Uint8Array>, options: ReadOptions) {
    const { defaultTime, lineBytesMax = LINE_BYTES_MAX } = options;
    this.#source = source;
    this.#options = options;
    this.#splitter = format === "csv" ? recordSplitter(lineBytesMax) : lineSplitter(lineBytesMax);
    this.#parser = PARSERS[format]({ rows: this.#rows, counts: this.counts, defaultTime });
  }

  async *[Symbol.asyncIterator](): AsyncIterator<SampleRows> {
    for await (const chunk of this.#source) {
      for (let from = 0; from < chunk.length; from += SLICE_BYTES) {
        const until = Math.min(chunk.length, from + SLICE_BYTES);
        this.#splitter.push(chunk, from, until);
        this.counts.bytes += until - from;
        yield* this.#drain();
      }
    }
    this.#splitter.finish();
    yield* this.#drain();
    this.#finish();
  }

  /** Hands out what the input so far holds. A malformed line comes after the rows before it. */
  *#drain(): Generator<SampleRows> {
    const rows = this.#rows;
    for (;;) {
      rows.length = 0;
      const problem = this.#fill();
      this.counts.samples += rows.length;
      const isFull = rows.length === ROWS_MAX;
      if (rows.length > 0) yield rows;
      if (problem !== undefined) throw problem;
      rows.length = 0;
      if (!isFull) return;
    }
  }

  /** Parses until the rows are full or the input is used up. Returns what ends the reading. */
  #fill(): StorageError | undefined {
    for (;;) {
      try {
        this.#parseAll();
        return undefined;
      } catch (error) {
        if (!(error instanceof LineFault)) throw error;
        const { from, line } = this.#splitter;
        const problem = this.#tell({
          line,
          column: Math.max(1, error.at - from + 1),
          reason: error.message,
        });
        if (problem !== undefined) return problem;
      }
    }
  }

  #parseAll(): void {
    const rows = this.#rows;
    const splitter = this.#splitter;
    const parser = this.#parser;
    while (rows.length < ROWS_MAX && splitter.next()) {
      this.counts.lines += 1;
      let { from } = splitter;
      if (splitter.line === 1) from = skipByteOrderMark(splitter.bytes, from, splitter.until);
      rows.lines[rows.length] = splitter.line;
      parser.parse(splitter.bytes, from, splitter.until);
    }
  }

  #finish(): void {
    try {
      this.#parser.finish();
    } catch (error) {
      if (!(error instanceof LineFault)) throw error;
      const line = this.#splitter.line + 1;
      const problem = this.#tell({ line, column: 1, reason: error.message });
      if (problem !== undefined) throw problem;
    }
  }

  /** Counts a malformed line; or returns the error that it is. */
  #tell(bad: BadLine): StorageError | undefined {
    const { skipBad = false, onBad } = this.#options;
    if (skipBad && !this.#parser.isLost) {
      this.counts.bad += 1;
      onBad?.(bad);
      return undefined;
    }
    const { line, column, reason } = bad;
    return new StorageError("INPUT", `${line}:${column}: ${reason}`, {
      facts: { line, column, reason },
    });
  }
}

function skipByteOrderMark(bytes: Uint8Array, from: number, until: number): number {
  const isMarked =
    until - from >= 3 && BYTE_ORDER_MARK.every((byte, i) => bytes[from + i] === byte);
  return isMarked ? from + 3 : from;
}
