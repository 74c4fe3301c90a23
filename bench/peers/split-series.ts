import assert from "node:assert/strict";
import { parseLabels, type FoundSeries } from "./sql-series.ts";
import type { AnswerSeries, StoreAnswer } from "./store.ts";

/** Takes columns in which the rows of a series lie together, and parts them. */
export interface SeriesSplitter {
  /** Copies rows. Series come in the order of their ids, here and from call to call. */
  add(ids: Uint32Array, times: Float64Array, values: Float64Array): void;
  end(): StoreAnswer;
}

/** Rows that there is room for at first. */
const ROWS = 4096;

/** Parts rows into the series that were found. */
export function splitSeries(found: readonly FoundSeries[]): SeriesSplitter {
  return new Splitter(found);
}

class Splitter implements SeriesSplitter {
  readonly #labels: ReadonlyMap<number, string>;
  readonly #series: AnswerSeries[] = [];
  #times = new Float64Array(ROWS);
  #values = new Float64Array(ROWS);
  /** Rows of the series that is being read, and its id. */
  #length = 0;
  #id = 0;
  #samples = 0;

  constructor(found: readonly FoundSeries[]) {
    this.#labels = new Map(found);
  }

  add(ids: Uint32Array, times: Float64Array, values: Float64Array): void {
    let from = 0;
    while (from < ids.length) {
      const id = ids[from]!;
      let until = from + 1;
      while (until < ids.length && ids[until] === id) until += 1;
      if (id !== this.#id) this.#begin(id);
      this.#copy(times, values, from, until);
      from = until;
    }
  }

  end(): StoreAnswer {
    this.#close();
    return { series: this.#series, samples: this.#samples };
  }

  #begin(id: number): void {
    assert(id > this.#id, `series come in the order of their ids, got ${id} after ${this.#id}`);
    this.#close();
    this.#id = id;
  }

  #copy(times: Float64Array, values: Float64Array, from: number, until: number): void {
    const length = this.#length + until - from;
    if (length > this.#times.length) {
      this.#times = grown(this.#times, length);
      this.#values = grown(this.#values, length);
    }
    this.#times.set(times.subarray(from, until), this.#length);
    this.#values.set(values.subarray(from, until), this.#length);
    this.#length = length;
  }

  #close(): void {
    const length = this.#length;
    if (length === 0) return;
    const labels = parseLabels(this.#labels.get(this.#id)!);
    const [times, values] = [this.#times.slice(0, length), this.#values.slice(0, length)];
    this.#series.push({ labels, times, values });
    this.#samples += length;
    this.#length = 0;
  }
}

function grown(column: Float64Array<ArrayBuffer>, length: number): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(Math.max(length, column.length * 2));
  larger.set(column);
  return larger;
}
