import type { Descriptor, Disk, DiskLock, OpenMode } from "@varve/contracts";
import { nodeDisk } from "@varve/disk/node";

/**
 * The real disk, until `stopSyncing`: after that, what is written need not survive. For stores that are removed
 * once they were measured and read back: closing one with a file a series would sync ten thousand files first.
 */
export class ThrowawayDisk implements Disk {
  readonly #disk = nodeDisk();
  #syncs = true;

  stopSyncing(): void {
    this.#syncs = false;
  }

  open(path: string, mode: OpenMode): Descriptor {
    return this.#disk.open(path, mode);
  }

  write(fd: Descriptor, bytes: Uint8Array, from: number, length: number, position: number): number {
    return this.#disk.write(fd, bytes, from, length, position);
  }

  read(fd: Descriptor, bytes: Uint8Array, from: number, length: number, position: number): number {
    return this.#disk.read(fd, bytes, from, length, position);
  }

  datasync(fd: Descriptor): void {
    if (this.#syncs) this.#disk.datasync(fd);
  }

  async datasyncAsync(fd: Descriptor): Promise<void> {
    if (this.#syncs) await this.#disk.datasyncAsync(fd);
  }

  syncDirectory(path: string): void {
    if (this.#syncs) this.#disk.syncDirectory(path);
  }

  async syncDirectoryAsync(path: string): Promise<void> {
    if (this.#syncs) await this.#disk.syncDirectoryAsync(path);
  }

  truncate(fd: Descriptor, size: number): void {
    this.#disk.truncate(fd, size);
  }

  size(fd: Descriptor): number {
    return this.#disk.size(fd);
  }

  close(fd: Descriptor): void {
    this.#disk.close(fd);
  }

  rename(from: string, to: string): void {
    this.#disk.rename(from, to);
  }

  link(from: string, to: string): void {
    this.#disk.link(from, to);
  }

  unlink(path: string): void {
    this.#disk.unlink(path);
  }

  unlinkAsync(path: string): Promise<void> {
    return this.#disk.unlinkAsync(path);
  }

  makeDirectory(path: string): void {
    this.#disk.makeDirectory(path);
  }

  removeDirectory(path: string): void {
    this.#disk.removeDirectory(path);
  }

  list(path: string): string[] {
    return this.#disk.list(path);
  }

  kind(path: string): "file" | "directory" | "other" | "none" {
    return this.#disk.kind(path);
  }

  free(path: string): number {
    return this.#disk.free(path);
  }

  lock(path: string): DiskLock {
    return this.#disk.lock(path);
  }
}
