import { equalBytes, makeColumns, mergeRuns } from "@varve/bytes";
import { type ChunkCodec, type SampleColumns, StorageError } from "@varve/contracts";
import type { RawSeries } from "../reader.ts";
import type { BlockWriter } from "../writer.ts";
import { SampleEncoder } from "./merge-encoder.ts";
import { lowerBound, removeRanges } from "./read-samples.ts";

/** A chunk of one of the blocks. */
interface Source {
  readonly series: RawSeries;
  readonly chunk: number;
  readonly minTime: number;
  readonly maxTime: number;
  /** Samples of lower ranks go before those of higher ones. */
  readonly rank: number;
  /** Some of it is deleted, and not all. */
  readonly isTouched: boolean;
}

/**
 * Merges the chunks of one series. A chunk that overlaps no other and of which nothing is deleted is copied byte for
 * byte, and so are chunks of foreign encodings in any case.
 */
export class SeriesMerger {
  readonly #codec: ChunkCodec;
  readonly #encoder: SampleEncoder;
  readonly #samples: SampleColumns = makeColumns({ capacity: 1024 });

  constructor(codec: ChunkCodec) {
    this.#codec = codec;
    this.#encoder = new SampleEncoder(codec);
  }

  /**
   * Adds what is left of a series' chunks to the writer's series. Of samples at the same time, that of the first block
   * stays. Throws CONFLICT when a foreign chunk overlaps another one, or has samples inside it.
   */
  write(all: readonly RawSeries[], writer: BlockWriter): void {
    const sources = sourcesOf(all);
    for (let from = 0; from < sources.length;) {
      let until = from + 1;
      let end = sources[from]!.maxTime;
      while (until < sources.length && sources[until]!.minTime <= end) {
        end = Math.max(end, sources[until]!.maxTime);
        until += 1;
      }
      this.#writeGroup(sources.slice(from, until), writer);
      from = until;
    }
  }

  /** Writes chunks that overlap, or one alone. */
  #writeGroup(group: readonly Source[], writer: BlockWriter): void {
    const [first] = group;
    if (group.length === 1 && !first!.isTouched) {
      copy(first!, writer);
      return;
    }
    const samples = this.#samples;
    samples.length = 0;
    const foreign: Source[] = [];
    for (const source of group.toSorted((a, b) => a.rank - b.rank)) {
      source.series.load(source.chunk);
      if (source.series.encoding === this.#codec.encoding) append(source, samples);
      else foreign.push(source);
    }
    foreign.sort((a, b) => a.minTime - b.minTime);
    this.#writeBetween(foreign.filter(isFirstOfItsKind), writer);
  }

  /** Writes foreign chunks, and the samples before, between and behind them. */
  #writeBetween(foreign: readonly Source[], writer: BlockWriter): void {
    const samples = this.#samples;
    let at = 0;
    for (const source of foreign) {
      const next = lowerBound(samples.times, at, samples.length, source.minTime);
      this.#encoder.write(samples, at, next, writer);
      if (next < samples.length && samples.times[next]! <= source.maxTime) throw conflict(source);
      copy(source, writer);
      at = next;
    }
    this.#encoder.write(samples, at, samples.length, writer);
  }
}

/** Chunks of which something is left, by time. */
function sourcesOf(all: readonly RawSeries[]): Source[] {
  const sources: Source[] = [];
  for (const series of all) {
    const { chunkCount } = series;
    for (let chunk = 0; chunk < chunkCount; chunk += 1) {
      if (series.isDeleted(chunk)) continue;
      const minTime = series.minTime(chunk);
      const maxTime = series.maxTime(chunk);
      const isTouched = reaches(series.deleted, minTime, maxTime);
      sources.push({ series, chunk, minTime, maxTime, rank: sources.length, isTouched });
    }
  }
  return sources.sort((a, b) => a.minTime - b.minTime);
}

function reaches(ranges: Float64Array | undefined, minTime: number, maxTime: number): boolean {
  if (ranges === undefined) return false;
  for (let i = 0; i < ranges.length; i += 2) {
    if (ranges[i]! <= maxTime && ranges[i + 1]! >= minTime) return true;
  }
  return false;
}

/** Adds a chunk's samples behind those of lower rank, and merges them. */
function append({ series }: Source, samples: SampleColumns): void {
  const middle = samples.length;
  series.decode(samples);
  if (series.deleted !== undefined) removeRanges(samples, middle, series.deleted);
  mergeRuns(samples, 0, middle);
}

function copy({ series, chunk, minTime, maxTime }: Source, writer: BlockWriter): void {
  series.load(chunk);
  const { encoding, sampleCount, bytes, from, until } = series;
  writer.addChunk(encoding, minTime, maxTime, sampleCount, bytes, from, until);
}

/** False for a chunk that is the same as the one before it. Throws CONFLICT for one that overlaps it otherwise. */
function isFirstOfItsKind(source: Source, i: number, foreign: readonly Source[]): boolean {
  const before = foreign[i - 1];
  if (before === undefined || source.minTime > before.maxTime) return true;
  if (source.minTime !== before.minTime || source.maxTime !== before.maxTime) {
    throw conflict(source);
  }
  before.series.load(before.chunk);
  const { encoding } = before.series;
  const bytes = before.series.bytes.slice(before.series.from, before.series.until);
  const { series } = source;
  series.load(source.chunk);
  const isSame = equalBytes(bytes, 0, bytes.length, series.bytes, series.from, series.until);
  if (!isSame || series.encoding !== encoding) throw conflict(source);
  return false;
}

function conflict({ series, minTime, maxTime }: Source): StorageError {
  const labels = JSON.stringify(series.labels());
  return new StorageError(
    "CONFLICT",
    `a chunk of ${labels} from ${minTime} to ${maxTime} has an encoding that cannot be decoded here, and overlaps ` +
      "others; nothing was published, and the blocks are as they were; leave them unmerged",
    { facts: { value: labels, minTime, maxTime } },
  );
}
