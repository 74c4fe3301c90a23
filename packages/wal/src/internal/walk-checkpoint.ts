import type { Disk, Pause } from "@varve/contracts";
import { checkpointPath, isThere, stepCheckpoint } from "./read-checkpoint.ts";
import { BATCH, BELIEVE_ALL, FILE_END, LOG_END, RECORD } from "./scan-events.ts";
import { Scan } from "./scan.ts";
import { readHead, textOfStoreId } from "./store-id.ts";
import { SLICE_BYTES } from "./turn.ts";

/** Read before the caller is asked whether others should have a turn, in bytes. */
const PIECE_BYTES = SLICE_BYTES / 4;

export interface CheckpointWalk {
  readonly disk: Disk;
  readonly dir: string;
  readonly storeId: Uint8Array;
  readonly segment: number;
  readonly pause: Pause;
}

export interface CheckpointEvents {
  /** `scan.batch` holds one record, of batch `scan.lsn` + 1. */
  record(scan: Scan): void;
  /** Batch `scan.lsn` is whole. */
  batch(scan: Scan): void;
}

/** What came of reading a checkpoint: the scan tells its last batch, or what is wrong. */
export interface WalkedCheckpoint {
  readonly isWhole: boolean;
  readonly scan: Scan;
}

/** Reads a checkpoint's file until its end or until something is wrong with it, and changes nothing. */
export async function walkCheckpoint(
  options: CheckpointWalk,
  events: CheckpointEvents,
): Promise<WalkedCheckpoint> {
  const { disk, dir, storeId, segment, pause } = options;
  const scan = new Scan({ disk, storeId, each: true });
  const path = checkpointPath(dir, segment);
  if (!isThere(disk, path, scan)) return { isWhole: false, scan };
  const head = readHead(disk, path);
  if (head !== undefined && head.storeId !== textOfStoreId(storeId)) {
    scan.faultKind = "header";
    scan.faultText = "the checkpoint belongs to another store";
    return { isWhole: false, scan };
  }
  const fd = disk.open(path, "read");
  try {
    scan.open(fd, path, BELIEVE_ALL);
    let pieceEnd = PIECE_BYTES;
    for (;;) {
      if (scan.reader.position >= pieceEnd) {
        pieceEnd = scan.reader.position + PIECE_BYTES;
        const waiting = pause();
        if (waiting !== undefined) await waiting;
      }
      const event = stepCheckpoint(scan);
      if (event === RECORD) events.record(scan);
      else if (event === BATCH) events.batch(scan);
      else if (event !== LOG_END) return { isWhole: event === FILE_END, scan };
    }
  } finally {
    disk.close(fd);
  }
}
