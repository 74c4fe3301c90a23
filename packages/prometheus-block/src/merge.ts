import { compareKeys } from "@varve/bytes";
import { assert, type ChunkCodec, type Disk, noPause, type Pause } from "@varve/contracts";
import { SeriesMerger } from "./internal/merge-series.ts";
import type { BlockReader, RawSeries } from "./reader.ts";
import { type BlockWriter, createBlock } from "./writer.ts";

export interface MergeOptions {
  readonly disk: Disk;
  /** The directory that the new block goes into. */
  readonly parent: string;
  /** At least one. Of samples at the same time, that of the first block here stays. */
  readonly blocks: readonly BlockReader[];
  readonly codec: ChunkCodec;
  readonly pause?: Pause;
  /** Names the new block; a new name by default. */
  readonly ulid?: string;
  /** Fields of one's own for its `meta.json`. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

/** Symbols and series between two questions whether to pause. */
const SYMBOLS_PER_PIECE = 512;
const SERIES_PER_PIECE = 16;

/**
 * Merges blocks into a new one that is finished and not published: the caller publishes or aborts it. Resolves to null
 * when all samples are deleted.
 *
 * Goes once through all series in label order, so that memory grows with distinct names and values only. A chunk that
 * overlaps no other and that no deletion touches is copied byte for byte; others are decoded, merged, freed of deleted
 * samples and encoded anew, at most 120 samples a chunk. Chunks of foreign encodings are always copied: one that is
 * deleted whole goes, and one that is deleted in part stays whole. Throws CONFLICT when such a chunk overlaps another
 * one, BLOCK_CORRUPT when a block is damaged, and what the disk throws; nothing is left then.
 */
export async function mergeBlocks(options: MergeOptions): Promise<BlockWriter | null> {
  const { disk, parent, blocks, codec, pause = noPause, ulid, extra } = options;
  assert(blocks.length > 0, "there is a block to merge");
  const writer = createBlock({ disk, parent, ...(ulid !== undefined && { ulid }) });
  try {
    await addSymbols(blocks, writer, pause);
    await writer.sortSymbols(pause);
    await addSeries(blocks, codec, writer, pause);
    if (writer.samples === 0) {
      await writer.abort();
      return null;
    }
    await writer.finish(
      { ...fieldsOf(blocks, writer), ...(extra !== undefined && { extra }) },
      pause,
    );
    return writer;
  } catch (error) {
    await writer.abort().catch(() => undefined); // The first error says more.
    throw error;
  }
}

async function addSymbols(
  blocks: readonly BlockReader[],
  writer: BlockWriter,
  pause: Pause,
): Promise<void> {
  for (const block of blocks) {
    const symbols = block.allSymbols();
    for (let i = 1; symbols.next(); i += 1) {
      writer.addSymbol(symbols.bytes, symbols.from, symbols.until);
      if (i % SYMBOLS_PER_PIECE === 0) await pause();
    }
  }
}

async function addSeries(
  blocks: readonly BlockReader[],
  codec: ChunkCodec,
  writer: BlockWriter,
  pause: Pause,
): Promise<void> {
  const merger = new SeriesMerger(codec);
  let heads = blocks.map((block) => block.allSeries()).filter((series) => series.next());
  for (let i = 1; heads.length > 0; i += 1) {
    const same = firstOf(heads);
    const { key, keyLength } = same[0]!;
    writer.beginSeries(key, 0, keyLength);
    merger.write(same, writer);
    writer.endSeries();
    for (const series of same) {
      if (!series.next()) heads = heads.filter((each) => each !== series);
    }
    if (i % SERIES_PER_PIECE === 0) await pause();
  }
}

/** The heads whose key comes first: more than one where blocks share a series. In the order of the blocks. */
function firstOf(heads: readonly RawSeries[]): readonly RawSeries[] {
  if (heads.length === 1) return heads;
  const first: RawSeries[] = [];
  for (const series of heads) {
    const order = first.length === 0 ? 0 : compare(series, first[0]!);
    if (order < 0) first.length = 0;
    if (order <= 0) first.push(series);
  }
  return first;
}

function compare(a: RawSeries, b: RawSeries): number {
  return compareKeys(a.key, 0, a.keyLength, b.key, 0, b.keyLength);
}

/**
 * What the blocks say together, and their times, widened by samples outside: Prometheus of 2018 wrote such blocks (its
 * tsdb issue 347).
 */
function fieldsOf(blocks: readonly BlockReader[], writer: BlockWriter) {
  const sources = new Set(blocks.flatMap(({ meta }) => meta.compaction.sources));
  // What a hint says of every block it says of the whole.
  const [first, ...rest] = blocks.map(({ meta }) => meta.compaction.hints ?? []);
  const hints = first!.filter((hint) => rest.every((others) => others.includes(hint)));
  return {
    minTime: Math.min(writer.minTime, ...blocks.map(({ minTime }) => minTime)),
    maxTime: Math.max(writer.maxTime + 1, ...blocks.map(({ maxTime }) => maxTime)),
    level: Math.max(...blocks.map(({ meta }) => meta.compaction.level)) + 1,
    sources: [...sources].sort(), // ULIDs are ASCII.
    parents: blocks.map(({ id, minTime, maxTime }) => ({ ulid: id, minTime, maxTime })),
    ...(hints.length > 0 && { hints }),
  };
}
