import {
  isStorageError,
  type BlocksPin,
  type ChunkCodec,
  type Disk,
  type MaintainOptions,
  type Matcher,
  type Pause,
} from "@varve/contracts";
import {
  mergeBlocks,
  openBlock,
  type BlockReader,
  type BlockWriter,
  type PageCache,
} from "@varve/prometheus-block";
import type { BlockStore } from "../block-store.ts";
import type { Idle } from "../idle.ts";
import type { Late } from "../late.ts";
import type { Settings } from "../options.ts";
import type { Pins } from "../pins.ts";
import type { SealedFiles } from "../sealed-files.ts";
import { startOfWindow, type Windows } from "../windows.ts";
import type { BlockCutter, CutTask } from "./block-cutter.ts";
import type { BlockSet } from "./block-set.ts";
import { type CutFacts, factsField, LATE_HINT, readFacts, unite } from "./facts.ts";
import { planMerge, type PlannedBlock } from "./merge-plan.ts";
import { Pace } from "./pace.ts";
import type { Releaser } from "./releaser.ts";
import { planRetention } from "./retention.ts";
import type { Settler } from "./settler.ts";

export interface BlockJobsOptions {
  readonly disk: Disk;
  readonly blocksDir: string;
  readonly storeId: string;
  readonly codec: ChunkCodec;
  readonly cache: PageCache;
  readonly settings: Settings;
  readonly windows: Windows;
  readonly pins: Pins;
  readonly store: BlockStore;
  readonly late: Late;
  readonly idle: Idle;
  readonly files: SealedFiles;
  readonly set: BlockSet;
  readonly cutter: BlockCutter;
  readonly releaser: Releaser;
  readonly settler: Settler;
  readonly facts: CutFacts;
}

/** After a job has failed, none begins for this long, in milliseconds, unless it is asked for. */
const RETRY_MS = 1000;

/** What the current call of `maintain` asks for. */
type Wishes = Pick<MaintainOptions, "sealBeforeLsn" | "cutBefore" | "commitLog" | "closeBatch">;

/**
 * The long work on blocks, one job at a time and in pieces: cutting, removing, merging. A job begins in one turn, where it
 * fixes what it is about, and goes on while `maintain` grants it time.
 */
export class BlockJobs {
  blocksCut = 0;
  blocksMerged = 0;
  blocksRetired = 0;
  /** Chunks that end before this time are in blocks. */
  floor: number;
  /** While above 0 no job begins. */
  resting = 0;
  readonly #options: BlockJobsOptions;
  readonly #pace = new Pace();
  #facts: CutFacts;
  #job: Promise<void> | null = null;
  #wishes: Wishes = {};
  /** A merge that failed is not tried again before something else has changed. */
  #mergeFailed = false;
  /** Nothing begins of itself before this moment. */
  #retryAtMs = 0;

  constructor(options: BlockJobsOptions) {
    this.#options = options;
    this.#facts = options.facts;
    this.floor = options.facts.cutTime;
  }

  get isBusy(): boolean {
    return this.#job !== null;
  }

  /** Goes on with the job under way, and begins others, until the time is over or there is nothing to do. */
  async run(untilMs: number, wishes: Wishes): Promise<void> {
    this.#wishes = wishes;
    do {
      if (this.#job === null && this.resting === 0 && this.#mayBegin) this.#begin();
      if (this.#job === null) return;
      await this.#go(untilMs);
    } while (performance.now() < untilMs);
  }

  get #mayBegin(): boolean {
    return performance.now() >= this.#retryAtMs || this.#wishes.cutBefore !== undefined;
  }

  /** Brings the job under way to its end. */
  async finish(): Promise<void> {
    while (this.#job !== null) await this.#go(Number.POSITIVE_INFINITY);
  }

  /** Ends the job under way, and leaves no trace of it. */
  async abort(): Promise<void> {
    const job = this.#job;
    this.#pace.end();
    await job?.catch(() => undefined);
    this.#job = null;
  }

  pin(from: number, until: number): BlocksPin {
    return this.#options.set.pin(from, until);
  }

  async deleteStored(matchers: readonly Matcher[], from: number, until: number): Promise<number> {
    let touched = 0;
    for (const reader of this.#options.set.readers) {
      if (reader.minTime < until && reader.maxTime > from) {
        touched += await reader.delete(matchers, from, until);
      }
    }
    return touched;
  }

  async #go(untilMs: number): Promise<void> {
    const job = this.#job!;
    const held = this.#pace.grant(untilMs);
    let isDone = false;
    let failure: unknown;
    const done = job.then(
      () => {
        isDone = true;
      },
      (error: unknown) => {
        isDone = true;
        failure = error;
      },
    );
    await Promise.race([held, done]);
    if (!isDone) return;
    this.#job = null;
    if (failure === undefined) return;
    this.#retryAtMs = performance.now() + RETRY_MS;
    throw failure;
  }

  #begin(): void {
    const { set, releaser, settings } = this.#options;
    if (releaser.hasFree) this.#start((pause) => releaser.releaseFree(pause));
    else if (set.hasFree) this.#start((pause) => set.removeFree(pause));
    else if (!this.#beginCut()) {
      const planned = this.#planned();
      const retired = planRetention(planned, settings);
      if (retired.length > 0) {
        set.replace(
          retired.map(({ reader }) => reader),
          [],
        );
        this.blocksRetired += retired.length;
        this.#start((pause) => set.removeFree(pause));
        return;
      }
      const rules = { ...settings, cutTime: this.floor };
      const merged = this.#mergeFailed ? [] : planMerge(planned, rules);
      if (merged.length > 0) this.#start((pause) => this.#merge(merged, pause));
    }
  }

  #start(job: (pause: Pause) => Promise<void>): void {
    // It begins with the next turn: `grant` comes first.
    this.#job = Promise.resolve().then(() => job(this.#pace.pause));
  }

  /** Begins to cut the oldest window that is complete or wished for, or late samples alone. */
  #beginCut(): boolean {
    const { windows, store, late, idle, settings } = this.#options;
    const { cutBefore = Number.NEGATIVE_INFINITY, sealBeforeLsn = 0 } = this.#wishes;
    const { blockDurationMs } = settings;
    // Windows before the floor are cut; a pin may still keep their chunks.
    const from = Math.max(windows.oldestAfter(this.floor), this.floor);
    const until = startOfWindow(from, blockDurationMs) + blockDurationMs;
    const isDue = store.newestTime >= until + blockDurationMs / 2 || from < cutBefore;
    const hasChunks = Number.isFinite(from) && isDue;
    const isLateDue = late.isMany || late.firstLsn < sealBeforeLsn;
    const isLateWished = late.count > 0 && cutBefore > Number.NEGATIVE_INFINITY;
    if (!hasChunks && !isLateDue && !isLateWished) return false;
    if (!this.#closeBatch()) return false;
    const lsn = store.lastLsn;
    const cut = idle.begin(lsn);
    const frozen = late.count > 0 ? late.freeze() : null;
    if (hasChunks) store.cutTime = Math.max(store.cutTime, until);
    const facts = {
      cutTime: hasChunks ? until : this.#facts.cutTime,
      lateLsn: frozen === null ? this.#facts.lateLsn : lsn,
    };
    const tasks: CutTask[] = [];
    const skipped = hasChunks ? until : Number.NaN;
    for (let start = frozen?.firstTime() ?? Number.POSITIVE_INFINITY; Number.isFinite(start);) {
      const end = startOfWindow(start, blockDurationMs) + blockDurationMs;
      if (end !== skipped) {
        const window = { from: end - blockDurationMs, until: end };
        tasks.push({ ...window, hasChunks: false, late: frozen, facts: this.#facts });
      }
      start = frozen!.firstTime(end);
    }
    if (hasChunks) tasks.push({ from, until, hasChunks, late: frozen, facts });
    // The last block says for all: a crash before it finds the facts as they were.
    tasks.push({ ...tasks.pop()!, facts });
    this.#start((pause) => this.#cut(tasks, cut, pause));
    return true;
  }

  async #cut(tasks: readonly CutTask[], cut: number, pause: Pause): Promise<void> {
    const { cutter, set, late, pins, releaser, store, files, settler } = this.#options;
    try {
      for (const task of tasks) {
        const isLast = task === tasks.at(-1);
        if (task.hasChunks) await settler.settleBefore(task.until, pause);
        const block = await cutter.write(task, pause);
        await this.#wishes.commitLog?.(); // Nothing of a batch that a crash could still take back.
        if (block !== null) await publish(block.writer);
        const reader = block === null ? null : await this.#open(block.writer.ulid, pause);
        // From here to the end of the turn: pins see either all of this or nothing.
        if (reader !== null) {
          set.replace([], [reader]);
          this.blocksCut += 1;
          this.#mergeFailed = false;
        }
        if (isLast) {
          this.#facts = task.facts;
          if (late.frozen !== null) late.settle(task.facts.lateLsn);
        }
        if (task.hasChunks) {
          this.floor = task.until;
          files.leave(); // What comes goes to another file, so that this one is spent with its chunks.
        }
        const refs = block?.refs ?? new Uint32Array(0);
        releaser.add({
          refs,
          until: task.hasChunks ? task.until : store.cutTime,
          stamp: pins.stamp(),
          cut,
        });
      }
    } catch (error) {
      late.thaw();
      throw error;
    }
  }

  async #merge(planned: readonly Planned[], pause: Pause): Promise<void> {
    const { disk, blocksDir, storeId, codec, set } = this.#options;
    const blocks = planned.map(({ reader }) => reader);
    const facts = unite(blocks.map(({ meta }) => readFacts(storeId, meta)));
    const extra = factsField(storeId, facts);
    try {
      const writer = await mergeBlocks({ disk, parent: blocksDir, blocks, codec, pause, extra });
      if (writer !== null) await publish(writer);
      const reader = writer === null ? null : await this.#open(writer.ulid, pause);
      set.replace(blocks, reader === null ? [] : [reader]);
      this.blocksMerged += 1;
    } catch (error) {
      this.#mergeFailed = !isStorageError(error, "ABORTED");
      throw error;
    }
  }

  #open(id: string, pause: Pause): Promise<BlockReader> {
    const { disk, blocksDir, codec, cache } = this.#options;
    return openBlock({ disk, dir: `${blocksDir}/${id}`, codec, cache, pause });
  }

  /** Sees to it that no admitted row waits. */
  #closeBatch(): boolean {
    try {
      this.#wishes.closeBatch?.();
    } catch (error) {
      if (!isStorageError(error)) throw error;
    }
    return !this.#options.store.hasWaiting;
  }

  #planned(): Planned[] {
    return this.#options.set.readers.map((reader) => ({
      reader,
      minTime: reader.minTime,
      maxTime: reader.maxTime,
      bytes: reader.bytes,
      series: reader.seriesCount,
      tombstones: reader.tombstones.count,
      isLate: reader.meta.compaction.hints?.includes(LATE_HINT) === true,
    }));
  }
}

/** Gives a block its name, or leaves no trace of it. */
async function publish(writer: BlockWriter): Promise<void> {
  try {
    await writer.publish();
  } catch (error) {
    await writer.abort().catch(() => undefined); // The first error says more.
    throw error;
  }
}

interface Planned extends PlannedBlock {
  readonly reader: BlockReader;
}
