import type { Variant } from "@varve/contracts";
import { IndexFiles } from "./files.ts";
import { LmdbIndex } from "./lmdb-index.ts";

/** Options of the LMDB index. */
export interface LmdbOptions {
  /** Series that wait in memory for one transaction. */
  readonly batchRowsMax?: number;
  /** Address space mapped at open, in bytes; LMDB maps more when it needs it. */
  readonly mapBytes?: number;
  /** Bound on the data file, in bytes: above it, new series get LIMIT. */
  readonly fileBytesMax?: number;
  /**
   * When a child process walks the whole index at open: after an unclean close, or always. A clean close
   * leaves a checksum of the whole file, which is checked in any case: 0.1 s a million series, and 5 s for the walk.
   */
  readonly verify?: "unclean" | "always";
  /** Longest time for that walk, in milliseconds; then the index is built anew. */
  readonly verifyMsMax?: number;
}

/**
 * Series in LMDB, as a cache of the log's: after a clean close nothing has to be written again, and memory
 * holds only what waits for the next transaction.
 *
 * Its files are never trusted: they are checked whole before they are opened, and every entry by its checksum and its
 * whole key when it is used. When in doubt they are removed, adopting fills the index again, and `settle` says so.
 *
 * Needs a real disk. While the file can take no more, new keys get LIMIT and `commit` throws STORAGE_FULL; after
 * any other failure every call throws POISONED. Adopted series do not count against `seriesMax`.
 */
export function lmdbIndex(options: LmdbOptions = {}): Variant<"series-index"> {
  const {
    batchRowsMax = 4096,
    mapBytes = 2 ** 26,
    fileBytesMax = 2 ** 35,
    verify = "unclean",
    verifyMsMax = 60_000,
  } = options;
  const full = { batchRowsMax, mapBytes, fileBytesMax, verify, verifyMsMax };
  return {
    slot: "series-index",
    name: "lmdb",
    traits: { persistent: true },
    async open(needs) {
      const files = new IndexFiles(needs, full);
      return new LmdbIndex(needs, full, files, await files.open());
    },
  };
}
