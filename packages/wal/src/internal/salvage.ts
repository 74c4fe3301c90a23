import { makeRecordBuffer } from "@varve/bytes";
import { noPause, type Disk, type Lsn, type Pause, type RecordBuffer } from "@varve/contracts";
import { removeTree } from "@varve/disk/transfer";
import { CheckpointFile } from "./checkpoint.ts";
import { segmentName } from "./layout.ts";
import type { LogReport } from "./log-report.ts";
import { checkpointPath } from "./read-checkpoint.ts";
import type { Scan } from "./scan.ts";
import { readHead } from "./store-id.ts";
import { walkCheckpoint } from "./walk-checkpoint.ts";
import { walkSegments } from "./walk.ts";

export interface SalvageOptions {
  readonly disk: Disk;
  readonly dir: string;
  readonly storeId: Uint8Array;
  readonly report: LogReport;
  /** The segment up to which the log is rewritten. */
  readonly segment: number;
  /** The directory to write, which becomes a checkpoint by a rename. */
  readonly aside: string;
  readonly pause?: Pause;
}

/**
 * Writes what is sound up to a segment as a checkpoint's file, durably: every whole batch under its own number, and an
 * empty batch for each that is lost, so that what follows still fits. False, and nothing written, if nothing is sound.
 *
 * Of a damaged checkpoint that nothing stands in for, the records before the damage are taken: each is whole by itself,
 * and names a series that later batches are about.
 */
export async function writeSalvage(options: SalvageOptions): Promise<boolean> {
  const { disk, dir, storeId, report, segment, aside, pause = noPause } = options;
  removeTree(disk, aside);
  disk.makeDirectory(aside);
  const file = new SalvageFile(disk, `${aside}/${segmentName(0)}`, storeId);
  try {
    const { checkpoints, segments } = report;
    const used = checkpoints.find((each) => each.state === "used");
    const source = used ?? checkpoints.find((each) => isAllThereIs(options, each.segment));
    if (source !== undefined) {
      const place = { disk, dir, storeId, segment: source.segment, pause };
      await walkCheckpoint(place, file);
      file.endCheckpoint();
    }
    const checkpoint = used?.segment ?? -1;
    const after = segments.map((each) => each.segment).filter((each) => each > checkpoint);
    const [lsn, until] = [used?.lastLsn ?? 0, segment];
    const walk = { disk, dir, storeId, checkpoint, lsn, segments: after, until, pause };
    await walkSegments(walk, {
      begin: ignore,
      batch: (scan) => file.whole(scan.batch, scan.lsn),
      damage: ignore,
      passed: ignore,
      end: ignore,
    });
    const next = segments.find((each) => each.segment > segment);
    const head = next === undefined ? undefined : readHead(disk, next.file);
    if (head !== undefined) file.fill(head.firstLsn - 1);
    return await file.finish();
  } finally {
    file.close();
  }
}

const ignore = (): void => undefined;

/** Whether nothing stands in for a damaged checkpoint, and its number is intact. */
function isAllThereIs(options: SalvageOptions, segment: number): boolean {
  const { disk, dir, report } = options;
  if (report.segments.some((each) => each.segment === 0)) return false;
  const path = checkpointPath(dir, segment);
  if (disk.kind(path) !== "file") return false;
  return readHead(disk, path)?.storeId === report.storeId;
}

class SalvageFile {
  readonly #file: CheckpointFile;
  readonly #disk: Disk;
  readonly #storeId: Uint8Array;
  #hasHead = false;
  /** Last batch written. */
  #lsn: Lsn = 0;
  /** The batch that stands for all before it, while its records come one by one. */
  #open: Lsn = 0;
  #openRecords = 0;
  /** Records of a later batch, until it is whole. */
  readonly #pending = makeRecordBuffer();

  constructor(disk: Disk, path: string, storeId: Uint8Array) {
    this.#disk = disk;
    this.#storeId = storeId;
    this.#file = new CheckpointFile(disk, path);
  }

  /** Takes a record of a checkpoint. Those of its first batch may be more than fit in memory. */
  record(scan: Scan): void {
    const { batch, lsn } = scan;
    if (!this.#hasHead) {
      this.#begin(lsn + 1);
      this.#open = lsn + 1;
    }
    if (lsn + 1 === this.#open) {
      this.#file.records(batch);
      this.#openRecords += 1;
      return;
    }
    const { length } = batch;
    this.#pending.reserve(length);
    this.#pending.bytes.set(batch.bytes.subarray(0, length), this.#pending.length);
    this.#pending.length += length;
    this.#pending.endRecord();
  }

  /** A batch of a checkpoint is whole. */
  batch(scan: Scan): void {
    if (scan.lsn === this.#open) this.endCheckpoint();
    else this.whole(this.#pending, scan.lsn);
    this.#pending.clear();
  }

  /** Closes the batch that stands for all before it, whole or not. */
  endCheckpoint(): void {
    if (this.#open === 0) return;
    this.#file.commit(this.#openRecords, this.#open);
    this.#lsn = this.#open;
    this.#open = 0;
  }

  /** Writes a whole batch, unless the checkpoint stands for it. */
  whole(records: RecordBuffer, lsn: Lsn): void {
    if (lsn <= this.#lsn) return;
    this.#begin(lsn);
    this.#file.records(records);
    this.#file.commit(records.count, lsn);
    this.#lsn = lsn;
  }

  /** Writes empty batches up to `lsn`. */
  fill(lsn: Lsn): void {
    if (lsn <= this.#lsn) return;
    this.#begin(lsn);
    this.#file.commit(0, lsn);
    this.#lsn = lsn;
  }

  async finish(): Promise<boolean> {
    if (!this.#hasHead) return false;
    await this.#file.finish(this.#lsn);
    return true;
  }

  close(): void {
    this.#disk.close(this.#file.fd);
  }

  /** The next batch written is `lsn`: begins the file with it, or fills the gap before it. */
  #begin(lsn: Lsn): void {
    if (!this.#hasHead) {
      this.#hasHead = true;
      this.#file.head(this.#storeId, lsn);
      this.#lsn = lsn - 1;
    }
    while (this.#lsn < lsn - 1) {
      this.#lsn += 1;
      this.#file.commit(0, this.#lsn);
    }
  }
}
