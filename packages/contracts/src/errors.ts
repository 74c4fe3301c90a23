/** What went wrong, as a stable word to match on. Texts and classes may change; codes do not. */
export type StorageErrorCode =
  | "ABORTED"
  | "BAD_TIME"
  | "BLOCK_CORRUPT"
  | "CLOSED"
  | "CONFLICT"
  | "DISK"
  | "INDEX_CORRUPT"
  | "INPUT"
  | "LABELS"
  | "LIMIT"
  | "LOCKED"
  | "NOT_FOUND"
  | "OUT_OF_ORDER"
  | "PLAN"
  | "POISONED"
  | "READ_ONLY"
  | "STORAGE_FULL"
  | "SYNC_UNSUPPORTED"
  | "UNSUPPORTED_VERSION"
  | "WAL_BACKLOG"
  | "WAL_CORRUPT"
  | "WAL_SYNC"
  | "WAL_WORKER_LOST";

/** Facts beside the message, for programs: `path`, `offset`, `limit`, `value`, `pid` … */
export type StorageErrorFacts = Readonly<Record<string, string | number | boolean | undefined>>;

/**
 * The world's fault, or the caller's: bad input, a full disk, damaged bytes, a held lock.
 *
 * The message says what, where, what is safe and what to do. Match on `code`.
 */
export class StorageError extends Error {
  override readonly name: string = "StorageError";
  readonly code: StorageErrorCode;
  readonly facts: StorageErrorFacts;

  constructor(
    code: StorageErrorCode,
    message: string,
    options: { readonly cause?: unknown; readonly facts?: StorageErrorFacts } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.facts = options.facts ?? {};
  }
}

/** True when `error` is a `StorageError` (of any copy of this package) with the code given, if one is given. */
export function isStorageError(error: unknown, code?: StorageErrorCode): error is StorageError {
  if (!(error instanceof Error) || !("code" in error) || !("facts" in error)) return false;
  return code === undefined || error.code === code;
}
