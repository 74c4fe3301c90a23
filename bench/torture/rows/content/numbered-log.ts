import { makeRecordBuffer, type Random, reserveMemory } from "@varve/bytes";
import type { Lsn, Variant } from "@varve/contracts";
import { nodeDisk } from "@varve/disk/node";
import { asyncWal } from "@varve/wal/async";
import { batchedWal } from "@varve/wal/batched";
import { syncWal } from "@varve/wal/sync";
import { mkdirSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import type { LogName } from "../process/victim.ts";
import { cutLog, fillBatch, replayChecked, STORE_ID } from "./wal-content.ts";

/** The last batch that is accepted, written and durable. */
export interface NumberedMarks {
  readonly accepted: Lsn;
  readonly written: Lsn;
  readonly durable: Lsn;
}

/** A log or an engine on a real disk that takes batches by their numbers. */
export interface NumberedStore {
  /** What it came back with: its last batch, and the one that its checkpoint stands for, or 0. */
  readonly last: number;
  readonly checkpoint: number;
  /** Batches by number. */
  readonly marks: NumberedMarks;
  /** Writes the batch after the last. */
  write(batch: number): void;
  commit(): Promise<unknown>;
  /** What a store does now and then: cuts its log, persists, merges. `onCut` is called before a checkpoint is begun. */
  tidy(random: Random, onCut: (until: number) => void): Promise<void>;
  close(): Promise<void>;
  /** Has SIGTERM and SIGINT end the process by `process.exit`: the store's own hooks, or what a program without one does. */
  handleSignals(): void;
}

const PAGE_BYTES = 32 * 1024;
const MEMORY_BYTES_MAX = 64 * 2 ** 20;

/** Small segments, groups and rings, so that the log rolls, and waits for room, all the time. */
export function smallLog(name: LogName): Variant<"wal"> {
  const segmentBytesMax = PAGE_BYTES;
  if (name === "sync") return syncWal({ segmentBytesMax });
  if (name === "batched") return batchedWal({ segmentBytesMax, groupBytesMax: 8000 });
  const ringBytesMax = PAGE_BYTES;
  return asyncWal({ segmentBytesMax, groupBytesMax: 8000, ringBytesMax, writer: "worker" });
}

/** Opens a log, and checks every byte that it replays. */
export async function openNumberedLog(
  dir: string,
  name: LogName,
  variant: Variant<"wal"> = smallLog(name),
): Promise<NumberedStore> {
  mkdirSync(dir, { recursive: true });
  const wal = await variant.open({
    memory: reserveMemory({ bytesMax: MEMORY_BYTES_MAX }),
    disk: nodeDisk(),
    dir: join(dir, "wal"),
    quarantineDir: join(dir, "quarantine"),
    storeId: STORE_ID,
    recovery: "tail",
  });
  const { last, checkpoint } = replayChecked(wal, makeRecordBuffer());
  return {
    last,
    checkpoint,
    get marks() {
      const { durable } = wal; // The least first: a worker goes on between two reads.
      const { written } = wal;
      return { accepted: wal.accepted, written, durable };
    },
    write(batch) {
      fillBatch(wal.buffer, batch);
      wal.append();
    },
    commit: () => wal.commit(),
    tidy: (_, onCut) => cutLog(wal, onCut),
    close: async () => wal[Symbol.asyncDispose](),
    handleSignals() {
      for (const signal of ["SIGTERM", "SIGINT"] as const) {
        process.on(signal, () => process.exit(128 + constants.signals[signal]));
      }
    },
  };
}
