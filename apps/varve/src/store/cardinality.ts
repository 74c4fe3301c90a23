import { compareUtf8 } from "@varve/bytes";
import type { Labels } from "@varve/contracts";

/** A name, and how many there are of something. */
export interface Counted {
  readonly name: string;
  readonly count: number;
}

/** Counts, the largest first; of equal ones, in the order of their bytes. */
export interface CardinalityReport {
  readonly series: number;
  readonly samples: number;
  /** Null when there are no samples. */
  readonly firstTime: number | null;
  readonly lastTime: number | null;
  /** Series of each metric. */
  readonly metrics: readonly Counted[];
  /** Values of each label. */
  readonly labelValues: readonly Counted[];
  /** Series that have each label. */
  readonly labels: readonly Counted[];
  /** Series that have each pair of a label and a value, the metric's name excepted. */
  readonly pairs: readonly Counted[];
}

/** Counts series by their labels. Takes memory for every different pair, not for every series. */
export class Cardinality {
  series = 0;
  #samples = 0;
  #firstTime = Infinity;
  #lastTime = -Infinity;
  readonly #pairs = new Map<string, Map<string, number>>();

  add(labels: Labels, times: Float64Array): void {
    this.series += 1;
    this.#samples += times.length;
    if (times.length > 0) {
      this.#firstTime = Math.min(this.#firstTime, times[0]!);
      this.#lastTime = Math.max(this.#lastTime, times[times.length - 1]!);
    }
    for (const name of Object.keys(labels)) {
      let values = this.#pairs.get(name);
      if (values === undefined) this.#pairs.set(name, (values = new Map()));
      values.set(labels[name]!, (values.get(labels[name]!) ?? 0) + 1);
    }
  }

  report(limit: number): CardinalityReport {
    const names = [...this.#pairs];
    const metrics = this.#pairs.get("__name__") ?? new Map<string, number>();
    const pairs = names
      .filter(([name]) => name !== "__name__")
      .flatMap(([name, values]) => top(entries(values), limit).map((each) => pairOf(name, each)));
    return {
      series: this.series,
      samples: this.#samples,
      firstTime: this.series > 0 ? this.#firstTime : null,
      lastTime: this.series > 0 ? this.#lastTime : null,
      metrics: top(entries(metrics), limit),
      labelValues: top(
        names.map(([name, { size: count }]) => ({ name, count })),
        limit,
      ),
      labels: top(
        names.map(([name, values]) => ({ name, count: sum(values) })),
        limit,
      ),
      pairs: top(pairs, limit),
    };
  }
}

function entries(counts: ReadonlyMap<string, number>): Counted[] {
  return Array.from(counts, ([name, count]) => ({ name, count }));
}

function pairOf(name: string, { name: value, count }: Counted): Counted {
  return { name: `${name}=${JSON.stringify(value)}`, count };
}

function top(counts: Counted[], limit: number): Counted[] {
  return counts.sort((a, b) => b.count - a.count || compareUtf8(a.name, b.name)).slice(0, limit);
}

function sum(counts: ReadonlyMap<string, number>): number {
  let total = 0;
  for (const count of counts.values()) total += count;
  return total;
}
