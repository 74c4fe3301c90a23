import { type Disk, isStorageError } from "@varve/contracts";
import { fileName } from "./format.ts";

/** Files of `sealed/` by how many of their chunks are still needed: one of which none is goes. */
export class SpentFiles {
  /** Files removed since open. */
  removed = 0;
  readonly #disk: Disk;
  readonly #dir: string;
  readonly #chunks = new Map<number, number>();
  /** Files that hold nothing that is needed. */
  readonly #spent = new Set<number>();

  constructor(disk: Disk, dir: string) {
    this.#disk = disk;
    this.#dir = dir;
  }

  /** A file was there at open: unless a chunk of it is counted as written, it is spent. */
  found(file: number): void {
    if (!this.#chunks.has(file)) this.#spent.add(file);
  }

  /** A chunk lies in the file. */
  written(file: number): void {
    this.#chunks.set(file, (this.#chunks.get(file) ?? 0) + 1);
    this.#spent.delete(file);
  }

  /** A chunk of the file is not needed there any more. */
  released(file: number): void {
    const count = this.#chunks.get(file)! - 1;
    if (count > 0) {
      this.#chunks.set(file, count);
      return;
    }
    this.#chunks.delete(file);
    this.#spent.add(file);
  }

  /**
   * Removes spent files before `until`, which holds a synced mark, until the time is over. One that cannot be removed
   * stays: the next opening finds it spent again.
   */
  async remove(until: number, untilMs: number, onRemove: (file: number) => void): Promise<void> {
    for (const file of this.#spent) {
      if (file >= until) continue;
      this.#spent.delete(file);
      onRemove(file);
      try {
        await this.#disk.unlinkAsync(`${this.#dir}/${fileName(file)}`);
        this.removed += 1;
      } catch (error) {
        if (!isStorageError(error)) throw error;
      }
      if (performance.now() >= untilMs) return;
    }
  }
}
