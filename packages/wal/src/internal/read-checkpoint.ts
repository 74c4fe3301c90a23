import {
  StorageError,
  type Disk,
  type Lsn,
  type RecoveryMode,
  type WalVisitor,
} from "@varve/contracts";
import type { CheckpointPlace } from "./checkpoint.ts";
import { checkpointName, checkpointOf, segmentName } from "./layout.ts";
import { BATCH, BELIEVE_ALL, DAMAGE, FILE_END, LOG_END, RECORD } from "./scan-events.ts";
import { Scan } from "./scan.ts";

/** A checkpoint that was found. */
export interface FoundCheckpoint {
  /** It stands for this segment and all before it; -1 for none. */
  readonly segment: number;
  /** The last batch it stands for. */
  readonly lsn: Lsn;
  /** What was wrong with a newer one; empty if nothing. */
  readonly refused: string;
}

/** Finds the newest checkpoint that is whole. An older one stands in for a damaged one where the mode allows it. */
export function newestCheckpoint(
  options: CheckpointPlace & { readonly mode: RecoveryMode; readonly names: readonly string[] },
): FoundCheckpoint {
  const { disk, dir, mode, names } = options;
  const segments = names
    .map(checkpointOf)
    .filter((segment) => segment >= 0)
    .toSorted((a, b) => b - a);
  let refused = "";
  for (const segment of segments) {
    const scan = new Scan({ ...options, each: true });
    const path = checkpointPath(dir, segment);
    if (readCheckpoint(disk, path, scan, () => undefined)) {
      return { segment, lsn: scan.lsn, refused };
    }
    if (mode === "strict") throw damagedCheckpoint(path, scan);
    refused ||= `${path}@${scan.faultOffset}: ${scan.faultText}`;
  }
  // Without any checkpoint the log is whole only from its first segment on.
  if (refused !== "" && !names.includes(segmentName(0)) && mode === "tail") {
    throw corruptCheckpoint(refused, `${dir}/${checkpointName(segments[0]!)}`);
  }
  return { segment: -1, lsn: 0, refused };
}

/** Tells the records of a checkpoint that `newestCheckpoint` found whole, and answers how many there were. */
export function replayCheckpoint(
  place: CheckpointPlace,
  checkpoint: FoundCheckpoint,
  visit: WalVisitor,
): number {
  const scan = new Scan({ ...place, each: true });
  const path = checkpointPath(place.dir, checkpoint.segment);
  let records = 0;
  const isWhole = readCheckpoint(place.disk, path, scan, () => {
    visit(scan.batch.bytes, 0, scan.batch.length, scan.lsn + 1);
    records += 1;
  });
  if (!isWhole) throw damagedCheckpoint(path, scan); // It changed between the two readings.
  return records;
}

/** Reads a checkpoint's file from its first record to its end record. False if anything is wrong with it. */
function readCheckpoint(disk: Disk, path: string, scan: Scan, record: () => void): boolean {
  if (!isThere(disk, path, scan)) return false;
  const fd = disk.open(path, "read");
  try {
    scan.open(fd, path, BELIEVE_ALL);
    for (;;) {
      const event = stepCheckpoint(scan);
      if (event === RECORD) record();
      else if (event !== BATCH && event !== LOG_END) return event === FILE_END;
    }
  } finally {
    disk.close(fd);
  }
}

/** Whether a checkpoint has its file. If not, the scan says so as its fault. */
export function isThere(disk: Disk, path: string, scan: Scan): boolean {
  // Through a symbolic link in place of its directory there may be a file as well, but not ours.
  const parent = path.slice(0, path.lastIndexOf("/"));
  if (disk.kind(parent) === "directory" && disk.kind(path) === "file") return true;
  scan.faultKind = "missing";
  scan.faultText = "the checkpoint's file is missing";
  return false;
}

/** A scan's next event in a checkpoint's file, where an end that comes too early is DAMAGE as well. */
export function stepCheckpoint(scan: Scan): number {
  const event = scan.next();
  if (event !== FILE_END || (scan.ended && scan.isWhole)) return event;
  scan.faultKind = "length";
  scan.faultText = "the checkpoint has no end";
  scan.faultOffset = scan.reader.size;
  return DAMAGE;
}

/** The path of a checkpoint's one file. */
export function checkpointPath(dir: string, segment: number): string {
  return `${dir}/${checkpointName(segment)}/${segmentName(0)}`;
}

/** Says what is wrong with a checkpoint, as WAL_CORRUPT. */
export function damagedCheckpoint(path: string, scan: Scan): StorageError {
  return corruptCheckpoint(`${path}@${scan.faultOffset}: ${scan.faultText}`, path, scan);
}

function corruptCheckpoint(what: string, path: string, scan?: Scan): StorageError {
  return new StorageError(
    "WAL_CORRUPT",
    `${what}; the checkpoint cannot stand for the segments it replaced; later segments may be intact; ` +
      'copy the directory, then open it with recovery: "salvage"',
    {
      facts: {
        path,
        segment: 0,
        offset: scan?.faultOffset ?? 0,
        kind: scan?.faultKind ?? "missing",
        lsnExpected: (scan?.lsn ?? 0) + 1,
      },
    },
  );
}
