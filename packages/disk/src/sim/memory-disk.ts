import { compareUtf8, makeRandom, type Random } from "@varve/bytes";
import type { Descriptor, DiskLock, OpenMode } from "@varve/contracts";
import { diskFailure, lockedFailure, type Operation } from "../failure.ts";
import { Crash, type FaultScript, type SimDisk, type SimDiskOptions } from "./api.ts";
import { SimDirectory } from "./directory.ts";
import { SimFile } from "./file.ts";
import { imageOf, type Survival } from "./image.ts";
import { bytesBelow, checkReplaced, checkSynced, find, place } from "./tree.ts";

interface OpenFile {
  readonly file: SimFile | SimDirectory;
  readonly path: string;
  readonly writes: boolean;
}

/** The state and the operations of a simulated disk. */
export class MemoryDisk implements SimDisk {
  readonly seed: number;
  operations = 0;
  crashAt: number;
  fault: FaultScript | undefined;
  crashed = false;
  readonly #bytesMax: number;
  readonly #random: Random;
  readonly #root: SimDirectory;
  readonly #open = new Map<Descriptor, OpenFile>();
  readonly #locked = new Map<string, string>();
  readonly #counts = new Map<Operation, number>();
  #nextDescriptor = 3;
  #bytes: number;

  constructor(options: SimDiskOptions, root: SimDirectory) {
    const { seed = 1, crashAt = 0, fault, bytesMax = 2 ** 40 } = options;
    this.seed = seed;
    this.crashAt = crashAt;
    this.fault = fault;
    this.#bytesMax = bytesMax;
    this.#random = makeRandom(seed);
    this.#root = root;
    this.#bytes = bytesBelow(root);
  }

  count(operation: Operation): number {
    return this.#counts.get(operation) ?? 0;
  }

  crash(): void {
    this.crashed = true;
  }

  image(survival: Survival, seed: number = this.#random.word()): SimDisk {
    const root = imageOf(this.#root, survival, seed);
    return new MemoryDisk({ seed, bytesMax: this.#bytesMax }, root);
  }

  open(path: string, mode: OpenMode): Descriptor {
    this.#step("open", path);
    const { parent, name, entry } = place(this.#root, path, "open");
    let file = entry;
    if (mode === "create") {
      if (file !== undefined) throw diskFailure("open", path, "EEXIST");
      file = new SimFile();
      file.references += 1;
      parent.change(this.operations, undefined, name, file);
    }
    if (file === undefined) throw diskFailure("open", path, "ENOENT");
    if (file instanceof SimFile) file.references += 1;
    else if (mode !== "read") throw diskFailure("open", path, "EISDIR");
    const fd = this.#nextDescriptor;
    this.#nextDescriptor += 1; // Never used again, so that a descriptor closed twice is found out.
    this.#open.set(fd, { file, path, writes: mode !== "read" });
    return fd;
  }

  write(fd: Descriptor, bytes: Uint8Array, from: number, length: number, position: number): number {
    const file = this.#writable("write", fd);
    const limit = this.#stepFile("write", fd);
    const free = this.#bytesMax - this.#bytes + Math.max(0, file.cache.size - position);
    const count = Math.min(length, Math.max(0, free), limit);
    if (count <= 0 && length > 0) throw diskFailure("write", this.#pathOf(fd), "ENOSPC");
    if (count <= 0) return 0; // Nothing asked for: the file does not grow.
    const before = file.cache.size;
    file.write(this.operations, bytes, from, count, position);
    this.#bytes += file.cache.size - before;
    return count;
  }

  read(fd: Descriptor, bytes: Uint8Array, from: number, length: number, position: number): number {
    const file = this.#fileOf("read", fd);
    const limit = this.#stepFile("read", fd);
    const { cache } = file;
    const count = Math.min(length, limit, Math.max(0, cache.size - position), bytes.length - from);
    if (count > 0) bytes.set(cache.bytes.subarray(position, position + count), from);
    return count;
  }

  datasync(fd: Descriptor): void {
    const file = this.#fileOf("datasync", fd);
    try {
      this.#stepFile("datasync", fd);
    } catch (error) {
      // The kernel marks the pages clean all the same: a second sync would succeed without them.
      if (!this.crashed) file.dropPending(this.operations);
      throw error;
    }
    file.persist(this.operations);
  }

  async datasyncAsync(fd: Descriptor): Promise<void> {
    const file = this.#fileOf("datasync", fd);
    let failure: unknown;
    try {
      this.#stepFile("datasync", fd);
    } catch (error) {
      failure = error;
    }
    const until = this.operations; // What is written while this waits may miss this sync.
    await Promise.resolve();
    if (this.crashed) throw this.#crash();
    if (failure === undefined) {
      file.persist(until);
      return;
    }
    file.dropPending(until);
    throw failure;
  }

  syncDirectory(path: string): void {
    const directory = find(this.#root, path);
    try {
      this.#step("syncDirectory", path);
    } catch (error) {
      if (!this.crashed && directory instanceof SimDirectory) {
        directory.dropPending(this.operations);
      }
      throw error;
    }
    checkSynced(directory, path).persist(this.operations);
  }

  async syncDirectoryAsync(path: string): Promise<void> {
    const directory = find(this.#root, path);
    let failure: unknown;
    try {
      this.#step("syncDirectory", path);
    } catch (error) {
      failure = error;
    }
    const until = this.operations; // What changes while this waits may miss this sync.
    await Promise.resolve();
    if (this.crashed) throw this.#crash();
    const synced = checkSynced(directory, path);
    if (failure === undefined) {
      synced.persist(until);
      return;
    }
    synced.dropPending(until);
    throw failure;
  }

  truncate(fd: Descriptor, size: number): void {
    const file = this.#writable("truncate", fd);
    this.#stepFile("truncate", fd);
    const before = file.cache.size;
    file.truncate(this.operations, size);
    this.#bytes += size - before;
  }

  size(fd: Descriptor): number {
    const file = this.#fileOf("size", fd);
    this.#stepFile("size", fd);
    return file.cache.size;
  }

  close(fd: Descriptor): void {
    const path = this.#pathOf(fd);
    if (!this.#open.has(fd)) {
      this.#step("close", path);
      throw diskFailure("close", path, "EBADF");
    }
    try {
      this.#step("close", path);
    } finally {
      // A close that fails has closed it all the same.
      const { file } = this.#open.get(fd)!;
      this.#open.delete(fd);
      if (file instanceof SimFile) this.#dereference(file);
    }
  }

  rename(from: string, to: string): void {
    this.#step("rename", from);
    const source = place(this.#root, from, "rename");
    const target = place(this.#root, to, "rename");
    const { entry } = source;
    if (entry === undefined) throw diskFailure("rename", from, "ENOENT");
    if (entry === target.entry) return;
    checkReplaced(entry, target.entry, to);
    if (source.parent === target.parent) {
      source.parent.change(this.operations, source.name, target.name, entry);
    } else {
      const added = target.parent.change(this.operations, undefined, target.name, entry);
      source.parent.change(this.operations, source.name, undefined, undefined, added);
    }
    if (target.entry instanceof SimFile) this.#dereference(target.entry);
  }

  link(from: string, to: string): void {
    this.#step("link", from);
    const { entry } = place(this.#root, from, "link");
    const target = place(this.#root, to, "link");
    if (entry === undefined) throw diskFailure("link", from, "ENOENT");
    if (entry instanceof SimDirectory) throw diskFailure("link", from, "EPERM");
    if (target.entry !== undefined) throw diskFailure("link", to, "EEXIST");
    entry.references += 1;
    target.parent.change(this.operations, undefined, target.name, entry);
  }

  unlink(path: string): void {
    this.#step("unlink", path);
    const { parent, name, entry } = place(this.#root, path, "unlink");
    if (entry === undefined) throw diskFailure("unlink", path, "ENOENT");
    if (entry instanceof SimDirectory) throw diskFailure("unlink", path, "EISDIR");
    parent.change(this.operations, name);
    this.#dereference(entry);
  }

  makeDirectory(path: string): void {
    this.#step("makeDirectory", path);
    if (find(this.#root, path) instanceof SimDirectory) return;
    const { parent, name, entry } = place(this.#root, path, "makeDirectory");
    if (entry !== undefined) throw diskFailure("makeDirectory", path, "EEXIST");
    parent.change(this.operations, undefined, name, new SimDirectory());
  }

  removeDirectory(path: string): void {
    this.#step("removeDirectory", path);
    const { parent, name, entry } = place(this.#root, path, "removeDirectory");
    if (entry === undefined) throw diskFailure("removeDirectory", path, "ENOENT");
    if (entry instanceof SimFile) throw diskFailure("removeDirectory", path, "ENOTDIR");
    if (entry.names.size > 0) throw diskFailure("removeDirectory", path, "ENOTEMPTY");
    parent.change(this.operations, name);
  }

  list(path: string): string[] {
    this.#step("list", path);
    const entry = find(this.#root, path);
    if (entry === undefined) return [];
    if (entry instanceof SimFile) throw diskFailure("list", path, "ENOTDIR");
    return [...entry.names.keys()].toSorted(compareUtf8);
  }

  kind(path: string): "file" | "directory" | "other" | "none" {
    this.#step("kind", path);
    const entry = find(this.#root, path);
    if (entry === undefined) return "none";
    return entry instanceof SimFile ? "file" : "directory";
  }

  free(path: string): number {
    this.#step("free", path);
    if (find(this.#root, path) === undefined) throw diskFailure("free", path, "ENOENT");
    return Math.max(0, this.#bytesMax - this.#bytes);
  }

  /** Held until released or until the disk crashes: an image has no locks, as after the death of a process. */
  lock(path: string): DiskLock {
    this.#step("lock", path);
    const { parent, name, entry } = place(this.#root, path, "lock");
    if (entry instanceof SimDirectory) throw diskFailure("lock", path, "EISDIR");
    const since = this.#locked.get(path);
    if (since !== undefined) {
      throw lockedFailure(path, { pid: process.pid, host: "simulated", since });
    }
    if (entry === undefined) {
      const file = new SimFile();
      file.references += 1;
      parent.change(this.operations, undefined, name, file);
    }
    this.#locked.set(path, `operation ${this.operations}`);
    let isHeld = true;
    return {
      release: (): void => {
        if (isHeld) this.#locked.delete(path);
        isHeld = false;
      },
    };
  }

  /** Counts an operation and lets the crash and the fault script have their say: the most bytes it may move. */
  #step(operation: Operation, path: string): number {
    if (this.crashed) throw this.#crash();
    this.operations += 1;
    this.#counts.set(operation, this.count(operation) + 1);
    if (this.operations === this.crashAt) {
      this.crashed = true;
      throw this.#crash();
    }
    const fault = this.fault?.(this.operations, operation, path);
    if (typeof fault === "string") throw diskFailure(operation, path, fault);
    return fault ?? Number.MAX_SAFE_INTEGER;
  }

  #stepFile(operation: Operation, fd: Descriptor): number {
    return this.#step(operation, this.#pathOf(fd));
  }

  #crash(): Crash {
    return new Crash(
      `the disk has crashed, after ${this.operations} operations (seed ${this.seed})`,
    );
  }

  #pathOf(fd: Descriptor): string {
    return this.#open.get(fd)?.path ?? `descriptor ${fd}`;
  }

  #fileOf(operation: Operation, fd: Descriptor): SimFile {
    const file = this.#open.get(fd)?.file;
    if (this.crashed) throw this.#crash();
    if (file === undefined) throw diskFailure(operation, this.#pathOf(fd), "EBADF");
    if (file instanceof SimDirectory) throw diskFailure(operation, this.#pathOf(fd), "EISDIR");
    return file;
  }

  #writable(operation: Operation, fd: Descriptor): SimFile {
    const file = this.#fileOf(operation, fd);
    if (!this.#open.get(fd)!.writes) throw diskFailure(operation, this.#pathOf(fd), "EBADF");
    return file;
  }

  #dereference(file: SimFile): void {
    file.references -= 1;
    if (file.references === 0) this.#bytes -= file.cache.size;
  }
}
