import type { Engine, UserBatch } from "varve";
import { Broken } from "../../row.ts";
import { labelsOf, valueOf } from "./engine-content.ts";

/** Time that a batch spans: no two batches share a time. */
const BATCH_MS = 16;
const ROWS_MAX = 12;
const SERIES_MAX = 500;

const numbers = new Float64Array(2);
const bits = new BigUint64Array(numbers.buffer);

/** Fills a batch of rows: series, times and values follow from its number, which is 1 for the first. */
export function fillNumbered(rows: UserBatch, batch: number): void {
  for (let i = 0; i < rowsOf(batch); i += 1) {
    const time = batch * BATCH_MS + i;
    const series = seriesAt(time);
    rows.add(labelsOf(series), time, valueOf(series, time));
  }
}

/** The time before which all rows of the batches up to `batch` lie, and no others. */
export function timeAfter(batch: number): number {
  return (batch + 1) * BATCH_MS;
}

/** Reads all that a store holds, and returns the number of its last batch: those before it are there, and whole. */
export async function lastNumbered(store: Engine): Promise<number> {
  const counts: number[] = [];
  const told = new Set<number>();
  for await (const { labels, times, values } of store.select({})) {
    const series = Number(labels["series"]);
    checkLabels(labels, series);
    for (const [i, time] of times.entries()) {
      checkRow(series, time, values[i]!);
      if (told.has(time)) throw new Broken("wrong", `the row at ${time} is told twice`);
      told.add(time);
      const batch = Math.floor(time / BATCH_MS);
      counts[batch] = (counts[batch] ?? 0) + 1;
    }
  }
  const last = Math.max(0, counts.length - 1);
  for (let batch = 1; batch <= last; batch += 1) {
    const count = counts[batch] ?? 0;
    if (count === 0) throw new Broken("lost", `batch ${batch} is missing, ${last} is there`);
    if (count !== rowsOf(batch)) {
      throw new Broken("wrong", `batch ${batch} is there in part: ${count} of ${rowsOf(batch)}`);
    }
  }
  return last;
}

function checkLabels(labels: Readonly<Record<string, string>>, series: number): void {
  const expected = labelsOf(series);
  const names = Object.keys(labels);
  const isSame = names.every((name) => labels[name] === expected[name]);
  if (isSame && names.length === Object.keys(expected).length) return;
  throw new Broken("wrong", `nobody wrote a series ${JSON.stringify(labels)}`);
}

function checkRow(series: number, time: number, value: number): void {
  const batch = Math.floor(time / BATCH_MS);
  const isWritten = batch > 0 && time % BATCH_MS < rowsOf(batch) && seriesAt(time) === series;
  if (!isWritten) throw new Broken("wrong", `nobody wrote a row at ${time} of series ${series}`);
  numbers[0] = value;
  numbers[1] = valueOf(series, time);
  if (bits[0] !== bits[1]) throw new Broken("wrong", `the row at ${time} has another value`);
}

function rowsOf(batch: number): number {
  return 1 + (mixed(batch) % ROWS_MAX);
}

/** Batch by batch there are more series to choose from. */
function seriesAt(time: number): number {
  const known = Math.min(SERIES_MAX, 4 + Math.floor(time / (8 * BATCH_MS)));
  return mixed(time) % known;
}

function mixed(number: number): number {
  const word = Math.imul(number ^ (number >>> 15), 0x2c1b_3c6d);
  return Math.imul(word ^ (word >>> 12), 0x297a_2d39) >>> 8;
}
