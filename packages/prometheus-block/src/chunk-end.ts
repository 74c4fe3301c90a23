/** Samples that Prometheus wants in a chunk. */
export const CHUNK_SAMPLES = 120;

/**
 * Where the chunk ends that began at `start` and is a quarter full at `current`, so that the chunks up to `max` get
 * about the same number of samples. Times in ms, of which a chunk's end is the first that is not in it.
 *
 * As Prometheus 2.42 computes it (`computeChunkEndTime` in tsdb/head_append.go), in integers. Prometheus asks when
 * the sample after the 30th comes, with the time of the 30th; before that, a chunk ends with its window; and at
 * 240 samples it ends in any case.
 */
export function chunkEndTime(start: number, current: number, max: number): number {
  const chunks = Math.trunc((max - start) / ((current - start + 1) * 4));
  return chunks <= 1 ? max : start + Math.trunc((max - start) / chunks);
}

/**
 * The end of the window of `durationMs` that holds `time`: the first time that is not in it. Windows are aligned to
 * 0, also below it.
 */
export function windowEnd(time: number, durationMs: number): number {
  return Math.floor(time / durationMs) * durationMs + durationMs;
}
