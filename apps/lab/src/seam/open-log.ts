import { reserveMemory } from "@varve/bytes";
import type { Disk, Variant, WriteAheadLog } from "@varve/contracts";
import { batchedWal } from "@varve/wal/batched";
import { syncWal } from "@varve/wal/sync";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { SeamLog } from "./spec.ts";

/**
 * `sync` pays for a write and a sync with each append. `batched` pays for a write alone, since its groups hold one
 * batch and its timer never fires: where a call costs least, the seam would show most.
 */
const LOGS: Readonly<Record<SeamLog, () => Variant<"wal">>> = {
  sync: () => syncWal(),
  batched: () => batchedWal({ groupBytesMax: 1, delayMsMax: 2 ** 31 - 1 }),
};

/** These logs need none of it. */
const MEMORY_BYTES = 2 ** 20;

/** Opens a new log in `dir`, which is made, and has it begin its segment. */
export async function openLog(name: SeamLog, dir: string, disk: Disk): Promise<WriteAheadLog> {
  mkdirSync(dir);
  const log = await LOGS[name]().open({
    memory: reserveMemory({ bytesMax: MEMORY_BYTES }),
    disk,
    dir: join(dir, "wal"),
    quarantineDir: join(dir, "quarantine"),
    storeId: "00112233445566778899aabbccddeeff",
    recovery: "tail",
  });
  log.replay(() => undefined);
  return log;
}

/** Appends batches of one record, whose bytes tell the number of the batch. */
export function appendRecords(
  log: WriteAheadLog,
  record: Uint8Array,
  from: number,
  until: number,
): void {
  for (let i = from; i < until; i += 1) {
    record[1] = i;
    record[2] = i >> 8;
    record[3] = i >> 16;
    const { buffer } = log;
    buffer.reserve(record.length);
    buffer.bytes.set(record, buffer.length);
    buffer.length += record.length;
    buffer.endRecord();
    log.append();
  }
}

/** A record of `bytes` bytes, at least four of them. */
export function makeRecord(bytes: number): Uint8Array {
  const record = Uint8Array.from({ length: Math.max(4, bytes) }, (_, i) => i * 37);
  record[0] = 2;
  return record;
}

/** SHA-256 of the one segment of a closed log. Throws when there are more. */
export function segmentHash(dir: string): string {
  const names = readdirSync(join(dir, "wal"));
  if (names.length !== 1) throw new Error(`a round fills one segment, got ${names.join(", ")}`);
  return createHash("sha256")
    .update(readFileSync(join(dir, "wal", names[0]!)))
    .digest("hex");
}
