import type { Labels } from "@varve/contracts";
import type { Engine, Plan } from "varve";
import { bitsOf, type Content, nameOf } from "../helpers.ts";

/** The beginning of a window of blocks, at a multiple of six hours, in milliseconds. */
export const START = 1_700_006_400_000;
/** Two hours, the default window of a block. */
export const WINDOW_MS = 2 * 3_600_000;

/** What a golden directory is to show, in the file beside it. */
interface Expected {
  /** The variant that filled each slot. */
  readonly plan: Readonly<Record<string, string>>;
  /** Labels, times, and values as the hexadecimal text of their bits. */
  readonly series: readonly (readonly [Labels, readonly number[], readonly string[]])[];
}

/** Labels of series `series`: names that begin with one another, values that are hard to sort or to quote. */
export function labelsOf(series: number): Labels {
  return {
    __name__: `golden_${series % 3}`,
    series: String(series),
    ...(series % 2 === 0 && { a: `"quoted" \\ é`, ab: "\u{1f600}" }),
    ...(series % 4 === 1 && { z: "\ue000\n" }),
  };
}

/** Value of sample `i` of series `series`: whole numbers, fractions, constants and what has bits of its own. */
export function valueOf(series: number, i: number): number {
  if (i % 11 === 7) return [-0, Number.POSITIVE_INFINITY, 5e-324, Number.NaN][series % 4]!;
  return [i, i * 0.25, Math.fround(1 / (i + 1)) * 1e9, 7][series % 4]!;
}

/** Writes to a store, and keeps what it must show. */
export class Recorder {
  readonly #rows = new Map<string, Map<number, string>>();
  readonly #labels = new Map<string, Labels>();

  write(store: Engine, series: number, time: number, i: number): void {
    const labels = labelsOf(series);
    const value = valueOf(series, i);
    store.write(labels, time, value);
    const name = nameOf(labels);
    this.#labels.set(name, labels);
    const rows = this.#rows.get(name) ?? new Map<number, string>();
    rows.set(time, bitsOf(value));
    this.#rows.set(name, rows);
  }

  async delete(store: Engine, series: number, from: number, until: number): Promise<void> {
    const labels = labelsOf(series);
    const { head, blocks } = await store.delete(labels, { from, until });
    if (head + blocks === 0) throw new Error(`a deletion from series ${series} meets nothing`);
    const rows = this.#rows.get(nameOf(labels))!;
    for (const time of rows.keys()) if (time >= from && time < until) rows.delete(time);
  }

  /** All of it, as the text of a JSON file. */
  text(plan: Plan): string {
    const slots = Object.entries(plan).map(([slot, { name }]) => [slot, name]);
    const lines = [...this.#rows].map(([name, rows]) => {
      const sorted = [...rows].toSorted(([a], [b]) => a - b);
      const times = sorted.map(([time]) => time);
      const bits = sorted.map((each) => each[1]);
      return JSON.stringify([this.#labels.get(name), times, bits]);
    });
    return `{"plan":${JSON.stringify(Object.fromEntries(slots))},"series":[\n${lines.join(",\n")}\n]}\n`;
  }
}

/** Reads the text that `Recorder` wrote. */
export function contentIn(text: string): Content {
  const { series } = JSON.parse(text) as Expected;
  return new Map(
    series.map(([labels, times, bits]) => [
      nameOf(labels),
      times.map((time, i): [number, string] => [time, bits[i]!]),
    ]),
  );
}
