import { compareKeys, KeySorter, labelsOf, makeColumns, mergeRuns } from "@varve/bytes";
import {
  StorageError,
  type BlocksPin,
  type Labels,
  type Matcher,
  type OpaqueChunk,
  type ReadPin,
  type SampleColumns,
  type StoredSeries,
} from "@varve/contracts";
import { Holdings } from "./holdings.ts";
import type { Parts } from "./parts.ts";
import type { PinCount } from "./pin-count.ts";

/** A half-open range of time: from <= time < until, in milliseconds. */
export interface TimeRange {
  /** Default: the beginning of time. */
  readonly from?: number;
  /** Default: the end of time. */
  readonly until?: number;
}

/** What a query may take, and what ends it early. */
export interface QueryOptions extends TimeRange {
  /** Ends the iteration with ABORTED. */
  readonly signal?: AbortSignal;
  /** Most samples, and most series, that the selection gives: beyond, it throws LIMIT. Default: any number. */
  readonly maxSamples?: number;
  readonly maxSeries?: number;
}

/** One series of a selection. The columns are the caller's to keep. */
export interface SelectedSeries {
  readonly labels: Labels;
  readonly times: Float64Array;
  readonly values: Float64Array;
  /** Chunks of blocks in encodings that are not samples of doubles, histograms for one; missing when there are none. */
  readonly opaque?: readonly OpaqueChunk[];
}

/**
 * A selection: what the store held when it was made, read as it is iterated, in label order.
 * Leaving the loop ends it; one that is never iterated is ended by `dispose`. While it is open, what it reaches stays.
 */
export interface Selection extends AsyncIterable<SelectedSeries>, Disposable {}

/** Longest stretch of a query between two turns of the event loop, in milliseconds. */
const STRETCH_MS = 8;
/** Series that are sorted between two looks at the clock. */
const SERIES_PER_LOOK = 256;

/** Captures the series that every matcher accepts, in memory, `sealed/` and blocks, as they are in this turn. */
export function select(
  parts: Parts,
  pins: PinCount,
  matchers: readonly Matcher[],
  options: QueryOptions,
): Selection {
  const { from = Number.NEGATIVE_INFINITY, until = Number.POSITIVE_INFINITY } = options;
  checkAborted(options.signal);
  const stack = new Holdings();
  try {
    const refs = parts.postings.select(matchers);
    stack.use(pins.take());
    const pin = stack.use(parts.blocks.pin(refs, refs.length));
    const stored: BlocksPin = stack.use(parts.blocks.pinBlocks(from, until));
    const cursors = stored.blocks.map((block) => block.select(matchers));
    const head = new HeadSeries(parts, refs, pin);
    return new MergedSelection(head, cursors, { ...options, from, until }, stack);
  } catch (error) {
    stack[Symbol.dispose]();
    throw error;
  }
}

type Bounds = QueryOptions & Required<TimeRange>;

/** Goes through several sources in label order at once, and joins what they have of the same series. */
class MergedSelection implements Selection {
  readonly #head: HeadSeries;
  readonly #cursors: readonly StoredSeries[];
  readonly #bounds: Bounds;
  readonly #stack: Holdings;
  #stretchEnds = 0;
  #samples = 0;
  #series = 0;

  constructor(head: HeadSeries, cursors: readonly StoredSeries[], bounds: Bounds, stack: Holdings) {
    this.#head = head;
    this.#cursors = cursors;
    this.#bounds = bounds;
    this.#stack = stack;
  }

  async *[Symbol.asyncIterator](): AsyncIterator<SelectedSeries> {
    if (this.#stack.disposed) throw closedError();
    try {
      this.#stretchEnds = performance.now() + STRETCH_MS;
      while (this.#head.sort(SERIES_PER_LOOK)) await this.#breathe();
      const columns = makeColumns({ capacity: 1024 });
      const sources = [...this.#cursors, this.#head].filter((source) => source.next());
      while (sources.length > 0) {
        const series = this.#join(sources, columns);
        if (series !== null) yield series;
        await this.#breathe();
      }
    } finally {
      this[Symbol.dispose]();
    }
  }

  [Symbol.dispose](): void {
    this.#stack[Symbol.dispose]();
  }

  /** Reads the series that comes next from every source that has it, and moves those on. Null when it has nothing. */
  #join(sources: StoredSeries[], columns: SampleColumns): SelectedSeries | null {
    const { from, until } = this.#bounds;
    const first = firstOf(sources);
    const { key, keyLength } = first;
    let opaque: OpaqueChunk[] | undefined;
    let labels: Labels | undefined;
    columns.length = 0;
    // Sources move on last: the key that they are compared with may be one of theirs.
    const equal = sources.filter((source) => source === first || isSame(source, key, keyLength));
    for (const source of equal) {
      const middle = columns.length;
      source.read(from, until, columns);
      if (middle > 0) mergeRuns(columns, 0, middle);
      const chunks = source.opaque(from, until);
      if (chunks.length > 0) opaque = [...(opaque ?? []), ...chunks];
    }
    if (columns.length > 0 || opaque !== undefined) labels = labelsOf(key, 0, keyLength);
    for (const source of equal) if (!source.next()) sources.splice(sources.indexOf(source), 1);
    if (labels === undefined) return null;
    this.#count(columns.length);
    const times = columns.times.slice(0, columns.length);
    const values = columns.values.slice(0, columns.length);
    return opaque === undefined ? { labels, times, values } : { labels, times, values, opaque };
  }

  #count(samples: number): void {
    const { maxSamples = Number.POSITIVE_INFINITY, maxSeries = Number.POSITIVE_INFINITY } =
      this.#bounds;
    this.#samples += samples;
    this.#series += 1;
    if (this.#samples > maxSamples) throw limitError("maxSamples", this.#samples, maxSamples);
    if (this.#series > maxSeries) throw limitError("maxSeries", this.#series, maxSeries);
  }

  async #breathe(): Promise<void> {
    checkAborted(this.#bounds.signal);
    if (this.#stack.disposed) throw closedError();
    if (performance.now() < this.#stretchEnds) return;
    await new Promise((resolve) => setImmediate(resolve));
    this.#stretchEnds = performance.now() + STRETCH_MS;
    checkAborted(this.#bounds.signal);
    if (this.#stack.disposed) throw closedError();
  }
}

/** The series in memory and `sealed/` as a source like the blocks are. */
class HeadSeries implements StoredSeries {
  readonly #refs: Uint32Array;
  readonly #pin: ReadPin;
  readonly #sorter: KeySorter;
  #added = 0;

  constructor(parts: Parts, refs: Uint32Array, pin: ReadPin) {
    this.#refs = refs;
    this.#pin = pin;
    this.#sorter = new KeySorter(parts.index);
  }

  /** Sorts some more. False when all are. */
  sort(count: number): boolean {
    const until = Math.min(this.#refs.length, this.#added + count);
    for (; this.#added < until; this.#added += 1) this.#sorter.add(this.#refs[this.#added]!);
    return this.#added < this.#refs.length;
  }

  next(): boolean {
    return this.#sorter.next();
  }

  get key(): Uint8Array {
    return this.#sorter.key;
  }

  get keyLength(): number {
    return this.#sorter.keyLength;
  }

  read(from: number, until: number, into: SampleColumns): void {
    this.#pin.read(indexOf(this.#refs, this.#sorter.ref), from, until, into);
  }

  opaque(): OpaqueChunk[] {
    return [];
  }
}

/** Where a ref stands among ascending ones. */
function indexOf(refs: Uint32Array, ref: number): number {
  let low = 0;
  let high = refs.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (refs[middle]! < ref) low = middle + 1;
    else high = middle;
  }
  return low;
}

function firstOf(sources: readonly StoredSeries[]): StoredSeries {
  let first = sources[0]!;
  for (let i = 1; i < sources.length; i += 1) {
    const { key, keyLength } = sources[i]!;
    if (compareKeys(key, 0, keyLength, first.key, 0, first.keyLength) < 0) first = sources[i]!;
  }
  return first;
}

function isSame(source: StoredSeries, key: Uint8Array, keyLength: number): boolean {
  return compareKeys(source.key, 0, source.keyLength, key, 0, keyLength) === 0;
}

function checkAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted !== true) return;
  throw new StorageError("ABORTED", "the query was aborted; nothing was changed", {
    cause: signal.reason,
  });
}

function closedError(): StorageError {
  return new StorageError("CLOSED", "the selection was ended: select again");
}

function limitError(limit: string, value: number, max: number): StorageError {
  return new StorageError(
    "LIMIT",
    `the query gives more than ${limit}: ${max}; narrow its matchers or its range, or raise the bound`,
    { facts: { limit, value, max } },
  );
}
