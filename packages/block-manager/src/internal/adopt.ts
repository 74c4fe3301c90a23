import { StorageError } from "@varve/contracts";
import type { BlockStore } from "./block-store.ts";
import {
  type ChunkTable,
  FILE,
  FILE_OFFSET,
  MAX_TIME,
  MIN_TIME,
  NO_CHUNK,
  OLDER,
} from "./chunk-table.ts";
import type { OpenChunks } from "./open-chunks.ts";
import type { CountedChunk, Recovery } from "./recovery.ts";
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
import type { SpentFiles } from "./spent-files.ts";

interface Tables {
  readonly series: SeriesTable;
  readonly chunks: ChunkTable;
  readonly open: OpenChunks;
  readonly store: BlockStore;
  readonly spent: SpentFiles;
}

/**
 * Describes the chunks that `sealed/` holds, and tells their series where they are in time. A chunk that ends before
 * the newest block does is in a block. Returns those whose times another one has: nobody writes such, so a record was
 * repeated, and may lie where another was.
 */
export function adoptChunks(recovery: Recovery, tables: Tables): CountedChunk[] {
  const { series, chunks, open, store, spent } = tables;
  for (const { number, after, holdsVoid } of recovery.files) {
    spent.add(number, after);
    if (holdsVoid) spent.holdsVoid(number);
  }
  /** Chunks that are not newer than what their series had by then. */
  const misplaced: CountedChunk[] = [];
  for (const counted of recovery.chunks) {
    const { ref, minTime, maxTime } = counted.chunk;
    if (maxTime < store.cutTime) continue;
    const page = series.page((ref - 1) >>> SERIES_SHIFT);
    if (page === NO_PAGE || (chunks.free === 0 && !chunks.grow())) throw full(recovery);
    const { words, doubles } = page;
    const base = series.baseOf(ref);
    const w = base >> 2;
    const d = base >> 3;
    const isKnown = (words[w + FLAGS]! & KNOWN) !== 0;
    if (isKnown && minTime <= doubles[d + ADMITTED_TIME]!) {
      misplaced.push(counted);
      continue;
    }
    words[w + NEWEST_CHUNK] = describe(counted, words[w + NEWEST_CHUNK]! >>> 0, tables);
    if (maxTime > store.newestTime) store.newestTime = maxTime;
    words[w + FLAGS] = KNOWN | VALUE_UNREAD;
    doubles[d + ADMITTED_TIME] = maxTime;
    doubles[d + APPLIED_TIME] = maxTime;
    if (!isKnown) open.seriesCount += 1;
  }
  open.refMax = recovery.refMax;
  return insert(misplaced, recovery, tables);
}

/**
 * Puts chunks between those that their series have: a repeated record makes sound ones look old. Returns those that do
 * not fit between any.
 */
function insert(misplaced: CountedChunk[], recovery: Recovery, tables: Tables): CountedChunk[] {
  const { series, chunks } = tables;
  const repeated: CountedChunk[] = [];
  let ref = 0;
  let newer = NO_CHUNK;
  misplaced.sort((a, b) => a.chunk.ref - b.chunk.ref || b.chunk.minTime - a.chunk.minTime);
  for (const counted of misplaced) {
    const { minTime, maxTime } = counted.chunk;
    if (counted.chunk.ref !== ref) {
      ({ ref } = counted.chunk);
      newer = series.pageOf(ref).words[(series.baseOf(ref) >> 2) + NEWEST_CHUNK]! >>> 0;
    }
    let older = chunks.word(newer, OLDER);
    while (older !== NO_CHUNK && chunks.double(older, MIN_TIME) > minTime) {
      newer = older;
      older = chunks.word(newer, OLDER);
    }
    const isAfter = older === NO_CHUNK || chunks.double(older, MAX_TIME) < minTime;
    if (!isAfter || chunks.double(newer, MIN_TIME) <= maxTime) {
      repeated.push(counted);
      continue;
    }
    if (chunks.free === 0 && !chunks.grow()) throw full(recovery);
    chunks.setWord(newer, OLDER, describe(counted, older, tables));
  }
  return repeated;
}

/** Describes a chunk behind an older one of its series, or none. There is a free descriptor. */
function describe(
  { file, chunk: found }: CountedChunk,
  older: number,
  { chunks, spent }: Tables,
): number {
  const { ref, minTime, maxTime, count, length, offset } = found;
  const chunk = chunks.open(ref, older, minTime, 0);
  chunks.seal(chunk, maxTime, count, length, 0);
  chunks.setWord(chunk, FILE, file);
  chunks.setWord(chunk, FILE_OFFSET, offset);
  chunks.settle(chunk);
  spent.written(file);
  return chunk;
}

function full(recovery: Recovery): StorageError {
  const count = recovery.chunks.length;
  return new StorageError(
    "LIMIT",
    `no memory is left to describe the ${count} chunks of sealed/; open with a larger memoryBytesMax`,
    { facts: { limit: "memoryBytesMax", value: count } },
  );
}
