import { type Disk, isStorageError } from "@varve/contracts";
import { fileName } from "./format.ts";
import { freeName } from "./quarantine.ts";
import type { FoundFile } from "./sealed-scan.ts";
import type { SpentFiles } from "./spent-files.ts";

export interface VoidFilesOptions {
  readonly disk: Disk;
  readonly dir: string;
  readonly quarantineDir: string;
  /** Learns which files hold what is void, and which are gone. */
  readonly spent: SpentFiles;
}

/**
 * Files of which nothing counts. They go once marks of this life are synced: until then the only ones that
 * state the trusted place may be in them.
 */
export class VoidFiles {
  /** Where files went that hold bytes which are no records: what tore or damaged them is worth a look. */
  readonly moved: string[] = [];
  readonly #options: VoidFilesOptions;
  readonly #files: FoundFile[];

  constructor(options: VoidFilesOptions, files: readonly FoundFile[]) {
    this.#options = options;
    this.#files = files.slice();
    for (const { number } of files) options.spent.holdsVoid(number);
  }

  /** Removes files until the time is over. One that cannot be removed stays void. */
  retire(untilMs: number): void {
    while (this.#files.length > 0) {
      const file = this.#files.pop()!;
      try {
        this.#remove(file);
        this.#options.spent.left(file.number);
      } catch (error) {
        if (!isStorageError(error)) throw error; // The next opening tries again.
      }
      if (performance.now() >= untilMs) return;
    }
  }

  #remove({ number, gaps }: FoundFile): void {
    const { disk, dir, quarantineDir } = this.#options;
    const path = `${dir}/${fileName(number)}`;
    if (gaps.length === 0) {
      disk.unlink(path);
      return;
    }
    disk.makeDirectory(quarantineDir);
    const moved = freeName(disk, `${quarantineDir}/sealed-${fileName(number)}`);
    disk.rename(path, moved);
    this.moved.push(moved);
  }
}
