import fs from "node:fs";
import { compareUtf8 } from "@varve/bytes";
import type { Descriptor, Disk, DiskLock, OpenMode } from "@varve/contracts";
import { diskFailure, type Operation } from "./failure.ts";
import { takeLock } from "./node-lock.ts";

/** Symbolic links are not followed, where the system can refuse them (Windows cannot). */
const NO_FOLLOW = fs.constants.O_NOFOLLOW ?? 0;
const FLAGS: Readonly<Record<OpenMode, number>> = {
  read: fs.constants.O_RDONLY | NO_FOLLOW,
  update: fs.constants.O_RDWR | NO_FOLLOW,
  create: fs.constants.O_RDWR | fs.constants.O_CREAT | fs.constants.O_EXCL | NO_FOLLOW,
};
const DIRECTORY_FLAGS = fs.constants.O_RDONLY | fs.constants.O_DIRECTORY | NO_FOLLOW;
const FILE_MODE = 0o600;
const DIRECTORY_MODE = 0o700;
/** Windows has no sync of a directory; its file systems log names by themselves. */
const SYNCS_DIRECTORIES = process.platform !== "win32";

/**
 * The real disk: `node:fs`, synchronous, at positions that the caller owns.
 *
 * Never opens for appending, because that ignores positions. Symbolic links are refused. An
 * interrupted read is repeated; a failed sync never is.
 */
export function nodeDisk(): Disk {
  return new NodeDisk();
}

class NodeDisk implements Disk {
  /** Paths of open descriptors, for messages. */
  readonly #paths = new Map<Descriptor, string>();

  open(path: string, mode: OpenMode): Descriptor {
    try {
      const fd = fs.openSync(path, FLAGS[mode], FILE_MODE);
      this.#paths.set(fd, path);
      return fd;
    } catch (cause) {
      throw failure("open", path, cause);
    }
  }

  write(fd: Descriptor, bytes: Uint8Array, from: number, length: number, position: number): number {
    try {
      return fs.writeSync(fd, bytes, from, length, position);
    } catch (cause) {
      throw this.#failure("write", fd, cause);
    }
  }

  read(fd: Descriptor, bytes: Uint8Array, from: number, length: number, position: number): number {
    for (;;) {
      try {
        return fs.readSync(fd, bytes, from, length, position);
      } catch (cause) {
        // libuv repeats other interrupted calls, but neither this one nor close.
        if (errnoOf(cause) !== "EINTR") throw this.#failure("read", fd, cause);
      }
    }
  }

  datasync(fd: Descriptor): void {
    try {
      fs.fdatasyncSync(fd);
    } catch (cause) {
      throw this.#failure("datasync", fd, cause);
    }
  }

  datasyncAsync(fd: Descriptor): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (cause: unknown): void => {
        if (cause === null || cause === undefined) resolve();
        else reject(this.#failure("datasync", fd, cause));
      };
      try {
        fs.fdatasync(fd, settle);
      } catch (cause) {
        settle(cause); // The Permission Model throws where other failures call back.
      }
    });
  }

  syncDirectory(path: string): void {
    if (!SYNCS_DIRECTORIES) return;
    let fd = -1;
    try {
      fd = fs.openSync(path, DIRECTORY_FLAGS);
      fs.fsyncSync(fd);
    } catch (cause) {
      throw failure("syncDirectory", path, cause);
    } finally {
      if (fd >= 0) closeQuietly(fd);
    }
  }

  async syncDirectoryAsync(path: string): Promise<void> {
    if (!SYNCS_DIRECTORIES) return;
    let fd = -1;
    try {
      fd = await openDirectory(path);
      await fsync(fd);
    } catch (cause) {
      throw failure("syncDirectory", path, cause);
    } finally {
      if (fd >= 0) closeQuietly(fd);
    }
  }

  truncate(fd: Descriptor, size: number): void {
    try {
      fs.ftruncateSync(fd, size);
    } catch (cause) {
      throw this.#failure("truncate", fd, cause);
    }
  }

  size(fd: Descriptor): number {
    try {
      return fs.fstatSync(fd).size;
    } catch (cause) {
      throw this.#failure("size", fd, cause);
    }
  }

  close(fd: Descriptor): void {
    const path = this.#paths.get(fd);
    // A descriptor's number is reused at once: closing it twice would close another file.
    if (path === undefined) throw diskFailure("close", `descriptor ${fd}`, "EBADF");
    this.#paths.delete(fd);
    try {
      fs.closeSync(fd);
    } catch (cause) {
      // After EINTR Linux has closed it, and a repetition might close another file: it counts as done.
      if (errnoOf(cause) !== "EINTR") throw failure("close", path, cause);
    }
  }

  rename(from: string, to: string): void {
    try {
      fs.renameSync(from, to);
    } catch (cause) {
      throw failure("rename", from, cause);
    }
  }

  link(from: string, to: string): void {
    // The system would give the symbolic link itself a second name.
    if (this.kind(from) === "other") throw diskFailure("link", from, "ELOOP");
    try {
      fs.linkSync(from, to);
    } catch (cause) {
      throw failure("link", errnoOf(cause) === "EEXIST" ? to : from, cause);
    }
  }

  unlink(path: string): void {
    try {
      fs.unlinkSync(path);
    } catch (cause) {
      throw failure("unlink", path, cause);
    }
  }

  async unlinkAsync(path: string): Promise<void> {
    try {
      await unlink(path);
    } catch (cause) {
      throw failure("unlink", path, cause);
    }
  }

  makeDirectory(path: string): void {
    try {
      fs.mkdirSync(path, DIRECTORY_MODE);
    } catch (cause) {
      if (errnoOf(cause) === "EEXIST" && this.kind(path) === "directory") return;
      throw failure("makeDirectory", path, cause);
    }
  }

  removeDirectory(path: string): void {
    try {
      fs.rmdirSync(path);
    } catch (cause) {
      throw failure("removeDirectory", path, cause);
    }
  }

  list(path: string): string[] {
    if (this.kind(path) === "other") throw diskFailure("list", path, "ELOOP");
    try {
      return fs.readdirSync(path).toSorted(compareUtf8);
    } catch (cause) {
      if (errnoOf(cause) === "ENOENT") return [];
      throw failure("list", path, cause);
    }
  }

  kind(path: string): "file" | "directory" | "other" | "none" {
    try {
      const stats = fs.lstatSync(path, { throwIfNoEntry: false });
      if (stats === undefined) return "none";
      if (stats.isFile()) return "file";
      return stats.isDirectory() ? "directory" : "other";
    } catch (cause) {
      if (errnoOf(cause) === "ENOTDIR") return "none"; // A file lies where a directory would have to.
      throw failure("kind", path, cause);
    }
  }

  free(path: string): number {
    try {
      const { bavail, bsize } = fs.statfsSync(path);
      return bavail * bsize;
    } catch (cause) {
      throw failure("free", path, cause);
    }
  }

  lock(path: string): DiskLock {
    return takeLock(this, path);
  }

  #failure(operation: Operation, fd: Descriptor, cause: unknown): Error {
    return failure(operation, this.#paths.get(fd) ?? `descriptor ${fd}`, cause);
  }
}

function failure(operation: Operation, path: string, cause: unknown): Error {
  return diskFailure(operation, path, errnoOf(cause), cause);
}

function errnoOf(cause: unknown): string {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  return typeof code === "string" ? code : "UNKNOWN";
}

function openDirectory(path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.open(path, DIRECTORY_FLAGS, (cause, fd) => (cause === null ? resolve(fd) : reject(cause)));
  });
}

/** A throw, as the Permission Model answers, becomes a rejection like any other failure. */
function fsync(fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fs.fsync(fd, (cause) => (cause === null ? resolve() : reject(cause)));
  });
}

function unlink(path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    fs.unlink(path, (cause) => (cause === null ? resolve() : reject(cause)));
  });
}

function closeQuietly(fd: number): void {
  try {
    fs.closeSync(fd);
  } catch {
    // Nothing was written through it: a failed close loses nothing.
  }
}
