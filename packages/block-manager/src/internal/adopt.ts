import { StorageError } from "@varve/contracts";
import { type ChunkTable, FILE, FILE_OFFSET } from "./chunk-table.ts";
import type { OpenChunks } from "./open-chunks.ts";
import type { Pipeline } from "./pipeline.ts";
import type { Recovery } from "./recovery.ts";
import {
  ADMITTED_TIME,
  APPLIED_TIME,
  FLAGS,
  KNOWN,
  NEWEST_CHUNK,
  NO_PAGE,
  SERIES_SHIFT,
  type SeriesTable,
  VALUE_UNREAD,
} from "./series-table.ts";

/**
 * What chunks found at open count as in the order of Lsns. Those that are not known to be durable hold the
 * durable Lsn at 0 until their sync: the log must keep what it has of them.
 */
const FOUND_LSN = 1;

interface Tables {
  readonly series: SeriesTable;
  readonly chunks: ChunkTable;
  readonly pipeline: Pipeline;
  readonly open: OpenChunks;
}

/**
 * Describes the chunks that `sealed/` holds, and tells their series where they are in time. A chunk that is not
 * newer than what its series has was written twice, after a failed sync: the first one counts.
 */
export function adoptChunks(recovery: Recovery, tables: Tables): void {
  const { series, chunks, pipeline, open } = tables;
  for (const { file, chunk: found, isDurable } of recovery.chunks) {
    const { ref, minTime, maxTime, count, length, offset } = found;
    const page = series.page((ref - 1) >>> SERIES_SHIFT);
    if (page === NO_PAGE || (chunks.free === 0 && !chunks.grow())) throw full(recovery);
    const { words, doubles } = page;
    const base = series.baseOf(ref);
    const w = base >> 2;
    const d = base >> 3;
    const isKnown = (words[w + FLAGS]! & KNOWN) !== 0;
    if (isKnown && minTime <= doubles[d + ADMITTED_TIME]!) continue;
    const chunk = chunks.open(ref, words[w + NEWEST_CHUNK]! >>> 0, minTime, FOUND_LSN);
    chunks.seal(chunk, maxTime, count, length, 0);
    chunks.setWord(chunk, FILE, file);
    chunks.setWord(chunk, FILE_OFFSET, offset);
    if (isDurable) chunks.settle(chunk);
    else pipeline.adopt(chunk);
    words[w + NEWEST_CHUNK] = chunk;
    words[w + FLAGS] = KNOWN | VALUE_UNREAD;
    doubles[d + ADMITTED_TIME] = maxTime;
    doubles[d + APPLIED_TIME] = maxTime;
    if (!isKnown) open.seriesCount += 1;
    if (ref > open.refMax) open.refMax = ref;
  }
}

function full(recovery: Recovery): StorageError {
  const count = recovery.chunks.length;
  return new StorageError(
    "LIMIT",
    `no memory is left to describe the ${count} chunks of sealed/; open with a larger memoryBytesMax`,
    { facts: { limit: "memoryBytesMax", value: count } },
  );
}
