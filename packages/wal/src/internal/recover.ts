import {
  type Descriptor,
  type Disk,
  type RecoveryMode,
  type WalRecovery,
  type WalVisitor,
} from "@varve/contracts";
import { removeTree } from "@varve/disk/transfer";
import { newestCheckpoint, replayCheckpoint } from "./read-checkpoint.ts";
import { corruptError, type Evidence, NOTHING_AFTER } from "./damage.ts";
import { judge } from "./judge.ts";
import { checkpointOf, segmentName, segmentOf } from "./layout.ts";
import type { LogStart } from "./log-writer.ts";
import { cutSegment, renewEnd, SETTLED, settleSegment } from "./mend.ts";
import { COPY_BYTES_MAX, keepCopy, keepFile } from "./quarantine.ts";
import { BATCH, BELIEVE_ALL, BELIEVE_CHAIN, CHECK_ALL, DAMAGE, FILE_END } from "./scan-events.ts";
import { Scan } from "./scan.ts";
import { readHead, textOfStoreId } from "./store-id.ts";

export interface RecoverOptions {
  readonly disk: Disk;
  readonly dir: string;
  readonly quarantineDir: string;
  readonly storeId: Uint8Array;
  readonly mode: RecoveryMode;
  /** The most that is copied of what is cut off; 16 MiB without it. */
  readonly copyBytesMax?: number;
}

/** What recovery found, and where the log goes on. */
export interface Recovered {
  readonly recovery: WalRecovery;
  readonly start: Omit<LogStart, "bytesOnDisk">;
}

/**
 * Reads a log from its newest valid checkpoint on, tells `visit` every record of every whole batch, mends
 * the tail as the mode allows, and makes durable what it kept.
 */
export function recover(options: RecoverOptions, visit: WalVisitor): Recovered {
  return new Recovery(options, visit).run();
}

/** The segment was read to its end, or the segment ends the log, or it is gone. */
type Outcome = "whole" | "last" | "gone";

class Recovery {
  readonly #options: RecoverOptions;
  readonly #disk: Disk;
  readonly #visit: WalVisitor;
  readonly #scan: Scan;
  #records = 0;
  #bytesCut = 0;
  readonly #reasons: string[] = [];
  readonly #quarantined: string[] = [];
  /** The last segment that stays; -1 for none. */
  #last = -1;
  /** Salvage passed damage: the next segment is believed about its number. */
  #hasGap = false;

  constructor(options: RecoverOptions, visit: WalVisitor) {
    this.#options = options;
    this.#disk = options.disk;
    this.#visit = visit;
    this.#scan = new Scan(options);
  }

  run(): Recovered {
    const { disk, dir, mode } = this.#options;
    const names = disk.list(dir);
    for (const name of names) if (isLeftover(name)) removeTree(disk, `${dir}/${name}`);
    const checkpoint = newestCheckpoint({ ...this.#options, names });
    if (checkpoint.refused !== "") this.#reasons.push(checkpoint.refused);
    if (checkpoint.segment >= 0) {
      this.#records += replayCheckpoint(this.#options, checkpoint, this.#visit);
      this.#scan.lsn = checkpoint.lsn;
    }
    const segments = names
      .map(segmentOf)
      .filter((segment) => segment > checkpoint.segment)
      .toSorted((a, b) => a - b);
    this.#segments(segments, checkpoint.segment);
    if (this.#last >= 0) {
      if (this.#scan.ended) renewEnd(disk, this.#path(this.#last), this.#scan.endAt);
      else settleSegment(disk, this.#path(this.#last));
    }
    disk.syncDirectory(dir);
    const isFresh = segments.length === 0 && checkpoint.segment < 0;
    return {
      start: {
        segment: Math.max(this.#last, checkpoint.segment) + 1,
        lsn: this.#scan.lsn,
        chain: this.#scan.chain,
      },
      recovery: {
        mode,
        unclean: !isFresh && !this.#scan.ended,
        segments: segments.length,
        records: this.#records,
        lastLsn: this.#scan.lsn,
        bytesCut: this.#bytesCut,
        cutReason: this.#reasons.join("; "),
        quarantined: this.#quarantined,
      },
    };
  }

  #segments(segments: readonly number[], checkpoint: number): void {
    const { mode } = this.#options;
    let expected = checkpoint + 1;
    // A checkpoint is written only when a later segment exists.
    if (segments.length === 0 && checkpoint >= 0 && mode !== "salvage" && mode !== "pointInTime") {
      throw this.#missing(expected, []);
    }
    for (let i = 0; i < segments.length; i += 1) {
      const segment = segments[i]!;
      if (segment !== expected) {
        if (mode === "pointInTime") {
          this.#reasons.push(`segment ${segmentName(expected)} is missing`);
          this.#setAside(segments.slice(i));
          return;
        }
        if (mode !== "salvage") throw this.#missing(expected, segments.slice(i));
        this.#hasGap = true;
      }
      const belief = this.#hasGap
        ? BELIEVE_ALL
        : i === 0 && checkpoint >= 0
          ? BELIEVE_CHAIN
          : CHECK_ALL;
      const outcome = this.#segment(segment, segments.slice(i + 1), belief);
      if (outcome !== "gone") this.#last = segment;
      if (outcome !== "whole") return;
      expected = segment + 1;
    }
  }

  #segment(segment: number, later: readonly number[], belief: number): Outcome {
    const scan = this.#scan;
    const path = this.#path(segment);
    const fd = this.#disk.open(path, "read");
    try {
      scan.open(fd, path, belief);
      this.#hasGap = false;
      for (;;) {
        const event = scan.next();
        if (event === BATCH) {
          this.#deliver();
        } else if (event === DAMAGE || (event === FILE_END && !scan.isWhole && !scan.isAdrift)) {
          const outcome = this.#damaged(segment, later, fd, event === FILE_END);
          if (outcome !== "whole") return outcome;
          this.#hasGap = true;
          if (event === FILE_END) break;
          scan.drift();
        } else if (event === FILE_END) {
          break;
        }
      }
      return "whole";
    } finally {
      this.#disk.close(fd);
    }
  }

  #deliver(): void {
    const { batch, lsn } = this.#scan;
    const visit = this.#visit;
    let from = 0;
    for (let i = 0; i < batch.count; i += 1) {
      const until = batch.ends[i]!;
      visit(batch.bytes, from, until, lsn);
      from = until;
    }
    this.#records += batch.count;
  }

  /** Decides about damage: throws, cuts, or says ("whole") to go on behind it. */
  #damaged(segment: number, later: readonly number[], fd: Descriptor, atEnd: boolean): Outcome {
    const { disk, storeId, mode } = this.#options;
    const path = this.#path(segment);
    const isLast = later.length === 0;
    const finding = { disk, storeId, path, segment, fd, isLast, atEnd };
    const { fault, evidence, isTorn } = judge(this.#scan, finding);
    if (mode === "strict" || (mode === "tail" && !isTorn)) {
      throw corruptError(path, fault, this.#withLater(evidence, later), !isLast);
    }
    this.#reasons.push(`${path}@${fault.offset}: ${fault.text}`);
    if (mode === "salvage" && !isTorn) return "whole";
    const outcome = this.#cut(segment, fd);
    if (!isLast) this.#setAside(later);
    return outcome;
  }

  /** Cuts the segment behind its last whole batch, after a copy of what goes. */
  #cut(segment: number, fd: Descriptor): Outcome {
    const { dir, quarantineDir, copyBytesMax = COPY_BYTES_MAX } = this.#options;
    const disk = this.#disk;
    const { good, hasHead, reader } = this.#scan;
    const path = this.#path(segment);
    this.#bytesCut += reader.size - good;
    if (!hasHead) {
      // It holds nothing, and its number is used again.
      if (reader.size === 0) disk.unlink(path);
      else this.#quarantined.push(keepFile(disk, quarantineDir, path, segmentName(segment)));
      disk.syncDirectory(dir);
      return "gone";
    }
    const copy = keepCopy(disk, quarantineDir, segmentName(segment), {
      fd,
      from: good,
      until: reader.size,
      bytesMax: copyBytesMax,
    });
    if (copy !== "") this.#quarantined.push(copy);
    cutSegment(disk, path, good);
    return "last";
  }

  /** Moves segments away whole. */
  #setAside(segments: readonly number[]): void {
    const { dir, quarantineDir } = this.#options;
    for (const segment of segments) {
      const name = segmentName(segment);
      this.#quarantined.push(keepFile(this.#disk, quarantineDir, this.#path(segment), name));
    }
    this.#disk.syncDirectory(dir);
  }

  #path(segment: number): string {
    return `${this.#options.dir}/${segmentName(segment)}`;
  }

  /** Each segment was made only after all before it was durable: the first that says where it begins is a witness. */
  #withLater(evidence: Evidence, later: readonly number[]): Evidence {
    const { disk, storeId } = this.#options;
    const ours = textOfStoreId(storeId);
    for (const segment of later) {
      const head = readHead(disk, this.#path(segment));
      if (head?.storeId !== ours) continue;
      return { ...evidence, durable: Math.max(evidence.durable, head.firstLsn - 1) };
    }
    return evidence;
  }

  #missing(segment: number, later: readonly number[]): Error {
    const fault = {
      segment,
      kind: "missing",
      text: "the segment is missing",
      offset: 0,
      lsnExpected: this.#scan.lsn + 1,
    } as const;
    const evidence = this.#withLater(NOTHING_AFTER, later);
    return corruptError(this.#path(segment), fault, evidence, true);
  }
}

/** A checkpoint or a segment that was being written anew when its process ended. */
function isLeftover(name: string): boolean {
  if (!name.endsWith(SETTLED)) return false;
  const whole = name.slice(0, -SETTLED.length);
  return segmentOf(whole) >= 0 || checkpointOf(whole) >= 0;
}
