import {
  type Descriptor,
  type Disk,
  type RecoveryMode,
  type WalRecovery,
  type WalVisitor,
} from "@varve/contracts";
import { removeTree } from "@varve/disk/transfer";
import { newestCheckpoint, replayCheckpoint } from "./checkpoint.ts";
import { corruptError, NOTHING_AFTER, type Evidence } from "./damage.ts";
import { SEGMENT_HEAD_BYTES, segmentName, segmentOf } from "./layout.ts";
import type { LogStart } from "./log-writer.ts";
import { cutSegment, settleSegment } from "./mend.ts";
import { keepCopy, keepFile } from "./quarantine.ts";
import {
  BATCH,
  BELIEVE_ALL,
  BELIEVE_CHAIN,
  CHECK_ALL,
  DAMAGE,
  FILE_END,
  LANDED,
} from "./scan-events.ts";
import { Scan } from "./scan.ts";

export interface RecoverOptions {
  readonly disk: Disk;
  readonly dir: string;
  readonly quarantineDir: string;
  readonly storeId: Uint8Array;
  readonly mode: RecoveryMode;
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
  /** Where its bytes end that are known to be on the device. */
  #durableEnd = 0;
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
    for (const name of names) {
      if (name.startsWith("checkpoint.") && name.endsWith(".tmp"))
        removeTree(disk, `${dir}/${name}`);
    }
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
    if (this.#last >= 0) settleSegment(disk, this.#path(this.#last), this.#durableEnd);
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
      throw this.#missing(expected);
    }
    for (let i = 0; i < segments.length; i += 1) {
      const segment = segments[i]!;
      if (segment !== expected) {
        if (mode === "pointInTime") {
          this.#reasons.push(`segment ${segmentName(expected)} is missing`);
          this.#setAside(segments.slice(i));
          return;
        }
        if (mode !== "salvage") throw this.#missing(expected);
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
      this.#durableEnd = scan.durableEnd;
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
    const scan = this.#scan;
    const { mode } = this.#options;
    const fault = {
      segment,
      kind: atEnd ? "length" : scan.faultKind,
      text: atEnd ? this.#endText() : scan.faultText,
      offset: atEnd ? scan.good : scan.faultOffset,
      lsnExpected: scan.lsn + 1,
    } as const;
    const evidence = this.#lookAhead(segment, fd);
    // A segment's first record was durable before anything followed it.
    const isHeadLost = !scan.hasHead && scan.reader.size > SEGMENT_HEAD_BYTES;
    const isTorn = later.length === 0 && !isHeadLost && evidence.durable < fault.lsnExpected;
    if (mode === "strict" || (mode === "tail" && !isTorn)) {
      throw corruptError(this.#path(segment), fault, evidence, later.length > 0);
    }
    this.#reasons.push(`${this.#path(segment)}@${fault.offset}: ${fault.text}`);
    if (mode === "salvage" && !isTorn) return "whole";
    const outcome = this.#cut(segment, fd);
    if (later.length > 0) this.#setAside(later);
    return outcome;
  }

  #endText(): string {
    const scan = this.#scan;
    if (!scan.hasHead) return "the segment is empty";
    return scan.isOpen ? "the log ends within a batch" : "zeros follow the last batch";
  }

  /** Reads on behind the damage, to learn what was durable when it was written. */
  #lookAhead(segment: number, fd: Descriptor): Evidence {
    const known = this.#scan.lsn;
    const scan = new Scan(this.#options);
    scan.open(fd, this.#path(segment), BELIEVE_ALL);
    let firstLsn = 0;
    let lastLsn = 0;
    for (let event = scan.next(); event !== FILE_END; event = scan.next()) {
      if (event === DAMAGE) scan.drift();
      else if (scan.lsn > known) {
        if (firstLsn === 0 && event !== LANDED) firstLsn = scan.lsn;
        lastLsn = scan.lsn;
      }
    }
    return { durable: scan.durableSeen, firstLsn, lastLsn };
  }

  /** Cuts the segment behind its last whole batch, after a copy of what goes. */
  #cut(segment: number, fd: Descriptor): Outcome {
    const { dir, quarantineDir } = this.#options;
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
    });
    if (copy !== "") this.#quarantined.push(copy);
    cutSegment(disk, path, good);
    this.#durableEnd = this.#scan.durableEnd;
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

  #missing(segment: number): Error {
    const fault = {
      segment,
      kind: "missing",
      text: "the segment is missing",
      offset: 0,
      lsnExpected: this.#scan.lsn + 1,
    } as const;
    return corruptError(this.#path(segment), fault, NOTHING_AFTER, true);
  }
}
