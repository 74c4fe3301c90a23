import type { Descriptor, Disk, DiskLock, OpenMode } from "@varve/contracts";
import { Content } from "./content.ts";
import { diskFailure, type Operation } from "./failure.ts";
import { MemoryLocks } from "./memory-locks.ts";
import { OverlayDirectory, OverlayFile, OverlayTree } from "./overlay/tree.ts";
import { readFully } from "./transfer.ts";

/**
 * A disk in memory above another: what it lacks is read from the base, and everything that is written, created,
 * cut, renamed, linked or removed stays in memory. The base is never changed.
 *
 * For opening a directory read-only beside its writer, and for dry runs. Of a file, memory holds what is behind the first
 * byte that was written: what is cut off or appended costs no copy of what stays. Syncs succeed and do nothing; a lock is granted without a look at the base's, and excludes only openers of this
 * overlay. A file that the base loses between `list` and `open` is gone here too (DISK, ENOENT): try again. Names
 * count as they are spelled: reach a directory by one path only, not by "/a" here and "../a" there.
 */
export function overlayDisk(base: Disk): Disk {
  return new OverlayDisk(base);
}

interface OpenFile {
  readonly file: OverlayFile;
  readonly path: string;
  readonly writes: boolean;
  /** Open for reading on the base; -1 if all of the bytes were in memory already. */
  readonly baseFd: Descriptor;
}

class OverlayDisk implements Disk {
  readonly isVolatile = true;
  readonly #base: Disk;
  readonly #tree: OverlayTree;
  readonly #open = new Map<Descriptor, OpenFile>();
  readonly #locks = new MemoryLocks("overlay");
  #nextDescriptor = 3;

  constructor(base: Disk) {
    this.#base = base;
    this.#tree = new OverlayTree(base);
  }

  open(path: string, mode: OpenMode): Descriptor {
    const { parent, name, entry } = this.#tree.place(path, "open");
    let file = entry;
    if (mode === "create") {
      if (file !== undefined) throw diskFailure("open", path, "EEXIST");
      file = new OverlayFile("", new Content());
    }
    if (file === undefined) throw diskFailure("open", path, "ENOENT");
    if (file instanceof OverlayDirectory) throw diskFailure("open", path, "EISDIR");
    const baseFd = file.needsBase ? this.#base.open(file.base, "read") : -1;
    parent.names.set(name, file);
    const fd = this.#nextDescriptor;
    this.#nextDescriptor += 1;
    this.#open.set(fd, { file, path, writes: mode !== "read", baseFd });
    return fd;
  }

  write(fd: Descriptor, bytes: Uint8Array, from: number, length: number, position: number): number {
    const file = this.#own("write", fd);
    if (length === 0) return 0;
    if (position < file.kept) this.#take(file, fd, position);
    file.content.write(bytes, from, length, position - file.kept);
    return length;
  }

  read(fd: Descriptor, bytes: Uint8Array, from: number, length: number, position: number): number {
    const { file, baseFd } = this.#fileOf("read", fd);
    const { content, kept } = file;
    if (content === undefined) return this.#base.read(baseFd, bytes, from, length, position);
    let below = 0;
    if (position < kept) {
      const wanted = Math.min(length, kept - position);
      below = this.#base.read(baseFd, bytes, from, wanted, position);
      if (below < wanted) return below;
    }
    const into = from + below;
    const at = position + below - kept;
    const room = Math.min(length - below, bytes.length - into);
    const there = Math.min(room, Math.max(0, content.size - at));
    if (there > 0) bytes.set(content.bytes.subarray(at, at + there), into);
    return below + there;
  }

  datasync(fd: Descriptor): void {
    this.#fileOf("datasync", fd);
  }

  async datasyncAsync(fd: Descriptor): Promise<void> {
    this.datasync(fd);
  }

  syncDirectory(path: string): void {
    const kind = this.kind(path);
    if (kind === "none") throw diskFailure("syncDirectory", path, "ENOENT");
    if (kind !== "directory") throw diskFailure("syncDirectory", path, "ENOTDIR");
  }

  async syncDirectoryAsync(path: string): Promise<void> {
    this.syncDirectory(path);
  }

  truncate(fd: Descriptor, size: number): void {
    const file = this.#own("truncate", fd);
    file.content.resize(Math.max(0, size - file.kept));
    file.kept = Math.min(file.kept, size);
  }

  size(fd: Descriptor): number {
    const { file, baseFd } = this.#fileOf("size", fd);
    return file.content === undefined ? this.#base.size(baseFd) : file.kept + file.content.size;
  }

  close(fd: Descriptor): void {
    const open = this.#open.get(fd);
    if (open === undefined) throw diskFailure("close", `descriptor ${fd}`, "EBADF");
    this.#open.delete(fd);
    if (open.baseFd >= 0) this.#base.close(open.baseFd);
  }

  rename(from: string, to: string): void {
    const source = this.#tree.place(from, "rename");
    const target = this.#tree.place(to, "rename");
    const { entry } = source;
    if (entry === undefined) throw diskFailure("rename", from, "ENOENT");
    if (source.parent === target.parent && source.name === target.name) return;
    if (entry === target.entry) return; // Two names of one file.
    this.#checkReplaced(entry, target.entry, to);
    target.parent.names.set(target.name, entry);
    source.parent.hide(source.name);
  }

  link(from: string, to: string): void {
    const source = this.#tree.place(from, "link");
    const target = this.#tree.place(to, "link");
    const { entry } = source;
    if (entry === undefined) throw diskFailure("link", from, "ENOENT");
    if (entry instanceof OverlayDirectory) throw diskFailure("link", from, "EPERM");
    if (this.#tree.kindOf(entry) === "other") throw diskFailure("link", from, "ELOOP");
    if (target.entry !== undefined) throw diskFailure("link", to, "EEXIST");
    source.parent.names.set(source.name, entry);
    target.parent.names.set(target.name, entry);
  }

  unlink(path: string): void {
    const { parent, name, entry } = this.#tree.place(path, "unlink");
    if (entry === undefined) throw diskFailure("unlink", path, "ENOENT");
    if (entry instanceof OverlayDirectory) throw diskFailure("unlink", path, "EISDIR");
    parent.hide(name);
  }

  async unlinkAsync(path: string): Promise<void> {
    this.unlink(path);
  }

  makeDirectory(path: string): void {
    if (this.kind(path) === "directory") return;
    const { parent, name, entry } = this.#tree.place(path, "makeDirectory");
    if (entry !== undefined) throw diskFailure("makeDirectory", path, "EEXIST");
    parent.names.set(name, new OverlayDirectory(""));
  }

  removeDirectory(path: string): void {
    const { parent, name, entry } = this.#tree.place(path, "removeDirectory");
    if (entry === undefined) throw diskFailure("removeDirectory", path, "ENOENT");
    if (entry instanceof OverlayFile) throw diskFailure("removeDirectory", path, "ENOTDIR");
    if (this.#tree.list(entry).length > 0) throw diskFailure("removeDirectory", path, "ENOTEMPTY");
    parent.hide(name);
  }

  list(path: string): string[] {
    const entry = this.#tree.find(path);
    if (entry === undefined) return [];
    if (entry instanceof OverlayFile) {
      throw diskFailure("list", path, this.#tree.kindOf(entry) === "other" ? "ELOOP" : "ENOTDIR");
    }
    return this.#tree.list(entry);
  }

  kind(path: string): "file" | "directory" | "other" | "none" {
    const entry = this.#tree.find(path);
    return entry === undefined ? "none" : this.#tree.kindOf(entry);
  }

  /** The base's, where the base has the directory or one above it: what is written here takes nothing of it. */
  free(path: string): number {
    if (this.kind(path) === "none") throw diskFailure("free", path, "ENOENT");
    let at = path;
    while (this.#base.kind(at) === "none") {
      const end = at.lastIndexOf("/");
      if (end <= 0) return this.#base.free(end === 0 ? "/" : ".");
      at = at.slice(0, end);
    }
    return this.#base.free(at);
  }

  lock(path: string): DiskLock {
    const { parent, name, entry } = this.#tree.place(path, "lock");
    if (entry instanceof OverlayDirectory) throw diskFailure("lock", path, "EISDIR");
    const lock = this.#locks.take(path, new Date().toISOString());
    if (entry === undefined) parent.names.set(name, new OverlayFile("", new Content()));
    return lock;
  }

  /** A file that is about to change: what the base appends to it from now on does not show. */
  #own(operation: Operation, fd: Descriptor): OverlayFile & { content: Content } {
    const { file, path, writes, baseFd } = this.#fileOf(operation, fd);
    if (!writes) throw diskFailure(operation, path, "EBADF");
    if (file.content === undefined) {
      file.kept = this.#base.size(baseFd);
      file.content = new Content();
    }
    return file as OverlayFile & { content: Content };
  }

  /** Takes what the base has behind `position` into memory. */
  #take(file: OverlayFile & { content: Content }, fd: Descriptor, position: number): void {
    const { baseFd } = this.#fileOf("write", fd);
    const { content, kept } = file;
    const bytes = new Uint8Array(kept - position + content.size);
    readFully(this.#base, baseFd, bytes, 0, kept - position, position);
    bytes.set(content.bytes.subarray(0, content.size), kept - position);
    file.content = new Content(bytes, bytes.length, false);
    file.kept = position;
  }

  #fileOf(operation: Operation, fd: Descriptor): OpenFile {
    const open = this.#open.get(fd);
    if (open === undefined) throw diskFailure(operation, `descriptor ${fd}`, "EBADF");
    return open;
  }

  /** Refuses a rename over something that it must not replace. */
  #checkReplaced(
    entry: OverlayFile | OverlayDirectory,
    replaced: OverlayFile | OverlayDirectory | undefined,
    to: string,
  ): void {
    if (replaced === undefined) return;
    if (entry instanceof OverlayFile) {
      if (replaced instanceof OverlayDirectory) throw diskFailure("rename", to, "EISDIR");
      return;
    }
    if (replaced instanceof OverlayFile) throw diskFailure("rename", to, "ENOTDIR");
    if (this.#tree.list(replaced).length > 0) throw diskFailure("rename", to, "ENOTEMPTY");
  }
}
