import { crc32c, makeRecordBuffer } from "@varve/bytes";
import { ACCEPTED, type Disk, type WriteAheadLog } from "@varve/contracts";
import { nodeDisk } from "@varve/disk/node";
import { CATALOG } from "@varve/lab";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { makeRows, type Rows, STORE_ID } from "./rows.ts";
import type { Stage } from "./stage.ts";

/** Appending records to the log: framing, checksums and the commit record, over a disk that swallows what is written. */
export const frame: Stage = {
  missing: () => null,
  open: async (variant, { sizes, dir }) => {
    const rows = await makeRows(sizes);
    const { memory, count } = rows;
    const disk = new Swallowing();
    mkdirSync(join(dir, "log"));
    const log = await CATALOG.wal["batched"]!.make({ kernel: variant === "kernel" }).open({
      memory,
      disk: disk.disk,
      dir: join(dir, "log", "wal"),
      quarantineDir: join(dir, "log", "quarantine"),
      storeId: STORE_ID,
      recovery: "tail",
    });
    log.replay(() => undefined);
    let [prepared, length] = [0, 0];
    const pass = (size: number): void => {
      if (size !== prepared) throw new Error("a pass is begun first");
      const { buffer } = log;
      for (let done = 0; done < count; done += size) {
        buffer.length = length; // The bytes are there still: appending empties a buffer, and leaves them.
        buffer.endRecord();
        log.append();
      }
    };
    const prepare = async (size: number): Promise<void> => {
      prepared = size;
      length = await putRecord(log, rows, size);
    };
    for (const size of [1000, 64, 1]) {
      await prepare(size);
      pass(size);
    }
    await log.commit();
    const checks = { "check-framed": disk.sum, "check-batches": log.accepted };
    disk.isChecking = false;
    const close = (): Promise<void> => Promise.resolve(log[Symbol.asyncDispose]());
    return { count, begin: () => undefined, prepare, pass, checks, close };
  },
};

/** Puts the record of the first rows to where the log takes it from, and returns its length in bytes. */
async function putRecord(log: WriteAheadLog, { batches }: Rows, size: number): Promise<number> {
  const codec = await CATALOG.record["ref"]!.make().open({});
  const record = makeRecordBuffer();
  const [batch] = batches;
  batch!.status.fill(ACCEPTED);
  codec.encode(batch!, 0, Math.min(size, batch!.length), record);
  log.buffer.clear();
  log.buffer.reserve(record.length);
  log.buffer.bytes.set(record.bytes.subarray(0, record.length));
  return record.length;
}

/** A disk that makes files, and keeps nothing that is written to them. */
class Swallowing {
  /** Checksum of all that was written while it was asked for. */
  sum = 0;
  isChecking = true;
  readonly disk: Disk = Object.assign(nodeDisk(), {
    write: (_fd: number, bytes: Uint8Array, from: number, length: number): number => {
      if (this.isChecking) this.sum = crc32c(bytes, from, from + length, this.sum);
      return length;
    },
    datasync: () => undefined,
    datasyncAsync: () => Promise.resolve(),
  });
}
