import { isStorageError, type Descriptor, type Disk, type Lsn, type Pause } from "@varve/contracts";
import type { Fault } from "./damage.ts";
import { judge } from "./judge.ts";
import { segmentName } from "./layout.ts";
import {
  BATCH,
  BELIEVE_ALL,
  BELIEVE_CHAIN,
  CHECK_ALL,
  DAMAGE,
  FILE_END,
  LANDED,
  LOG_END,
} from "./scan-events.ts";
import { Scan } from "./scan.ts";
import { readHead, textOfStoreId } from "./store-id.ts";
import { SLICE_BYTES } from "./turn.ts";

/** Read before the caller is asked whether others should have a turn, in bytes. */
const PIECE_BYTES = SLICE_BYTES / 4;

/**
 * How a segment ends: with the log's end record, with a whole batch, within a write; or it is damaged, or another
 * store's.
 */
export type SegmentEnd = "closed" | "whole" | "torn" | "damaged" | "foreign";

/** Damage as a walk finds it. */
export interface FoundDamage {
  readonly path: string;
  readonly fault: Fault;
  /** Highest batch that records behind it in the same file say was durable. */
  readonly durable: Lsn;
  /** A write that a crash interrupted explains it: recovery cuts it off. */
  readonly isTorn: boolean;
}

/** What a walk tells, in the order of the log. Views of the scan are valid during the call only. */
export interface WalkEvents {
  begin(segment: number, path: string, bytes: number): void;
  /** `scan.batch` is batch `scan.lsn`. */
  batch(scan: Scan): void;
  damage(damage: FoundDamage): void;
  /** Batches up to `lsn` were told or are lost: what comes next is later. */
  passed(lsn: Lsn): void;
  end(end: SegmentEnd, scan: Scan): void;
}

export interface WalkOptions {
  readonly disk: Disk;
  readonly dir: string;
  readonly storeId: Uint8Array;
  /** The checkpoint to begin after; -1 for none. */
  readonly checkpoint: number;
  /** The last batch that it stands for. */
  readonly lsn: Lsn;
  /** Numbers of the segments after the checkpoint, in order. */
  readonly segments: readonly number[];
  /** The last segment to read. */
  readonly until?: number;
  readonly pause: Pause;
}

/**
 * Reads segments as salvage does, past all damage, and changes nothing. Answers the scan: its last batch, its highest
 * durable batch, whether the log was closed.
 */
export async function walkSegments(options: WalkOptions, events: WalkEvents): Promise<Scan> {
  const walk = new Walk(options, events);
  await walk.run();
  return walk.scan;
}

class Walk {
  readonly scan: Scan;
  readonly #options: WalkOptions;
  readonly #events: WalkEvents;
  readonly #storeId: string;
  #hasGap = false;

  constructor(options: WalkOptions, events: WalkEvents) {
    this.#options = options;
    this.#events = events;
    this.scan = new Scan(options);
    this.scan.lsn = options.lsn;
    this.#storeId = textOfStoreId(options.storeId);
  }

  async run(): Promise<void> {
    const { checkpoint, segments, until = Number.MAX_SAFE_INTEGER } = this.#options;
    let expected = checkpoint + 1;
    // A checkpoint is written only when a later segment exists.
    if (segments.length === 0 && checkpoint >= 0) this.#missing(expected, expected);
    for (let i = 0; i < segments.length && segments[i]! <= until; i += 1) {
      const segment = segments[i]!;
      if (segment !== expected) this.#missing(expected, segment - 1);
      expected = segment + 1;
      const belief = i === 0 && checkpoint >= 0 ? BELIEVE_CHAIN : CHECK_ALL;
      await this.#segment(segment, i === segments.length - 1, belief);
    }
  }

  async #segment(segment: number, isLast: boolean, belief: number): Promise<void> {
    const { disk, storeId } = this.#options;
    const { scan } = this;
    const path = this.#path(segment);
    const head = readHead(disk, path);
    const fd = disk.open(path, "read");
    try {
      this.#events.begin(segment, path, disk.size(fd));
      if (head !== undefined && head.storeId !== this.#storeId) {
        this.#foreign(segment, path);
        return;
      }
      // The one before was durable when this one was made.
      if (head !== undefined) scan.durableSeen = Math.max(scan.durableSeen, head.firstLsn - 1);
      if (head !== undefined && this.#hasGap) this.#events.passed(head.firstLsn - 1);
      scan.open(fd, path, this.#hasGap ? BELIEVE_ALL : belief);
      this.#hasGap = false;
      const finding = { disk, storeId, path, segment, fd, isLast };
      this.#events.end(await this.#read(finding), scan);
    } catch (error) {
      // The scan refuses a first record of another store that does not lie where it belongs.
      if (!isStorageError(error, "WAL_CORRUPT")) throw error;
      this.#foreign(segment, path);
    } finally {
      disk.close(fd);
    }
  }

  async #read(finding: {
    readonly disk: Disk;
    readonly storeId: Uint8Array;
    readonly path: string;
    readonly segment: number;
    readonly fd: Descriptor;
    readonly isLast: boolean;
  }): Promise<SegmentEnd> {
    const { scan } = this;
    const { pause } = this.#options;
    let isDamaged = false;
    let pieceEnd = PIECE_BYTES;
    for (;;) {
      if (scan.reader.position >= pieceEnd) {
        pieceEnd = scan.reader.position + PIECE_BYTES;
        const waiting = pause();
        if (waiting !== undefined) await waiting;
      }
      const event = scan.next();
      if (event === BATCH) {
        this.#events.passed(scan.lsn - 1);
        this.#events.batch(scan);
      } else if (event === LANDED || event === LOG_END) {
        this.#events.passed(scan.lsn);
      } else if (event === DAMAGE || (event === FILE_END && !scan.isWhole && !scan.isAdrift)) {
        const atEnd = event === FILE_END;
        const { fault, evidence, isTorn } = judge(scan, { ...finding, atEnd });
        const { durable } = evidence;
        this.#events.damage({ path: finding.path, fault, durable, isTorn });
        if (isTorn) return isDamaged ? "damaged" : "torn";
        isDamaged = true;
        this.#hasGap = true;
        if (atEnd) return "damaged";
        scan.drift();
      } else if (event === FILE_END) {
        if (isDamaged) return "damaged";
        return scan.ended ? "closed" : "whole";
      }
    }
  }

  #foreign(segment: number, path: string): void {
    this.#hasGap = true;
    const text = "the segment belongs to another store";
    this.#damage(path, { segment, kind: "header", text });
    this.#events.end("foreign", this.scan);
  }

  #missing(from: number, until: number): void {
    this.#hasGap = true;
    const text =
      from === until
        ? "the segment is missing"
        : `segments ${segmentName(from)} to ${segmentName(until)} are missing`;
    this.#damage(this.#path(from), { segment: until, kind: "missing", text });
  }

  #damage(path: string, what: Pick<Fault, "segment" | "kind" | "text">): void {
    const fault = { ...what, offset: 0, lsnExpected: this.scan.lsn + 1 };
    this.#events.damage({ path, fault, durable: 0, isTorn: false });
  }

  #path(segment: number): string {
    return `${this.#options.dir}/${segmentName(segment)}`;
  }
}
