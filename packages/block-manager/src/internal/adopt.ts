import { StorageError } from "@varve/contracts";
import { type ChunkTable, FILE, FILE_OFFSET } from "./chunk-table.ts";
import type { BlockStore } from "./block-store.ts";
import type { OpenChunks } from "./open-chunks.ts";
import type { Recovery } from "./recovery.ts";
import type { SpentFiles } from "./spent-files.ts";
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

interface Tables {
  readonly series: SeriesTable;
  readonly chunks: ChunkTable;
  readonly open: OpenChunks;
  readonly store: BlockStore;
  readonly spent: SpentFiles;
}

/**
 * Describes the chunks that `sealed/` holds, and tells their series where they are in time. A chunk that ends before
 * the newest block does is in a block. One that is not newer than what its series has was written twice, after a failed
 * sync: the first one counts.
 */
export function adoptChunks(recovery: Recovery, tables: Tables): void {
  const { series, chunks, open, store, spent } = tables;
  for (const { file, chunk: found } of recovery.chunks) {
    const { ref, minTime, maxTime, count, length, offset } = found;
    spent.found(file);
    if (maxTime < store.cutTime) continue;
    const page = series.page((ref - 1) >>> SERIES_SHIFT);
    if (page === NO_PAGE || (chunks.free === 0 && !chunks.grow())) throw full(recovery);
    const { words, doubles } = page;
    const base = series.baseOf(ref);
    const w = base >> 2;
    const d = base >> 3;
    const isKnown = (words[w + FLAGS]! & KNOWN) !== 0;
    if (isKnown && minTime <= doubles[d + ADMITTED_TIME]!) continue;
    const chunk = chunks.open(ref, words[w + NEWEST_CHUNK]! >>> 0, minTime, 0);
    chunks.seal(chunk, maxTime, count, length, 0);
    chunks.setWord(chunk, FILE, file);
    chunks.setWord(chunk, FILE_OFFSET, offset);
    chunks.settle(chunk);
    spent.written(file);
    if (maxTime > store.newestTime) store.newestTime = maxTime;
    words[w + NEWEST_CHUNK] = chunk;
    words[w + FLAGS] = KNOWN | VALUE_UNREAD;
    doubles[d + ADMITTED_TIME] = maxTime;
    doubles[d + APPLIED_TIME] = maxTime;
    if (!isKnown) open.seriesCount += 1;
  }
  open.refMax = recovery.refMax;
}

function full(recovery: Recovery): StorageError {
  const count = recovery.chunks.length;
  return new StorageError(
    "LIMIT",
    `no memory is left to describe the ${count} chunks of sealed/; open with a larger memoryBytesMax`,
    { facts: { limit: "memoryBytesMax", value: count } },
  );
}
