import { assert, type Pause } from "@varve/contracts";
import { type ChunkTable, MIN_TIME, REF } from "../chunk-table.ts";
import type { OpenChunks } from "../open-chunks.ts";
import type { Pipeline } from "../pipeline.ts";
import type { SeriesTable } from "../series-table.ts";
import type { Windows } from "../windows.ts";

export interface SettlerOptions {
  readonly series: SeriesTable;
  readonly chunks: ChunkTable;
  readonly open: OpenChunks;
  readonly pipeline: Pipeline;
  readonly windows: Windows;
  readonly chunksPerWrite: number;
}

const CHUNKS_PER_PIECE = 256;

/** Brings the chunks of past windows to `sealed/`, so that a cut finds them full, written and synced. */
export class Settler {
  readonly #options: SettlerOptions;

  constructor(options: SettlerOptions) {
    this.#options = options;
  }

  /** Seals, writes and syncs all chunks that begin before the start of a window. No more come: rows before it are late. */
  async settleBefore(time: number, pause: Pause): Promise<void> {
    const { chunks, series, open, pipeline, windows, chunksPerWrite } = this.#options;
    const last = chunks.count;
    for (let chunk = 1; chunk <= last; chunk += 1) {
      if (chunk % CHUNKS_PER_PIECE === 0) await pause();
      if (!chunks.isLive(chunk) || !chunks.isOpen(chunk)) continue;
      if (chunks.double(chunk, MIN_TIME) >= time) continue;
      const ref = chunks.word(chunk, REF);
      open.seal(series.pageOf(ref), series.baseOf(ref));
    }
    while (windows.unsettledBefore(time) > 0) {
      if (pipeline.poison !== undefined) throw pipeline.poison;
      const isUnderWay = pipeline.sealed.length > 0 || pipeline.written.length > 0;
      assert(isUnderWay, "a sealed chunk waits to be written or to be synced");
      while (pipeline.sealed.length > 0) {
        pipeline.persist(chunksPerWrite);
        await pause();
      }
      await pipeline.sync(Number.POSITIVE_INFINITY);
      await pause();
    }
  }
}
