import { isStorageError, StorageError, type StorageErrorCode } from "@varve/contracts";

/** LMDB answers with numbers: errno of the system, or its own, below -30,000. */
const CODES: ReadonlyMap<number, StorageErrorCode> = new Map([
  [28, "STORAGE_FULL"], // ENOSPC
  [27, "STORAGE_FULL"], // EFBIG
  [122, "STORAGE_FULL"], // EDQUOT
  [-30_792, "STORAGE_FULL"], // MDB_MAP_FULL
  [-30_797, "INDEX_CORRUPT"], // MDB_PAGE_NOTFOUND
  [-30_796, "INDEX_CORRUPT"], // MDB_CORRUPTED
  [-30_795, "INDEX_CORRUPT"], // MDB_PANIC
  [-30_794, "INDEX_CORRUPT"], // MDB_VERSION_MISMATCH
  [-30_793, "INDEX_CORRUPT"], // MDB_INVALID
]);

/** What lmdb threw, as a StorageError. Its message names the directory; the cause is kept. */
export function lmdbFailure(operation: string, dir: string, cause: unknown): StorageError {
  if (isStorageError(cause)) return cause;
  const number = cause instanceof Error && "code" in cause ? cause.code : undefined;
  const code = (typeof number === "number" ? CODES.get(number) : undefined) ?? "DISK";
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new StorageError(code, `${dir}: LMDB cannot ${operation}: ${reason}`, {
    cause,
    facts: { path: dir, operation, errno: typeof number === "number" ? number : undefined },
  });
}

/** Something in the index contradicts itself. Closing and opening again verifies it, and fills it anew. */
export function corrupt(dir: string, what: string): StorageError {
  return new StorageError(
    "INDEX_CORRUPT",
    `${dir}: ${what}; the log is not affected: reopen, and the index is built again from it`,
    { facts: { path: dir } },
  );
}
