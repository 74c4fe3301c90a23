import type { Disk } from "@varve/contracts";
import { readMeta } from "../meta.ts";
import { readTombstones, type Tombstones } from "../tombstones.ts";
import type { BlockProblem, VerifyBlockOptions } from "../verify.ts";
import {
  blockName,
  CHUNKS_DIRECTORY,
  INDEX_FILE,
  META_FILE,
  segmentName,
  TOMBSTONES_FILE,
} from "./layout.ts";
import type { BlockMeta } from "./meta-json.ts";
import { pageCache, type PageCache } from "./page-cache.ts";
import { checkSegmentHeader, SEGMENT_NAME } from "./read-chunks.ts";
import { BlockFile } from "./read-file.ts";
import { readSymbols } from "./read-symbols.ts";
import { readPostingsTable } from "./read-table.ts";
import { readPlaces } from "./read-toc.ts";
import { ChunkVerifier } from "./verify-chunks.ts";
import { PostingsVerifier, verifyLegacy, verifySymbols } from "./verify-index.ts";
import { PairSums } from "./verify-pairs.ts";
import { Problems } from "./verify-problems.ts";
import { SeriesVerifier } from "./verify-series.ts";

/** A block is read once from front to back: a few pages do. */
const CACHE_BYTES = 4 * 2 ** 20;

/** See `verifyBlock`. */
export async function verifyFiles(options: Required<VerifyBlockOptions>): Promise<BlockProblem[]> {
  const { disk, dir, problemsMax } = options;
  const problems = new Problems(problemsMax);
  const metaPath = `${dir}/${META_FILE}`;
  const meta = problems.try("META", metaPath, () => readMeta(disk, dir));
  if (meta !== undefined && meta.ulid !== blockName(dir)) {
    problems.add("META", metaPath, 0, `it names ${meta.ulid}, and its directory does not`);
  }
  const tombstonesPath = `${dir}/${TOMBSTONES_FILE}`;
  const tombstones = problems.try("TOMBSTONES", tombstonesPath, () => readTombstones(disk, dir));
  const cache = pageCache({ bytesMax: CACHE_BYTES });
  const segments: BlockFile[] = [];
  const indexPath = `${dir}/${INDEX_FILE}`;
  if (disk.kind(indexPath) !== "file") {
    problems.add("INDEX", indexPath, 0, "there is no such file");
    return problems.found;
  }
  const index = new BlockFile(disk, cache, indexPath);
  try {
    openAll(disk, dir, cache, problems, segments);
    await verifyIndex(options, { meta, tombstones, index, segments }, problems);
  } finally {
    index.close();
    for (const file of segments) file.close();
  }
  return problems.found;
}

/** Opens all segments, also those that do not begin as they should. */
function openAll(
  disk: Disk,
  dir: string,
  cache: PageCache,
  problems: Problems,
  into: BlockFile[],
): void {
  const chunksDir = `${dir}/${CHUNKS_DIRECTORY}`;
  for (const name of disk.list(chunksDir).filter((each) => SEGMENT_NAME.test(each))) {
    const file = new BlockFile(disk, cache, `${chunksDir}/${name}`);
    const place = into.push(file) - 1;
    problems.try("CHUNKS", file.path, () => checkSegmentHeader(file));
    if (name === segmentName(place)) continue;
    problems.add("CHUNKS", file.path, 0, `${segmentName(place)} is missing before it`);
  }
}

interface OpenFiles {
  readonly meta: BlockMeta | undefined;
  readonly tombstones: Tombstones | undefined;
  readonly index: BlockFile;
  readonly segments: readonly BlockFile[];
}

async function verifyIndex(
  { dir, codec, pause, onProgress }: Required<VerifyBlockOptions>,
  { meta, tombstones, index, segments }: OpenFiles,
  problems: Problems,
): Promise<void> {
  const places = problems.try("INDEX", index.path, () => readPlaces(index));
  if (places === undefined) return;
  const symbols = await problems.tryAsync("SYMBOLS", index.path, () =>
    readSymbols(index, places.symbols, places.series, pause),
  );
  if (symbols !== undefined) {
    await problems.tryAsync("SYMBOLS", index.path, () =>
      verifySymbols(index, places, symbols, problems, pause),
    );
  }
  const table = await problems.tryAsync("POSTINGS", index.path, () =>
    readPostingsTable(index, places, pause),
  );
  await verifyLegacy(index, places, problems, pause);
  const sums = new PairSums();
  const chunks = new ChunkVerifier({ dir, codec, segments, meta, tombstones, problems });
  const options = { index, places, symbols, chunks, sums, problems, pause, onProgress };
  const series = new SeriesVerifier(options);
  await series.run();
  if (table !== undefined) {
    const postings = new PostingsVerifier(places, table, sums, problems, pause);
    await problems.tryAsync("POSTINGS", index.path, () => postings.run(series.isWhole));
  }
  if (!series.isWhole) return;
  chunks.passTombstones(Infinity);
  if (meta !== undefined) verifyStats(dir, meta, series.count, chunks, problems);
}

function verifyStats(
  dir: string,
  { stats }: BlockMeta,
  series: number,
  { chunks, samples }: ChunkVerifier,
  problems: Problems,
): void {
  const complain = (what: string, stated: number, found: number): void => {
    const problem = `it counts ${stated} ${what}, and the block has ${found}`;
    if (stated !== found) problems.add("META", `${dir}/${META_FILE}`, 0, problem);
  };
  complain("series", stats.numSeries, series);
  complain("chunks", stats.numChunks, chunks);
  complain("samples", stats.numSamples, samples);
}
