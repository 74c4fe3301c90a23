import { noPause, type Disk, type Lsn, type Pause, type WalVisitor } from "@varve/contracts";
import { checkpointOf, segmentName, segmentOf } from "./layout.ts";
import {
  Tally,
  type CheckpointReport,
  type LogDamage,
  type LogReport,
  type LogTally,
  type SegmentReport,
} from "./log-report.ts";
import { checkpointPath } from "./read-checkpoint.ts";
import type { Scan } from "./scan.ts";
import { bytesOfStoreId, readHead } from "./store-id.ts";
import { walkCheckpoint } from "./walk-checkpoint.ts";
import { walkSegments, type FoundDamage, type SegmentEnd, type WalkEvents } from "./walk.ts";

export interface InspectLogOptions {
  readonly disk: Disk;
  /** The log's directory. */
  readonly dir: string;
  /** 32 hex digits. Without it, the id that most files of the log carry counts. */
  readonly storeId?: string;
  /** Is told every record of every whole batch, oldest first, as replay in the mode `salvage` would tell them. */
  readonly onRecord?: WalVisitor;
  readonly pause?: Pause;
}

/** Damage whose consequences are not all known yet. */
interface OpenDamage extends FoundDamage {
  lastLost: Lsn | "unknown";
  /** It is a checkpoint's, so all of it was durable. */
  readonly isCheckpoint: boolean;
  readonly isMended: boolean;
}

/** Reads a log from its checkpoint on, past all damage, and gathers the report. */
export class Inspection implements WalkEvents {
  readonly #options: InspectLogOptions;
  readonly #storeId: string;
  readonly #names: readonly string[];
  readonly #checkpoints: CheckpointReport[] = [];
  readonly #segments: SegmentReport[] = [];
  readonly #damage: OpenDamage[] = [];
  readonly #total = new Tally();
  #beforeDamage: LogTally | undefined;
  #bytes = 0;
  /** The segment that is being read. */
  #segment = { number: 0, file: "", bytes: 0 };
  #tally = new Tally();
  /** The checkpoint that the log begins with: the segment that it stands for, its last batch. */
  #used = -1;
  #usedLsn: Lsn = 0;

  constructor(options: InspectLogOptions) {
    this.#options = options;
    this.#names = options.disk.list(options.dir);
    this.#storeId = (options.storeId ?? this.#commonStoreId()).toLowerCase();
  }

  async run(): Promise<LogReport> {
    const { disk, dir, pause = noPause } = this.#options;
    // Files without an intact first record tell no id: none can differ from this one.
    const storeId = bytesOfStoreId(this.#storeId === "" ? "0".repeat(32) : this.#storeId);
    await this.#readCheckpoints(storeId);
    const [checkpoint, lsn] = [this.#used, this.#usedLsn];
    const segments = sortedNumbers(this.#names, segmentOf);
    for (const segment of segments) if (segment <= checkpoint) this.#addCovered(segment);
    const after = segments.filter((segment) => segment > checkpoint);
    const walk = { disk, dir, storeId, checkpoint, lsn, segments: after, pause };
    const scan = await walkSegments(walk, this);
    return {
      dir,
      storeId: this.#storeId,
      checkpoints: this.#checkpoints,
      segments: this.#segments,
      damage: this.#damage.map((damage) => conclude(damage, scan.durableSeen)),
      ...this.#total.copy(),
      bytes: this.#bytes,
      durableLsn: Math.max(lsn, scan.durableSeen),
      isClosed: scan.ended,
      opens: this.#damage.every((damage) => damage.isMended),
      beforeDamage: this.#beforeDamage ?? this.#total.copy(),
    };
  }

  begin(segment: number, file: string, bytes: number): void {
    this.#segment = { number: segment, file, bytes };
    this.#tally = new Tally();
    this.#bytes += bytes;
  }

  batch(scan: Scan): void {
    const { batch, lsn } = scan;
    const { onRecord } = this.#options;
    let from = 0;
    for (let i = 0; i < batch.count; i += 1) {
      const until = batch.ends[i]!;
      this.#tally.record(batch.bytes, from, until);
      this.#total.record(batch.bytes, from, until);
      onRecord?.(batch.bytes, from, until, lsn);
      from = until;
    }
    this.#tally.batch(lsn);
    this.#total.batch(lsn);
  }

  damage(found: FoundDamage): void {
    this.#note({ ...found, lastLost: "unknown", isCheckpoint: false, isMended: found.isTorn });
  }

  passed(lsn: Lsn): void {
    for (let i = this.#damage.length - 1; i >= 0; i -= 1) {
      const damage = this.#damage[i]!;
      if (damage.lastLost !== "unknown") break;
      damage.lastLost = Math.max(lsn, damage.fault.lsnExpected - 1);
    }
  }

  end(ends: SegmentEnd, scan: Scan): void {
    const { number: segment, file, bytes } = this.#segment;
    this.#segments.push({
      file,
      segment,
      bytes,
      ends,
      endsAt: scan.good,
      ...this.#tally.copy(),
    });
  }

  #note(damage: OpenDamage): void {
    if (!damage.isMended) this.#beforeDamage ??= this.#total.copy();
    this.#damage.push(damage);
  }

  async #readCheckpoints(storeId: Uint8Array): Promise<void> {
    const { dir } = this.#options;
    const refused: { readonly segment: number; readonly scan: Scan }[] = [];
    for (const segment of sortedNumbers(this.#names, checkpointOf).toReversed()) {
      if (this.#used >= 0) {
        this.#addCheckpoint(segment, "older", new Tally());
        continue;
      }
      const { isWhole, scan, tally } = await this.#readCheckpoint(segment, storeId);
      this.#addCheckpoint(segment, isWhole ? "used" : "damaged", tally);
      if (!isWhole) refused.push({ segment, scan });
      else [this.#used, this.#usedLsn] = [segment, scan.lsn];
    }
    // An older one stands in, or the segments themselves where none was deleted yet.
    const isMended = this.#used >= 0 || this.#names.includes(segmentName(0));
    for (const { segment, scan } of refused) {
      const { faultKind: kind, faultText: text, faultOffset: offset } = scan;
      const fault = { segment, kind, text, offset, lsnExpected: 1 };
      this.#note({
        path: checkpointPath(dir, segment),
        fault,
        durable: 0,
        isTorn: false,
        lastLost: isMended ? 0 : "unknown",
        isCheckpoint: true,
        isMended,
      });
    }
    const used = this.#checkpoints.find((each) => each.state === "used");
    if (used !== undefined) await this.#tell(used, storeId);
  }

  async #readCheckpoint(segment: number, storeId: Uint8Array) {
    const { disk, dir, pause = noPause } = this.#options;
    const tally = new Tally();
    const walked = await walkCheckpoint(
      { disk, dir, storeId, segment, pause },
      {
        record: ({ batch }) => tally.record(batch.bytes, 0, batch.length),
        batch: ({ lsn }) => tally.batch(lsn),
      },
    );
    return { ...walked, tally };
  }

  /** Counts the checkpoint that the log begins with, and tells its records, which were found whole. */
  async #tell(used: CheckpointReport, storeId: Uint8Array): Promise<void> {
    this.#total.add(used);
    const { disk, dir, pause = noPause, onRecord } = this.#options;
    if (onRecord === undefined) return;
    await walkCheckpoint(
      { disk, dir, storeId, segment: used.segment, pause },
      {
        record: ({ batch, lsn }) => onRecord(batch.bytes, 0, batch.length, lsn + 1),
        batch: () => undefined,
      },
    );
  }

  #addCheckpoint(segment: number, state: CheckpointReport["state"], tally: Tally): void {
    const file = checkpointPath(this.#options.dir, segment);
    const bytes = this.#sizeOf(file);
    this.#checkpoints.push({ file, segment, bytes, state, ...tally.copy() });
    this.#bytes += bytes;
  }

  #addCovered(segment: number): void {
    const file = `${this.#options.dir}/${segmentName(segment)}`;
    const bytes = this.#sizeOf(file);
    this.#segments.push({
      file,
      segment,
      bytes,
      ends: "covered",
      endsAt: 0,
      ...new Tally().copy(),
    });
    this.#bytes += bytes;
  }

  #sizeOf(path: string): number {
    const { disk } = this.#options;
    if (disk.kind(path) !== "file") return 0;
    const fd = disk.open(path, "read");
    try {
      return disk.size(fd);
    } finally {
      disk.close(fd);
    }
  }

  /** The id that most files of the log carry; empty if none can be read. */
  #commonStoreId(): string {
    const { disk, dir } = this.#options;
    const counts = new Map<string, number>();
    for (const name of this.#names) {
      const checkpoint = checkpointOf(name);
      if (checkpoint < 0 && segmentOf(name) < 0) continue;
      const path = checkpoint < 0 ? `${dir}/${name}` : checkpointPath(dir, checkpoint);
      const head = disk.kind(path) === "file" ? readHead(disk, path) : undefined;
      if (head !== undefined) counts.set(head.storeId, (counts.get(head.storeId) ?? 0) + 1);
    }
    const [most] = [...counts].toSorted((a, b) => b[1] - a[1]);
    return most?.[0] ?? "";
  }
}

function sortedNumbers(names: readonly string[], numberOf: (name: string) => number): number[] {
  return names
    .map(numberOf)
    .filter((number) => number >= 0)
    .toSorted((a, b) => a - b);
}

/** Says what damage means, now that the log was read to its end. */
function conclude(damage: OpenDamage, durableSeen: Lsn): LogDamage {
  const { fault, path, lastLost, isMended } = damage;
  const { kind, offset, segment, lsnExpected } = fault;
  const isNothingLost = lastLost !== "unknown" && lastLost < lsnExpected;
  const wasDurable = damage.isCheckpoint || Math.max(damage.durable, durableSeen) >= lsnExpected;
  return {
    file: path,
    offset,
    kind,
    segment,
    lsnExpected,
    lastLost,
    message: `${path}@${offset}: ${fault.text}, at batch ${lsnExpected}`,
    ackedDataAffected: isNothingLost ? false : wasDurable ? true : "unknown",
    isMendedAtOpen: isMended,
  };
}
