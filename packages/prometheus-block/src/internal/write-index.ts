import { compareKeys, labelsOf } from "@varve/bytes";
import { type Disk, type Pause, StorageError } from "@varve/contracts";
import {
  INDEX_FILE,
  INDEX_HEADER_BYTES,
  INDEX_MAGIC,
  INDEX_VERSION,
  SECTION_ALIGN,
} from "./layout.ts";
import { Symbols } from "./symbols.ts";
import { KeyLabels } from "./write-key.ts";
import { OUTPUT_BUFFER_BYTES, OutputFile } from "./write-output.ts";
import { Pairs } from "./write-pairs.ts";
import { writePostings } from "./write-postings.ts";
import { SeriesWriter } from "./write-series.ts";
import {
  writeLabelIndices,
  writeLabelTable,
  writePostingsTable,
  writeSymbols,
  writeToc,
} from "./write-tables.ts";

const NO_BYTES = new Uint8Array(0);

/** Writes a block's `index`, section by section in the order of the file. */
export class IndexWriter {
  /** Entries of the series section. */
  readonly entries: SeriesWriter;
  readonly #disk: Disk;
  readonly #out: OutputFile;
  readonly #postingsMax: number;
  readonly #symbols = new Symbols();
  readonly #pairs = new Pairs();
  /** Keys that are declared, and keys of the series that are written. */
  readonly #declared: KeyLabels;
  readonly #written: KeyLabels;
  #seriesAt = 0;

  constructor(disk: Disk, dir: string, postingsMax: number) {
    this.#disk = disk;
    this.#postingsMax = postingsMax;
    this.#declared = new KeyLabels(this.#symbols, true);
    this.#written = new KeyLabels(this.#symbols, false);
    this.#symbols.intern(NO_BYTES, 0, 0); // The name and value of the list of all series.
    const buffer = new Uint8Array(OUTPUT_BUFFER_BYTES);
    this.#out = new OutputFile(disk, `${dir}/${INDEX_FILE}`, buffer);
    this.entries = new SeriesWriter(this.#out, this.#symbols, this.#pairs, this.#written);
    this.#out.putU32(INDEX_MAGIC);
    this.#out.putBytes(Uint8Array.of(INDEX_VERSION), 0, 1);
  }

  get bytes(): number {
    return this.#out.position;
  }

  addSymbol(bytes: Uint8Array, from: number, until: number): void {
    this.#symbols.intern(bytes, from, until);
  }

  addKey(key: Uint8Array, from: number, until: number): void {
    const labels = this.#declared;
    labels.read(key, from, until, labels.commonBytes(key, from, until));
  }

  async sortSymbols(pause: Pause): Promise<void> {
    await this.#symbols.sort(pause);
    await writeSymbols(this.#out, this.#symbols, pause);
    this.#seriesAt = this.#out.position;
  }

  beginSeries(key: Uint8Array, from: number, until: number): void {
    const labels = this.#written;
    const common = labels.commonBytes(key, from, until);
    const { last, lastLength } = labels;
    if (compareKeys(key, from + common, until, last, common, lastLength) <= 0) {
      throw outOfOrder(textOf(key, from, until), textOf(last, 0, lastLength));
    }
    labels.read(key, from, until, common);
    this.entries.begin();
  }

  /** The labels of the series begun last, for messages. */
  seriesText(): string {
    return textOf(this.#written.last, 0, this.#written.lastLength);
  }

  /** Writes what comes behind the series, and makes the file durable. */
  async finish(pause: Pause): Promise<void> {
    const out = this.#out;
    const pairs = this.#pairs;
    const source = { out, symbols: this.#symbols, pairs, pause };
    const seriesEnd = out.position;
    out.flush(); // The series are read again.
    await pairs.sort(pause);
    const indices = await writeLabelIndices(source);
    const postingsAt = out.position; // Prometheus names the place before the padding.
    out.pad(SECTION_ALIGN);
    const listsAt = out.position;
    const entriesMax = this.#postingsMax;
    const section = { from: this.#seriesAt, until: seriesEnd, entriesMax };
    await writePostings({ disk: this.#disk, out, pairs, pause, ...section });
    const labelTableAt = out.position;
    writeLabelTable(source, indices);
    const postingsTableAt = out.position;
    await writePostingsTable(source, listsAt);
    // In the order of the TOC_… places.
    writeToc(out, [
      INDEX_HEADER_BYTES,
      this.#seriesAt,
      seriesEnd,
      labelTableAt,
      postingsAt,
      postingsTableAt,
    ]);
    await out.finish();
  }

  close(): void {
    this.#out.close();
  }
}

/** A key's labels as JSON, or its length when they cannot be read. */
function textOf(key: Uint8Array, from: number, until: number): string {
  try {
    return JSON.stringify(labelsOf(key, from, until));
  } catch {
    return `a key of ${until - from} bytes`;
  }
}

function outOfOrder(series: string, before: string): StorageError {
  return new StorageError(
    "INPUT",
    `series ${series} does not come after ${before}; nothing was published; write series in label order`,
    { facts: { value: series, before } },
  );
}
