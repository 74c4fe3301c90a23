import { StorageError, type StorageErrorCode } from "@varve/contracts";

/** What a disk was asked to do, as messages and fault scripts name it. */
export type Operation =
  | "open"
  | "write"
  | "read"
  | "datasync"
  | "syncDirectory"
  | "truncate"
  | "size"
  | "close"
  | "rename"
  | "link"
  | "unlink"
  | "makeDirectory"
  | "removeDirectory"
  | "list"
  | "kind"
  | "free"
  | "lock";

/** What to do about it: the end of a message. */
const ADVICE: Readonly<Record<string, string>> = {
  EACCES: "give this user access to it",
  EDQUOT: "free some space or raise the quota, then try again",
  EEXIST: "it exists already; look at what made it before you remove it",
  EFBIG: "raise the limit on file sizes (ulimit -f), then try again",
  EIO: "the device failed: reopen from what it still holds, and check its health",
  EISDIR: "a directory lies where a file should; move it away",
  ELOOP: "it is a symbolic link, which is never followed; put the file itself there",
  EMFILE: "too many files are open; raise the limit (ulimit -n)",
  EMLINK: "the file has as many names as its file system allows",
  ENFILE: "too many files are open on this system",
  ENOENT: "it does not exist; check the path",
  ENOSPC: "free some space, then try again",
  ENOTDIR: "a file lies where a directory should; move it away",
  ENOTEMPTY: "the directory still has entries",
  EPERM: "the system does not permit it",
  EROFS: "the file system is read-only; remount it for writing",
  EXDEV: "the two names lie on different file systems; choose one on the same",
};

const FULL = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);
/** Answers of systems that cannot sync this file at all. */
const CANNOT_SYNC = new Set(["ERR_ACCESS_DENIED", "EINVAL", "ENOSYS", "ENOTSUP", "EOPNOTSUPP"]);

/** The `StorageError` for a failed operation: what, where, why, and what to do. */
export function diskFailure(
  operation: Operation,
  path: string,
  errno: string,
  cause?: unknown,
): StorageError {
  const facts = { errno, path, operation };
  if ((operation === "datasync" || operation === "syncDirectory") && CANNOT_SYNC.has(errno)) {
    const why =
      errno === "ERR_ACCESS_DENIED"
        ? "Node's Permission Model disables syncing, so nothing can be made durable; run without --permission"
        : `its file system cannot sync (${errno}); use another one`;
    return new StorageError("SYNC_UNSUPPORTED", `cannot sync ${path}: ${why}`, { cause, facts });
  }
  const code: StorageErrorCode = FULL.has(errno) ? "STORAGE_FULL" : "DISK";
  const advice = ADVICE[errno];
  const message = `cannot ${WORDS[operation]} ${path}: ${errno}${advice === undefined ? "" : `; ${advice}`}`;
  return new StorageError(code, message, { cause, facts });
}

/** Operations as words of a sentence. */
const WORDS: Readonly<Record<Operation, string>> = {
  open: "open",
  write: "write",
  read: "read",
  datasync: "sync",
  syncDirectory: "sync the directory",
  truncate: "truncate",
  size: "take the size of",
  close: "close",
  rename: "rename",
  link: "link",
  unlink: "remove",
  makeDirectory: "make the directory",
  removeDirectory: "remove the directory",
  list: "list",
  kind: "look at",
  free: "take the free space of",
  lock: "lock",
};

/** The `StorageError` for a second opener: who holds the lock, as far as the file beside it says. */
export function lockedFailure(
  path: string,
  holder: { readonly pid?: number; readonly host?: string; readonly since?: string },
  cause?: unknown,
): StorageError {
  const { pid, host, since } = holder;
  const who = pid === undefined ? "another opener" : `process ${pid} on ${host}, since ${since}`;
  return new StorageError("LOCKED", `${path} is held by ${who}; close that one first`, {
    cause,
    facts: { path, pid, host, since },
  });
}
