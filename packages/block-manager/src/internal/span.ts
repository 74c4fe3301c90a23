import type { SeriesRef } from "@varve/contracts";
import { type ChunkTable, MAX_TIME, MIN_TIME, NO_CHUNK, OLDER } from "./chunk-table.ts";
import type { Late } from "./late.ts";
import { APPLIED_TIME, NEWEST_CHUNK, OPEN_CHUNK, type SeriesTable } from "./series-table.ts";

interface Tables {
  readonly series: SeriesTable;
  readonly chunks: ChunkTable;
  readonly late: Late;
}

/**
 * Bounds of the samples that a series has outside of blocks within from <= time < until: exact where a chunk or the late samples end,
 * and those of the range inside one. False when there can be none.
 */
export function spanOf(
  { series, chunks, late }: Tables,
  ref: SeriesRef,
  from: number,
  until: number,
  into: Float64Array,
): boolean {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  const { words, doubles } = series.pageOf(ref);
  const base = series.baseOf(ref);
  if (words.length > 0) {
    const open = words[(base >> 2) + OPEN_CHUNK]! >>> 0;
    let chunk = words[(base >> 2) + NEWEST_CHUNK]! >>> 0;
    if (chunk !== NO_CHUNK) max = chunks.double(chunk, MAX_TIME);
    if (open !== NO_CHUNK) {
      max = doubles[(base >> 3) + APPLIED_TIME]!;
      min = chunks.double(open, MIN_TIME);
    }
    for (; chunk !== NO_CHUNK; chunk = chunks.word(chunk, OLDER)) {
      min = chunks.double(chunk, MIN_TIME);
    }
  }
  const samples = late.snapshot(ref);
  if (samples !== undefined) {
    min = Math.min(min, samples.times[0]!);
    max = Math.max(max, samples.times[samples.length - 1]!);
  }
  into[0] = Math.max(min, from);
  into[1] = Math.min(max, until - 1);
  return into[0] <= into[1];
}
