import { assert, type Variant, type WalNeeds } from "@varve/contracts";
import { openAsyncLog } from "./internal/async-log.ts";
import { SEGMENT_BYTES_MAX } from "./internal/log-files.ts";

export interface AsyncWalOptions {
  /** Size of a segment file: a multiple of 32 KiB. */
  readonly segmentBytesMax?: number;
  /** Bytes of accepted batches that may wait for the writer: a power of two. A batch takes at most half of it. */
  readonly ringBytesMax?: number;
  /** Bytes that one write carries. */
  readonly groupBytesMax?: number;
  /** Longest time that an accepted batch waits for its write and sync to start. */
  readonly delayMsMax?: number;
  /** What `append` does when the ring is full: wait for room, or throw WAL_BACKLOG. */
  readonly onFull?: "block" | "reject";
  /** How long a wait lasts, at exit or for a writer without a sign of life, before it is given up. */
  readonly drainMsMax?: number;
  /**
   * Who writes: a `worker` thread, which sees the real disk only; the caller's thread, `inline`; or `auto`,
   * which takes a worker if the log's directory lies on the real disk, and else writes inline.
   */
  readonly writer?: "auto" | "worker" | "inline";
}

/**
 * A log that a worker thread writes: `append` copies the records into a ring in the shared memory, and the worker
 * frames, checksums, writes and syncs them.
 *
 * An append is acknowledged as accepted. A full ring makes the caller wait, or refuses; nothing is dropped. What is
 * in the ring when the process exits is drained by an exit hook, within `drainMsMax`.
 */
export function asyncWal(options: AsyncWalOptions = {}): Variant<"wal"> {
  const {
    segmentBytesMax = SEGMENT_BYTES_MAX,
    ringBytesMax = 8 * 1024 * 1024,
    groupBytesMax = 256 * 1024,
    delayMsMax = 10,
    onFull = "block",
    drainMsMax = 10_000,
    writer = "auto",
  } = options;
  assert(
    ringBytesMax >= 1024 && (ringBytesMax & (ringBytesMax - 1)) === 0,
    `ringBytesMax is a power of two, at least 1,024, got ${ringBytesMax}`,
  );
  const all = {
    segmentBytesMax,
    ringBytesMax,
    groupBytesMax,
    delayMsMax,
    onFull,
    drainMsMax,
    writer,
  };
  return {
    slot: "wal",
    name: "async",
    traits: { acknowledges: "accepted", persistent: true, threaded: true },
    open: (needs: WalNeeds) => openAsyncLog(needs, all),
  };
}
