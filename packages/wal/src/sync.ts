import type { Lsn, Variant, WalNeeds } from "@varve/contracts";
import { isFull } from "./internal/errors.ts";
import { LocalLog } from "./internal/local-log.ts";
import { LogFiles, SEGMENT_BYTES_MAX } from "./internal/log-files.ts";
import { WriterMark } from "./internal/writer-mark.ts";

export interface SyncWalOptions {
  /** Size of a segment file: a multiple of 32 KiB. */
  readonly segmentBytesMax?: number;
  /** Frames records by a kernel. When false, in TypeScript: the yardstick. Default true. */
  readonly kernel?: boolean;
}

/**
 * A log whose `append` returns when the batch is durable: one write and one sync a batch.
 *
 * A full disk refuses the batch and leaves nothing of it; a failed sync poisons the log.
 */
export function syncWal(options: SyncWalOptions = {}): Variant<"wal"> {
  const { segmentBytesMax = SEGMENT_BYTES_MAX, kernel = true } = options;
  return {
    slot: "wal",
    name: "sync",
    traits: { acknowledges: "durable", persistent: true, threaded: false },
    open: (needs: WalNeeds) => new SyncLog(new LogFiles(needs, { segmentBytesMax }), kernel),
  };
}

class SyncLog extends LocalLog {
  readonly #mark = new WriterMark();

  constructor(files: LogFiles, kernel: boolean) {
    super(files, { groupBytes: 64 * 1024, kernel });
  }

  async commit(): Promise<Lsn> {
    this.refuse();
    return this.durable;
  }

  protected accept(): Lsn {
    const { buffer, writer } = this;
    const { count } = buffer;
    writer.prepare(count, buffer.ends[count - 1]!);
    this.#mark.set(writer);
    const lsn = writer.frame(buffer.bytes, 0, buffer.ends, 0, count);
    try {
      writer.flush();
    } catch (error) {
      if (isFull(error)) writer.withdraw(this.#mark);
      throw error;
    }
    writer.sync();
    return lsn;
  }

  protected stop(): void {
    // Nothing runs beside the caller.
  }
}
