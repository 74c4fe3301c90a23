import { makeRecordBuffer } from "@varve/bytes";
import {
  StorageError,
  type Lsn,
  type RecordBuffer,
  type RecoveryMode,
  type Variant,
  type WalNeeds,
  type WalRecovery,
  type WalStats,
  type WriteAheadLog,
} from "@varve/contracts";

/**
 * A log that keeps nothing: it counts batches, so that an engine without durability has the same shape.
 *
 * `accepted` rises; `written` and `durable` stay 0, because nothing ever is, and `commit` resolves with that 0 at
 * once. `replay` tells nothing, and `checkpoint` does not call `fill`.
 */
export function noneWal(): Variant<"wal"> {
  return {
    slot: "wal",
    name: "none",
    traits: { acknowledges: "accepted", persistent: false, threaded: false },
    open: (needs: WalNeeds) => new NoneLog(needs.recovery),
  };
}

class NoneLog implements WriteAheadLog {
  accepted: Lsn = 0;
  readonly written: Lsn = 0;
  readonly durable: Lsn = 0;
  readonly buffer: RecordBuffer = makeRecordBuffer();
  readonly #mode: RecoveryMode;
  #recordBytes = 0;
  #isClosed = false;

  constructor(mode: RecoveryMode) {
    this.#mode = mode;
  }

  get stats(): WalStats {
    return {
      batches: this.accepted,
      recordBytes: this.#recordBytes,
      framedBytes: 0,
      writes: 0,
      syncs: 0,
      bytesOnDisk: 0,
      stalls: 0,
    };
  }

  append(): Lsn {
    const { buffer } = this;
    const { count } = buffer;
    const length = count === 0 ? 0 : buffer.ends[count - 1]!;
    buffer.clear();
    if (this.#isClosed) this.#refuse();
    if (count === 0) return this.accepted;
    this.#recordBytes += length;
    this.accepted += 1;
    return this.accepted;
  }

  async commit(): Promise<Lsn> {
    if (this.#isClosed) this.#refuse();
    return 0;
  }

  replay(): WalRecovery {
    return {
      mode: this.#mode,
      unclean: false,
      segments: 0,
      records: 0,
      lastLsn: 0,
      bytesCut: 0,
      cutReason: "",
      quarantined: [],
    };
  }

  async checkpoint(): Promise<void> {
    if (this.#isClosed) this.#refuse();
  }

  async truncateBefore(): Promise<void> {
    if (this.#isClosed) this.#refuse();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
  }

  #refuse(): never {
    throw new StorageError("CLOSED", "the log is closed; open the store again to write");
  }
}
