import { type Disk, isStorageError } from "@varve/contracts";
import { fileName, fileOf } from "./format.ts";

/** Files of `sealed/` by how many of their chunks are still needed: one of which none is goes. */
export class SpentFiles {
  /** Files removed since open. */
  removed = 0;
  readonly #disk: Disk;
  readonly #dir: string;
  readonly #chunks = new Map<number, number>();
  /** Files that hold nothing that is needed. */
  readonly #spent = new Set<number>();
  /** By file, the one whose end its first mark names: all between is void. */
  readonly #before = new Map<number, number>();
  /** Files with records that do not count, until they are gone for good. */
  readonly #void = new Set<number>();
  /** Those of them that are gone, but may come back after a crash. */
  readonly #leaving: number[] = [];

  constructor(disk: Disk, dir: string) {
    this.#disk = disk;
    this.#dir = dir;
  }

  /** There is a file, begun after a place. Unless a chunk of it is counted as written, it is spent. */
  add(file: number, after: number): void {
    this.#spent.add(file);
    if (after > 0) this.#before.set(file, fileOf(after));
  }

  /** Records of the file do not count, because of a later file's first mark. */
  holdsVoid(file: number): void {
    this.#void.add(file);
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

  /** The file is removed. */
  left(file: number): void {
    this.#before.delete(file);
    if (this.#void.has(file)) this.#leaving.push(file);
  }

  /**
   * Removes spent files before `until`, which holds a synced mark, until the time is over. One that cannot be removed stays:
   * the next opening finds it spent again.
   */
  async remove(until: number, untilMs: number, onRemove: (file: number) => void): Promise<void> {
    for (const file of this.#spent) {
      if (file >= until || this.#isNeededByOthers(file)) continue;
      this.#spent.delete(file);
      onRemove(file);
      try {
        await this.#disk.unlinkAsync(`${this.#dir}/${fileName(file)}`);
        this.removed += 1;
        this.left(file);
      } catch (error) {
        if (!isStorageError(error)) throw error;
      }
      if (performance.now() >= untilMs) break;
    }
    await this.#settle();
  }

  /**
   * A file's first mark alone tells if the file before it, which is needed, is cut short, and alone keeps records void
   * that are still there.
   */
  #isNeededByOthers(file: number): boolean {
    const before = this.#before.get(file) ?? file;
    if (this.#chunks.has(before)) return true;
    if (this.#void.size === 0) return false;
    for (let each = before; each < file; each += 1) if (this.#void.has(each)) return true;
    return false;
  }

  /** Makes the removal of void records durable. After a failure they may come back: what voids them stays. */
  async #settle(): Promise<void> {
    const gone = this.#leaving.splice(0);
    if (gone.length === 0) return;
    try {
      await this.#disk.syncDirectoryAsync(this.#dir);
    } catch (error) {
      if (!isStorageError(error)) throw error;
      return;
    }
    for (const file of gone) this.#void.delete(file);
  }
}
