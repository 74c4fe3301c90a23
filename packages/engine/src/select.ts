import { compareKeys, endOfPart, equalBytes, keyOf, labelsOf, makeColumns } from "@varve/bytes";
import { NO_SERIES, type Labels, type ReadPin, type SeriesRef } from "@varve/contracts";
import type { Parts } from "./parts.ts";

/** A half-open range of time: from <= time < until, in milliseconds. */
export interface TimeRange {
  /** Default: the beginning of time. */
  readonly from?: number;
  /** Default: the end of time. */
  readonly until?: number;
}

/** One series of a selection. The columns are the caller's to keep. */
export interface SelectedSeries {
  readonly labels: Labels;
  readonly times: Float64Array;
  readonly values: Float64Array;
}

/**
 * A selection: what the store held when it was made, read as it is iterated, in label order.
 * Leaving the loop ends it; one that is never iterated is ended by `dispose`.
 */
export interface Selection extends AsyncIterable<SelectedSeries>, Disposable {}

/** Captures the series whose labels equal every matcher's. An empty value matches series without the label. */
export function select(parts: Parts, matchers: Labels, range: TimeRange): Selection {
  const matches = new KeyMatcher(matchers);
  const found = findSeries(parts, matches);
  const refs = Uint32Array.from(found, (series) => series.ref);
  const pin = parts.blocks.pin(refs, refs.length);
  return new PinnedSelection(found, pin, range);
}

/** Bytes to set aside for keys while scanning; longer keys are read apart. */
const SCRATCH_BYTES = 64 * 1024;

interface FoundSeries {
  readonly ref: SeriesRef;
  readonly key: Uint8Array;
}

function findSeries(parts: Parts, matcher: KeyMatcher): FoundSeries[] {
  const { index } = parts;
  const found: FoundSeries[] = [];
  let scratch = new Uint8Array(SCRATCH_BYTES);
  for (let ref = NO_SERIES + 1; ref < index.nextRef; ref += 1) {
    const length = index.keyBytes(ref);
    if (length === 0) continue;
    if (length > scratch.length) scratch = new Uint8Array(length);
    index.copyKey(ref, scratch, 0);
    if (matcher.matches(scratch, length)) found.push({ ref, key: scratch.slice(0, length) });
  }
  return found.sort((a, b) => compareKeys(a.key, 0, a.key.length, b.key, 0, b.key.length));
}

class PinnedSelection implements Selection {
  readonly #series: FoundSeries[];
  readonly #pin: ReadPin;
  readonly #from: number;
  readonly #until: number;

  constructor(series: FoundSeries[], pin: ReadPin, range: TimeRange) {
    this.#series = series;
    this.#pin = pin;
    this.#from = range.from ?? Number.NEGATIVE_INFINITY;
    this.#until = range.until ?? Number.POSITIVE_INFINITY;
  }

  async *[Symbol.asyncIterator](): AsyncIterator<SelectedSeries> {
    const columns = makeColumns();
    try {
      for (let i = 0; i < this.#series.length; i += 1) {
        const { key } = this.#series[i]!;
        columns.length = 0;
        this.#pin.read(i, this.#from, this.#until, columns);
        if (columns.length === 0) continue;
        yield {
          labels: labelsOf(key, 0, key.length),
          times: columns.times.slice(0, columns.length),
          values: columns.values.slice(0, columns.length),
        };
      }
    } finally {
      this[Symbol.dispose]();
    }
  }

  [Symbol.dispose](): void {
    this.#pin[Symbol.dispose]();
  }
}

/** Matches canonical keys against exact matchers, on bytes. */
class KeyMatcher {
  /** `name 0xFF value 0xFF` of each label that has to be there, in key order. */
  readonly #present: Uint8Array[];
  /** `name 0xFF` of each label that must not be there. */
  readonly #absent: Uint8Array[];

  constructor(matchers: Labels) {
    const names = Object.keys(matchers);
    this.#present = names
      .filter((name) => matchers[name] !== "")
      .map((name) => keyOf({ [name]: matchers[name]! }));
    // Encoded with a value, then cut behind the name's separator.
    this.#absent = names
      .filter((name) => matchers[name] === "")
      .map((name) => keyOf({ [name]: "x" }).slice(0, -2));
  }

  matches(key: Uint8Array, length: number): boolean {
    return (
      this.#present.every((part) => contains(key, length, part)) &&
      !this.#absent.some((part) => contains(key, length, part))
    );
  }
}

/** True when one of the key's labels begins with `part`. */
function contains(key: Uint8Array, length: number, part: Uint8Array): boolean {
  let at = 0;
  while (at < length) {
    const end = at + part.length;
    if (end <= length && equalBytes(key, at, end, part, 0, part.length)) return true;
    at = endOfPart(key, endOfPart(key, at, length) + 1, length) + 1;
  }
  return false;
}
