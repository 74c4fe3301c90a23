import type { Descriptor, Disk, DiskLock, OpenMode } from "@varve/contracts";
import { StorageError } from "@varve/contracts";

interface File {
  bytes: Uint8Array;
}

/**
 * A disk of a few small files in memory that is made anew in no time: millions of decodings need that. It forgets
 * and fails nothing.
 */
export class FuzzDisk implements Disk {
  readonly #files = new Map<string, File>();
  readonly #directories = new Set<string>();
  readonly #open = new Map<Descriptor, File>();
  #next = 3;

  /** Forgets everything. */
  clear(): void {
    this.#files.clear();
    this.#directories.clear();
    this.#open.clear();
  }

  /** Puts a file there, with the bytes themselves rather than a copy: nothing may change them meanwhile. */
  put(path: string, bytes: Uint8Array): void {
    this.#files.set(path, { bytes });
  }

  /** A copy of a file's bytes. */
  take(path: string): Uint8Array {
    return this.#file(path).bytes.slice();
  }

  /** Descriptors that were not closed. */
  get opened(): number {
    return this.#open.size;
  }

  open(path: string, mode: OpenMode): Descriptor {
    if (mode === "create") {
      if (this.kind(path) !== "none") throw failure("open", path, "EEXIST");
      this.put(path, new Uint8Array(0));
    }
    const fd = this.#next;
    this.#next += 1;
    this.#open.set(fd, this.#file(path));
    return fd;
  }

  write(fd: Descriptor, bytes: Uint8Array, from: number, length: number, position: number): number {
    const file = this.#opened(fd);
    const end = position + length;
    const old = file.bytes;
    // Never in place: an input is not changed by who reads it.
    file.bytes = new Uint8Array(Math.max(end, old.length));
    file.bytes.set(old);
    file.bytes.set(bytes.subarray(from, from + length), position);
    return length;
  }

  read(fd: Descriptor, bytes: Uint8Array, from: number, length: number, position: number): number {
    const { bytes: all } = this.#opened(fd);
    const count = Math.max(0, Math.min(length, all.length - position, bytes.length - from));
    if (count > 0) bytes.set(all.subarray(position, position + count), from);
    return count;
  }

  datasync(): void {}

  async datasyncAsync(): Promise<void> {}

  syncDirectory(): void {}

  async syncDirectoryAsync(): Promise<void> {}

  truncate(fd: Descriptor, size: number): void {
    const file = this.#opened(fd);
    const bytes = new Uint8Array(size);
    bytes.set(file.bytes.subarray(0, size));
    file.bytes = bytes;
  }

  size(fd: Descriptor): number {
    return this.#opened(fd).bytes.length;
  }

  close(fd: Descriptor): void {
    if (!this.#open.delete(fd)) throw failure("close", String(fd), "EBADF");
  }

  rename(from: string, to: string): void {
    const file = this.#files.get(from);
    if (file !== undefined) {
      this.#files.delete(from);
      this.#files.set(to, file);
      return;
    }
    if (!this.#directories.delete(from)) throw failure("rename", from, "ENOENT");
    this.#directories.add(to);
    for (const [path, inside] of this.#files) {
      if (!path.startsWith(`${from}/`)) continue;
      this.#files.delete(path);
      this.#files.set(to + path.slice(from.length), inside);
    }
  }

  link(from: string, to: string): void {
    this.#files.set(to, this.#file(from));
  }

  unlink(path: string): void {
    if (!this.#files.delete(path)) throw failure("unlink", path, "ENOENT");
  }

  async unlinkAsync(path: string): Promise<void> {
    this.unlink(path);
  }

  makeDirectory(path: string): void {
    this.#directories.add(path);
  }

  removeDirectory(path: string): void {
    this.#directories.delete(path);
  }

  list(path: string): string[] {
    const names = new Set<string>();
    for (const each of [...this.#files.keys(), ...this.#directories]) {
      if (each.startsWith(`${path}/`)) names.add(each.slice(path.length + 1).split("/", 1)[0]!);
    }
    return [...names].sort();
  }

  kind(path: string): "file" | "directory" | "other" | "none" {
    if (this.#files.has(path)) return "file";
    return this.#directories.has(path) || this.list(path).length > 0 ? "directory" : "none";
  }

  free(): number {
    return 2 ** 40;
  }

  lock(): DiskLock {
    return { release: () => undefined };
  }

  #file(path: string): File {
    const file = this.#files.get(path);
    if (file === undefined) throw failure("open", path, "ENOENT");
    return file;
  }

  #opened(fd: Descriptor): File {
    const file = this.#open.get(fd);
    if (file === undefined) throw failure("use", String(fd), "EBADF");
    return file;
  }
}

function failure(operation: string, path: string, errno: string): StorageError {
  return new StorageError("DISK", `${operation} ${path}: ${errno}`, {
    facts: { operation, path, errno },
  });
}
