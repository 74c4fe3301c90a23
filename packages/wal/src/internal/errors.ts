import { StorageError, isStorageError, type Lsn } from "@varve/contracts";

/** Whether a failed write means that the disk is full, which a log survives. */
export function isFull(error: unknown): boolean {
  return isStorageError(error, "STORAGE_FULL");
}

export function closedError(): StorageError {
  return new StorageError("CLOSED", "the log is closed; open the store again to write");
}

export function poisonedError(cause: unknown): StorageError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new StorageError(
    "POISONED",
    `the log failed earlier (${why}); what is durable stays readable; reopen the store to write again`,
    { cause },
  );
}

export function syncError(path: string, cause: unknown): StorageError {
  return new StorageError(
    "WAL_SYNC",
    `${path}: the log could not be synced; batches that were acknowledged as durable are safe, later ones ` +
      "may be lost; check the device, then reopen the store",
    { cause, facts: { path } },
  );
}

export function segmentLimitError(value: number, max: number): StorageError {
  return new StorageError(
    "LIMIT",
    `a batch of ${value} framed bytes does not fit a segment of ${max}; write smaller batches or raise segmentBytesMax`,
    { facts: { limit: "segmentBytesMax", value, max } },
  );
}

export function reservedError(type: number): StorageError {
  return new StorageError(
    "INPUT",
    `a record starts with type ${type}; types 128 to 130 are the log's own: choose another`,
    { facts: { value: type } },
  );
}

export function ringLimitError(value: number, max: number): StorageError {
  return new StorageError(
    "LIMIT",
    `a batch takes ${value} bytes of the ring, at most ${max} are possible; write smaller batches or raise ringBytesMax`,
    { facts: { limit: "ringBytesMax", value, max } },
  );
}

export function backlogError(max: number, batches: number): StorageError {
  return new StorageError(
    "WAL_BACKLOG",
    `the log's ring of ${max} bytes is full (${batches} batches wait for the disk); nothing of this batch was kept; ` +
      "try again later",
    { facts: { limit: "ringBytesMax", value: batches, max } },
  );
}

export function lostError(message: string, cause?: unknown): StorageError {
  const why = cause instanceof Error ? `: ${cause.message}` : "";
  return new StorageError(
    "WAL_WORKER_LOST",
    `${message}${why}; batches that are durable are safe, later ones may be lost; reopen the store`,
    { cause },
  );
}

export function lateError(ms: number): StorageError {
  return new StorageError(
    "WAL_WORKER_LOST",
    `the log's writer did not finish within ${ms} ms; raise drainMsMax for a disk that needs longer`,
    { facts: { limit: "drainMsMax", max: ms } },
  );
}

/** The process exits, and what was accepted is not all durable: says which batches, and why. */
export function drainError(dir: string, from: Lsn, until: Lsn, cause: unknown): StorageError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new StorageError(
    isStorageError(cause) ? cause.code : "DISK",
    `batches ${from} to ${until} of ${dir} are not durable: ${why}`,
    { cause, facts: { path: dir, from, until } },
  );
}
