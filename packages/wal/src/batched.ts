import type { Lsn, Variant, WalNeeds } from "@varve/contracts";
import { drainError, isFull } from "./internal/errors.ts";
import { onExit } from "@varve/disk/exit";
import { framedBytesMax } from "./internal/layout.ts";
import { LocalLog } from "./internal/local-log.ts";
import { LogFiles, SEGMENT_BYTES_MAX } from "./internal/log-files.ts";
import { Waiters } from "./internal/waiters.ts";

export interface BatchedWalOptions {
  /** Size of a segment file: a multiple of 32 KiB. */
  readonly segmentBytesMax?: number;
  /** Bytes of a group: when it is full, `append` writes it. */
  readonly groupBytesMax?: number;
  /** Longest time from `append` until the write and the sync of its group start, while the event loop turns. */
  readonly delayMsMax?: number;
  /** Frames records by a kernel. When false, in TypeScript: the yardstick. Default true. */
  readonly kernel?: boolean;
}

/**
 * A log that commits in groups: `append` copies, a group is written at once when it is full, and one sync at a time
 * runs beside the caller.
 *
 * An append is acknowledged as accepted; `commit` makes it durable, and callers that wait at the same time share
 * a sync. What is open when the process exits is written and synced by an exit hook. A full disk refuses new batches
 * and keeps the group, which is tried again.
 */
export function batchedWal(options: BatchedWalOptions = {}): Variant<"wal"> {
  const {
    segmentBytesMax = SEGMENT_BYTES_MAX,
    groupBytesMax = 256 * 1024,
    delayMsMax = 5,
    kernel = true,
  } = options;
  return {
    slot: "wal",
    name: "batched",
    traits: { acknowledges: "accepted", persistent: true, threaded: false },
    open: (needs: WalNeeds) =>
      new BatchedLog(new LogFiles(needs, { segmentBytesMax }), {
        groupBytesMax,
        delayMsMax,
        kernel,
      }),
  };
}

class BatchedLog extends LocalLog {
  readonly #dir: string;
  readonly #groupBytesMax: number;
  readonly #delayMsMax: number;
  readonly #waiters = new Waiters();
  readonly #removeHook: () => void;
  /** Runs while something is accepted that is not durable, and no sync is on its way. */
  #timer: NodeJS.Timeout | null = null;
  #immediate: NodeJS.Immediate | null = null;
  #isClosing = false;

  constructor(
    files: LogFiles,
    {
      groupBytesMax,
      delayMsMax,
      kernel,
    }: Required<Pick<BatchedWalOptions, "groupBytesMax" | "delayMsMax" | "kernel">>,
  ) {
    super(files, { groupBytes: groupBytesMax, kernel });
    this.#dir = files.dir;
    this.#groupBytesMax = groupBytesMax;
    this.#delayMsMax = delayMsMax;
    this.#removeHook = onExit(() => this.#drain());
  }

  async commit(): Promise<Lsn> {
    this.refuse();
    if (this.durable >= this.accepted) return this.durable;
    const committed = this.#waiters.wait(this.accepted);
    // The callers of this turn of the event loop share a sync.
    if (!this.writer.isSyncing) this.#immediate ??= setImmediate(this.#turn);
    return committed;
  }

  protected accept(): Lsn {
    const { buffer, writer } = this;
    const { count } = buffer;
    const length = buffer.ends[count - 1]!;
    const { framer } = writer;
    if (framer.length > 0 && framer.length + framedBytesMax(count, length) > this.#groupBytesMax) {
      writer.flush();
    }
    writer.prepare(count, length);
    const lsn = writer.frame(buffer.bytes, 0, buffer.ends, 0, count);
    if (this.#timer === null) this.#arm();
    return lsn;
  }

  protected stop(): void {
    this.#isClosing = true;
    this.#stopTimers();
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    try {
      await super[Symbol.asyncDispose]();
      this.#waiters.resolve(this.durable);
    } catch (error) {
      this.#waiters.reject(error);
      throw error;
    } finally {
      this.#removeHook(); // Not before: the process may exit while the close waits for a sync.
      this.#waiters.reject(this.writer.failure);
    }
  }

  #stopTimers(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#immediate !== null) clearImmediate(this.#immediate);
    this.#timer = null;
    this.#immediate = null;
  }

  #arm(): void {
    this.#timer = setTimeout(this.#turn, this.#delayMsMax);
    this.#timer.unref();
  }

  /** Writes the group and starts a sync. */
  readonly #turn = (): void => {
    this.#stopTimers();
    const { writer } = this;
    if (this.#isClosing || writer.failure !== null || writer.isSyncing) return;
    try {
      writer.flush();
    } catch (error) {
      this.#waiters.reject(error);
      if (isFull(error)) this.#arm();
      return;
    }
    if (writer.durable === writer.written) return;
    writer.syncBeside().then(
      () => {
        this.#waiters.resolve(writer.durable);
        if (this.#waiters.count > 0) this.#turn();
        else if (!this.#isClosing && writer.durable < writer.accepted && this.#timer === null)
          this.#arm();
      },
      (error: unknown) => this.#waiters.reject(error),
    );
  };

  /** The process exits: no callback runs any more. */
  #drain(): void {
    const { writer } = this;
    const { durable, accepted } = writer;
    if (durable === accepted) return;
    try {
      writer.guard();
      writer.flush();
      writer.sync();
    } catch (error) {
      throw drainError(this.#dir, durable + 1, accepted, error);
    }
  }
}
