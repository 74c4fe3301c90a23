import type { Lsn } from "@varve/contracts";
import type { LogWriter } from "./log-writer.ts";

/** What a writer was before a batch, for `withdraw`. */
export class WriterMark {
  accepted: Lsn = 0;
  chain = 0;
  batches = 0;
  recordBytes = 0;
  framedBytes = 0;

  set(writer: LogWriter): void {
    this.accepted = writer.accepted;
    this.chain = writer.framer.chain;
    this.batches = writer.batches;
    this.recordBytes = writer.recordBytes;
    this.framedBytes = writer.framedBytes;
  }
}
