import { compareUtf8, makeRandom, type Random } from "@varve/bytes";
import type { Descriptor, DiskLock, OpenMode } from "@varve/contracts";
import { diskFailure, type Operation } from "../failure.ts";
import { MemoryLocks } from "../memory-locks.ts";
import type { SimDisk, SimDiskOptions } from "./api.ts";
import { SimDirectory } from "./directory.ts";
import { SimFile } from "./file.ts";
import { imageOf, imageOfSubset, pendingOf, type Survival } from "./image.ts";
import { Syncs } from "./syncs.ts";
import { bytesBelow, checkReplaced, find, place } from "./tree.ts";

interface OpenFile {
  readonly file: SimFile | SimDirectory;
  readonly path: string;
  readonly writes: boolean;
}

/** The state and the operations of a simulated disk. */
export class MemoryDisk extends Syncs implements SimDisk {
  readonly #bytesMax: number;
  readonly #random: Random;
  readonly #open = new Map<Descriptor, OpenFile>();
  readonly #locks = new MemoryLocks("simulated");
  #nextDescriptor = 3;
  #bytes: number;

  constructor(options: SimDiskOptions, root: SimDirectory) {
    super(options, root);
    this.#bytesMax = options.bytesMax ?? 2 ** 40;
    this.#random = makeRandom(this.seed);
    this.#bytes = bytesBelow(root);
  }

  image(survival: Survival, seed: number = this.#random.word()): SimDisk {
    return this.#from(imageOf(this.root, this.model, survival, seed), seed);
  }

  get pending(): number {
    return pendingOf(this.root);
  }

  imageOfSubset(kept: number): SimDisk {
    return this.#from(imageOfSubset(this.root, kept), this.seed);
  }

  open(path: string, mode: OpenMode): Descriptor {
    this.step("open", path);
    const { parent, name, entry } = place(this.root, path, "open");
    let file = entry;
    if (mode === "create") {
      if (file !== undefined) throw diskFailure("open", path, "EEXIST");
      file = new SimFile();
      file.references += 1;
      file.changedAt = this.operations;
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
    this.sync("datasync", this.#pathOf(fd), this.#fileOf("datasync", fd));
  }

  async datasyncAsync(fd: Descriptor): Promise<void> {
    await this.syncBeside("datasync", this.#pathOf(fd), this.#fileOf("datasync", fd));
  }

  syncDirectory(path: string): void {
    const directory = find(this.root, path);
    this.sync("syncDirectory", path, directory instanceof SimDirectory ? directory : undefined);
  }

  async syncDirectoryAsync(path: string): Promise<void> {
    const directory = find(this.root, path);
    const target = directory instanceof SimDirectory ? directory : undefined;
    await this.syncBeside("syncDirectory", path, target);
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
      this.step("close", path);
      throw diskFailure("close", path, "EBADF");
    }
    try {
      this.step("close", path);
    } finally {
      // A close that fails has closed it all the same.
      const { file } = this.#open.get(fd)!;
      this.#open.delete(fd);
      if (file instanceof SimFile) this.#dereference(file);
    }
  }

  rename(from: string, to: string): void {
    this.step("rename", from);
    const source = place(this.root, from, "rename");
    const target = place(this.root, to, "rename");
    const { entry } = source;
    if (entry === undefined) throw diskFailure("rename", from, "ENOENT");
    if (entry === target.entry) return;
    checkReplaced(entry, target.entry, to);
    if (this.model === "ext4" && entry instanceof SimFile && target.entry !== undefined) {
      entry.persist(this.operations); // Its bytes go to the device before the name does.
    }
    if (source.parent === target.parent) {
      source.parent.change(this.operations, source.name, target.name, entry);
    } else {
      const added = target.parent.change(this.operations, undefined, target.name, entry);
      source.parent.change(this.operations, source.name, undefined, undefined, added);
    }
    if (target.entry instanceof SimFile) this.#dereference(target.entry);
  }

  link(from: string, to: string): void {
    this.step("link", from);
    const { entry } = place(this.root, from, "link");
    const target = place(this.root, to, "link");
    if (entry === undefined) throw diskFailure("link", from, "ENOENT");
    if (entry instanceof SimDirectory) throw diskFailure("link", from, "EPERM");
    if (target.entry !== undefined) throw diskFailure("link", to, "EEXIST");
    entry.references += 1;
    target.parent.change(this.operations, undefined, target.name, entry);
  }

  unlink(path: string): void {
    this.step("unlink", path);
    const { parent, name, entry } = place(this.root, path, "unlink");
    if (entry === undefined) throw diskFailure("unlink", path, "ENOENT");
    if (entry instanceof SimDirectory) throw diskFailure("unlink", path, "EISDIR");
    parent.change(this.operations, name);
    this.#dereference(entry);
  }

  async unlinkAsync(path: string): Promise<void> {
    this.unlink(path);
    await new Promise((resolve) => setImmediate(resolve));
    if (this.crashed) throw this.crashError();
  }

  makeDirectory(path: string): void {
    this.step("makeDirectory", path);
    if (find(this.root, path) instanceof SimDirectory) return;
    const { parent, name, entry } = place(this.root, path, "makeDirectory");
    if (entry !== undefined) throw diskFailure("makeDirectory", path, "EEXIST");
    parent.change(this.operations, undefined, name, new SimDirectory());
  }

  removeDirectory(path: string): void {
    this.step("removeDirectory", path);
    const { parent, name, entry } = place(this.root, path, "removeDirectory");
    if (entry === undefined) throw diskFailure("removeDirectory", path, "ENOENT");
    if (entry instanceof SimFile) throw diskFailure("removeDirectory", path, "ENOTDIR");
    if (entry.names.size > 0) throw diskFailure("removeDirectory", path, "ENOTEMPTY");
    parent.change(this.operations, name);
  }

  list(path: string): string[] {
    this.step("list", path);
    const entry = find(this.root, path);
    if (entry === undefined) return [];
    if (entry instanceof SimFile) throw diskFailure("list", path, "ENOTDIR");
    return [...entry.names.keys()].toSorted(compareUtf8);
  }

  kind(path: string): "file" | "directory" | "other" | "none" {
    this.step("kind", path);
    const entry = find(this.root, path);
    if (entry === undefined) return "none";
    return entry instanceof SimFile ? "file" : "directory";
  }

  free(path: string): number {
    this.step("free", path);
    if (find(this.root, path) === undefined) throw diskFailure("free", path, "ENOENT");
    return Math.max(0, this.#bytesMax - this.#bytes);
  }

  lock(path: string): DiskLock {
    this.step("lock", path);
    const { parent, name, entry } = place(this.root, path, "lock");
    if (entry instanceof SimDirectory) throw diskFailure("lock", path, "EISDIR");
    const lock = this.#locks.take(path, `operation ${this.operations}`);
    if (entry === undefined) {
      const file = new SimFile();
      file.references += 1;
      parent.change(this.operations, undefined, name, file);
    }
    return lock;
  }

  #from(root: SimDirectory, seed: number): SimDisk {
    return new MemoryDisk({ seed, bytesMax: this.#bytesMax, model: this.model }, root);
  }

  #stepFile(operation: Operation, fd: Descriptor): number {
    return this.step(operation, this.#pathOf(fd));
  }

  #pathOf(fd: Descriptor): string {
    return this.#open.get(fd)?.path ?? `descriptor ${fd}`;
  }

  #fileOf(operation: Operation, fd: Descriptor): SimFile {
    const file = this.#open.get(fd)?.file;
    if (this.crashed) throw this.crashError();
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
