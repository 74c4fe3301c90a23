/** An open file. One owner; a closed descriptor is never used again. */
export type Descriptor = number;

/** `read` an existing file; `update` an existing one (read and write); `create` one that must not exist (mode 0600). */
export type OpenMode = "read" | "update" | "create";

/** A held single-writer lock. `release` is idempotent. */
export interface DiskLock {
  release(): void;
}

/**
 * The file seam: everything durable goes through it, so that tests can forget, tear, fail and crash.
 *
 * Synchronous, positional and allocation-free, called once a batch rather than once a row. Failures
 * are `StorageError`s: `STORAGE_FULL` for ENOSPC, EDQUOT and EFBIG, `SYNC_UNSUPPORTED` where syncing
 * is not permitted, otherwise `DISK` with `errno`, `path` and `operation` in `facts`.
 */
export interface Disk {
  /** What is written here goes with this object: syncs have nothing to do, and nobody copies bytes for the sake of one. */
  readonly isVolatile?: boolean;
  open(path: string, mode: OpenMode): Descriptor;
  /** Writes at `position`; returns how many bytes were written, at least 1: it may be fewer than `length`. */
  write(fd: Descriptor, bytes: Uint8Array, from: number, length: number, position: number): number;
  /** Reads at `position`; returns how many bytes were read: 0 at the end of the file. */
  read(fd: Descriptor, bytes: Uint8Array, from: number, length: number, position: number): number;
  /** Returns once all written before is durable. After a failure the file's content is unknown: never retry. */
  datasync(fd: Descriptor): void;
  /** The same without blocking the caller. */
  datasyncAsync(fd: Descriptor): Promise<void>;
  /** Makes creations, renames and removals inside a directory durable. */
  syncDirectory(path: string): void;
  /** The same without blocking the caller. */
  syncDirectoryAsync(path: string): Promise<void>;
  truncate(fd: Descriptor, size: number): void;
  size(fd: Descriptor): number;
  close(fd: Descriptor): void;
  rename(from: string, to: string): void;
  /** Gives a file a second name, durable once its directory is synced. What is written through one shows in the other. */
  link(from: string, to: string): void;
  unlink(path: string): void;
  /** The same without blocking the caller: to free a large file takes tens of milliseconds. The name is gone when it resolves. */
  unlinkAsync(path: string): Promise<void>;
  /** Creates a directory (mode 0700) unless it exists. Its parent must exist. */
  makeDirectory(path: string): void;
  /** Removes an empty directory. */
  removeDirectory(path: string): void;
  /** Names in a directory, sorted; an empty list when it does not exist. */
  list(path: string): string[];
  kind(path: string): "file" | "directory" | "other" | "none";
  /** Free bytes for us on the file system that holds `path`. */
  free(path: string): number;
  /** Takes the single-writer lock at `path`, or throws `LOCKED`; the file beside it (`path` + ".info") names the holder. */
  lock(path: string): DiskLock;
}
