import { assert, type Disk, type Pause } from "@varve/contracts";
import { removeTree } from "@varve/disk/transfer";
import { isUlid, makeUlid } from "../ulid.ts";
import type { BlockFields, BlockOptions, BlockWriter } from "../writer.ts";
import { CHUNKS_DIRECTORY, CREATION_SUFFIX } from "./layout.ts";
import type { BlockMeta } from "./meta-json.ts";
import { aborted, badChunk, badRange, emptyBlock, existing, poisoned } from "./write-errors.ts";
import { IndexWriter } from "./write-index.ts";
import { SegmentWriter } from "./write-segments.ts";
import { writeMetaFile, writeTombstonesFile } from "./write-small-files.ts";

/** 512 MiB, as in Prometheus. */
const SEGMENT_BYTES = 512 * 2 ** 20;
/** 32 MiB of entries. */
const POSTINGS_MAX = 8 * 2 ** 20;

/** What may be called next: to begin with, symbols are declared; `between` series; nothing while it is `busy`. */
type Stage =
  | "symbols"
  | "between"
  | "series"
  | "busy"
  | "finished"
  | "published"
  | "failed"
  | "aborted";

/** Creates the build directory, and the index in it. */
export function openBlockWriter(options: BlockOptions): BlockWriter {
  const { disk, parent, ulid = makeUlid() } = options;
  const { segmentBytesMax = SEGMENT_BYTES, postingsMax = POSTINGS_MAX } = options;
  assert(isUlid(ulid), `a block is named by a ULID, got ${JSON.stringify(ulid)}`);
  assert(postingsMax >= 1, `a pass holds at least one entry, got ${postingsMax}`);
  const dir = `${parent}/${ulid}`;
  const buildDir = dir + CREATION_SUFFIX;
  const chunksDir = `${buildDir}/${CHUNKS_DIRECTORY}`;
  const segments = new SegmentWriter(disk, chunksDir, segmentBytesMax);
  for (const path of [dir, buildDir]) if (disk.kind(path) !== "none") throw existing(path);
  try {
    disk.makeDirectory(buildDir);
    disk.makeDirectory(chunksDir);
    const index = new IndexWriter(disk, buildDir, postingsMax);
    return new DiskBlockWriter({ disk, parent, ulid, dir, buildDir, segments, index });
  } catch (error) {
    removeTree(disk, buildDir);
    throw error;
  }
}

interface Parts {
  readonly disk: Disk;
  readonly parent: string;
  readonly ulid: string;
  readonly dir: string;
  readonly buildDir: string;
  readonly segments: SegmentWriter;
  readonly index: IndexWriter;
}

class DiskBlockWriter implements BlockWriter {
  readonly ulid: string;
  readonly dir: string;
  readonly buildDir: string;
  series = 0;
  chunks = 0;
  samples = 0;
  minTime = Number.POSITIVE_INFINITY;
  maxTime = Number.NEGATIVE_INFINITY;
  readonly #disk: Disk;
  readonly #parent: string;
  readonly #index: IndexWriter;
  readonly #segments: SegmentWriter;
  #stage: Stage = "symbols";
  /** What waits now: `abort` lets it end first. */
  #running: Promise<unknown> = Promise.resolve();
  /** Of the series that is being written. */
  #seriesSamples = 0;

  constructor({ disk, parent, ulid, dir, buildDir, segments, index }: Parts) {
    this.ulid = ulid;
    this.dir = dir;
    this.buildDir = buildDir;
    this.#disk = disk;
    this.#parent = parent;
    this.#segments = segments;
    this.#index = index;
  }

  get bytes(): number {
    return this.#segments.bytes + this.#index.bytes;
  }

  addSymbol(bytes: Uint8Array, from: number, until: number): void {
    this.#enter("symbols");
    this.#index.addSymbol(bytes, from, until);
    this.#stage = "symbols";
  }

  addKey(key: Uint8Array, from: number, until: number): void {
    this.#enter("symbols");
    this.#index.addKey(key, from, until);
    this.#stage = "symbols";
  }

  sortSymbols(pause: Pause): Promise<void> {
    return this.#run("symbols", "between", () => this.#index.sortSymbols(this.#guard(pause)));
  }

  beginSeries(key: Uint8Array, from: number, until: number): void {
    this.#enter("between");
    this.#index.beginSeries(key, from, until);
    this.#segments.beginSeries();
    this.#seriesSamples = 0;
    this.#stage = "series";
  }

  addChunk(
    encoding: number,
    minTime: number,
    maxTime: number,
    count: number,
    bytes: Uint8Array,
    from: number,
    until: number,
  ): void {
    this.#enter("series");
    const { entries } = this.#index;
    const isOrdered = entries.chunks === 0 || minTime > entries.maxTime;
    if (!isOrdered || !isSpan(minTime, maxTime) || !(count >= 1)) {
      throw badChunk(this.#index.seriesText(), minTime, maxTime, count);
    }
    const ref = this.#segments.add(encoding, bytes, from, until);
    entries.addChunk(minTime, maxTime, ref);
    this.#seriesSamples += count;
    this.#stage = "series";
  }

  endSeries(): void {
    this.#enter("series");
    const { entries } = this.#index;
    if (entries.chunks > 0) {
      entries.end();
      this.series += 1;
      this.chunks += entries.chunks;
      this.samples += this.#seriesSamples;
      if (entries.minTime < this.minTime) this.minTime = entries.minTime;
      if (entries.maxTime > this.maxTime) this.maxTime = entries.maxTime;
    }
    this.#stage = "between";
  }

  finish(fields: BlockFields, pause: Pause): Promise<BlockMeta> {
    return this.#run("between", "finished", () => this.#finish(fields, this.#guard(pause)));
  }

  async publish(): Promise<void> {
    this.#enter("finished");
    this.#disk.rename(this.buildDir, this.dir);
    this.#stage = "published"; // From here on others may see the block.
    try {
      await this.#disk.syncDirectoryAsync(this.#parent);
    } catch (error) {
      // An opening would believe a block that the next crash takes away: another sync succeeds, and says nothing of this one.
      this.#disk.rename(this.dir, this.buildDir);
      this.#stage = "failed";
      throw error;
    }
  }

  async abort(): Promise<void> {
    if (this.#stage === "published" || this.#stage === "aborted") return;
    this.#stage = "aborted";
    await this.#running.catch(() => undefined);
    try {
      this.#segments.close();
      this.#index.close();
    } finally {
      removeTree(this.#disk, this.buildDir);
    }
  }

  async #finish(fields: BlockFields, pause: Pause): Promise<BlockMeta> {
    if (this.series === 0) throw emptyBlock(this.buildDir);
    if (!this.#liesInside(fields)) throw badRange(this.buildDir, fields, this);
    await this.#index.finish(pause);
    await this.#segments.finish();
    const meta = this.#meta(fields);
    await writeTombstonesFile(this.#disk, this.buildDir);
    await writeMetaFile(this.#disk, this.buildDir, meta);
    await this.#disk.syncDirectoryAsync(`${this.buildDir}/${CHUNKS_DIRECTORY}`);
    await this.#disk.syncDirectoryAsync(this.buildDir);
    return meta;
  }

  /** Whether what `meta.json` will say of times is true, and can be read back exactly. */
  #liesInside({ minTime, maxTime }: BlockFields): boolean {
    if (!Number.isSafeInteger(minTime) || !Number.isSafeInteger(maxTime)) return false;
    return minTime <= this.minTime && maxTime > this.maxTime;
  }

  #meta({ minTime, maxTime, level, sources, parents, hints, extra }: BlockFields): BlockMeta {
    return {
      ulid: this.ulid,
      minTime,
      maxTime,
      stats: {
        numSamples: this.samples,
        numSeries: this.series,
        numChunks: this.chunks,
        numTombstones: 0,
      },
      compaction: {
        level,
        sources: sources ?? [this.ulid],
        ...(parents !== undefined && { parents }),
        ...(hints !== undefined && { hints }),
      },
      version: 1,
      raw: extra ?? {},
    };
  }

  /** Begins a call that `stage` allows. Unless it ends by setting another stage, the block has failed. */
  #enter(stage: Stage): void {
    if (this.#stage !== stage) throw this.#refusal(stage);
    this.#stage = "failed";
  }

  #refusal(stage: Stage): Error {
    if (this.#stage === "failed") return poisoned(this.buildDir);
    if (this.#stage === "aborted") return aborted(this.buildDir);
    assert(
      this.#stage === stage,
      `the stage of a block that is being written is "${stage}", got "${this.#stage}"`,
    );
    return poisoned(this.buildDir);
  }

  /** Runs work that waits. When `abort` comes meanwhile, it ends with ABORTED at its next pause, or when it is done. */
  async #run<T>(stage: Stage, next: Stage, work: () => Promise<T>): Promise<T> {
    this.#enter(stage);
    this.#stage = "busy";
    const running = work();
    this.#running = running;
    try {
      const result = await running;
      if (this.#isAborted()) throw aborted(this.buildDir);
      this.#stage = next;
      return result;
    } catch (error) {
      if (!this.#isAborted()) this.#stage = "failed";
      throw error;
    }
  }

  #guard(pause: Pause): Pause {
    return () => {
      if (this.#isAborted()) throw aborted(this.buildDir);
      return pause();
    };
  }

  #isAborted(): boolean {
    return this.#stage === "aborted";
  }
}

/** True when both times and what lies between can be written exactly. */
function isSpan(minTime: number, maxTime: number): boolean {
  if (!Number.isSafeInteger(minTime) || !Number.isSafeInteger(maxTime)) return false;
  return maxTime >= minTime && Number.isSafeInteger(maxTime - minTime);
}
