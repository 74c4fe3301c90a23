import { makeColumns } from "@varve/bytes";
import type { ChunkCodec, SampleColumns } from "@varve/contracts";
import type { Tombstones } from "../tombstones.ts";
import { SEGMENT_STEP, TOMBSTONES_FILE } from "./layout.ts";
import type { BlockMeta } from "./meta-json.ts";
import { ChunkFiles } from "./read-chunks.ts";
import type { BlockFile } from "./read-file.ts";
import type { SeriesEntry } from "./read-series.ts";
import type { Problems } from "./verify-problems.ts";

export interface ChunkVerifierOptions {
  readonly dir: string;
  readonly codec: ChunkCodec;
  readonly segments: readonly BlockFile[];
  /** Undefined when it is damaged. */
  readonly meta: BlockMeta | undefined;
  readonly tombstones: Tombstones | undefined;
  readonly problems: Problems;
}

/** Checks the chunks of series that come in the order of the index. */
export class ChunkVerifier {
  chunks = 0;
  samples = 0;
  /** Size of the segments, and how far chunks were read in them. */
  readonly total: number;
  done = 0;
  readonly #options: ChunkVerifierOptions;
  readonly #files: ChunkFiles;
  readonly #samples: SampleColumns = makeColumns();
  readonly #ends: readonly number[];
  #lastRef = 0;
  /** Series with deleted ranges, ascending, and which of them comes next. */
  readonly #deleted: Uint32Array;
  #deletedAt = 0;

  constructor(options: ChunkVerifierOptions) {
    const { dir, segments, tombstones } = options;
    this.#options = options;
    this.#files = new ChunkFiles(dir, segments);
    let end = 0;
    this.#ends = segments.map(({ size }) => (end += size));
    this.total = end;
    this.#deleted = tombstones?.ids() ?? new Uint32Array(0);
  }

  /** Checks the chunks of an entry, as far as it could be read. */
  verify(entry: SeriesEntry): void {
    const { problems } = this.#options;
    this.passTombstones(entry.id);
    for (let i = 0; i < entry.chunkCount && !problems.isFull; i += 1) {
      this.chunks += 1;
      this.#verifyPlace(entry, i);
      problems.try("CHUNKS", this.#options.dir, () => this.#verifyData(entry, i));
    }
  }

  /** Deleted ranges belong to series: those of ids below this one should have come. */
  passTombstones(id: number): void {
    const { dir, problems } = this.#options;
    const ids = this.#deleted;
    while (this.#deletedAt < ids.length && ids[this.#deletedAt]! <= id) {
      const deleted = ids[this.#deletedAt]!;
      this.#deletedAt += 1;
      if (deleted === id) continue;
      const problem = `there is no series ${deleted} to delete from`;
      problems.add("TOMBSTONES", `${dir}/${TOMBSTONES_FILE}`, 0, problem);
    }
  }

  /** What the index says about the chunk. */
  #verifyPlace(entry: SeriesEntry, i: number): void {
    const { meta } = this.#options;
    const ref = entry.refs[i]!;
    const minTime = entry.minTimes[i]!;
    const maxTime = entry.maxTimes[i]!;
    const isOutside = meta !== undefined && (minTime < meta.minTime || maxTime >= meta.maxTime);
    if (isOutside)
      this.#complain(entry, `has a chunk from ${minTime} to ${maxTime}, outside the block's times`);
    if (i > 0 && minTime <= entry.maxTimes[i - 1]!) {
      this.#complain(entry, `has chunks that overlap at ${minTime}`);
    }
    if (ref < this.#lastRef) this.#complain(entry, `has chunk ${ref} behind ${this.#lastRef}`);
    this.#lastRef = ref;
    const place = Math.floor(ref / SEGMENT_STEP);
    this.done = (place > 0 ? (this.#ends[place - 1] ?? 0) : 0) + (ref % SEGMENT_STEP);
  }

  /** What the chunk itself says. */
  #verifyData(entry: SeriesEntry, i: number): void {
    const { codec } = this.#options;
    const files = this.#files;
    files.read(entry.refs[i]!);
    const { bytes, from, until } = files;
    const length = until - from;
    if (files.encoding !== codec.encoding) {
      if (length >= 2) this.samples += (bytes[from]! << 8) | bytes[from + 1]!;
      return;
    }
    const samples = this.#samples;
    samples.length = 0;
    const count = codec.storedCount(bytes, from, length);
    try {
      codec.decode(bytes, from, length, count, samples);
    } catch (cause) {
      throw files.damaged("cannot be decoded", cause);
    }
    this.samples += count;
    const { times } = samples;
    const isSame =
      count > 0 && times[0] === entry.minTimes[i] && times[count - 1] === entry.maxTimes[i];
    if (!isSame) throw files.damaged("holds other times than the index says");
  }

  #complain(entry: SeriesEntry, problem: string): void {
    this.#options.problems.try("SERIES", this.#options.dir, () => {
      throw entry.damaged(problem);
    });
  }
}
