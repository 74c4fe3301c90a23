import { type Descriptor, type Disk, isStorageError } from "@varve/contracts";
import { fileName, placeOf } from "./format.ts";

/** No descriptor: the file is closed. */
const CLOSED: Descriptor = -1;

/** A file that may hold what is not durable yet. */
export interface SealedFile {
  readonly number: number;
  readonly path: string;
  fd: Descriptor;
  /** Syncs that use `fd` now: it is closed when the last is done. */
  holds: number;
  chunks: number;
  /** Bytes that hold whole records, and how many of them are synced. */
  length: number;
  synced: number;
  /** Its name is durable. */
  isNamed: boolean;
}

/** What `sealed/` held at open, and where to go on. */
export interface SealedState {
  /** The number of the next file. */
  readonly nextNumber: number;
  /** Up to where records count. */
  readonly trusted: number;
}

/** The files of `sealed/` that are written or not yet synced: makes them, syncs them in order, gives them up. */
export class SealedFiles {
  filesCreated = 0;
  syncs = 0;
  /** All records before this place are synced, and so are their files' names. */
  durable: number;
  /** The file that is written to. */
  current: SealedFile | undefined;
  /** A sync has failed since the last `lose`. */
  isLost = false;
  readonly #disk: Disk;
  readonly #dir: string;
  #dirty: SealedFile[] = [];
  #nextNumber: number;
  /** Counts losses, so that a sync in flight notices one. */
  #losses = 0;

  constructor(disk: Disk, dir: string, state: SealedState) {
    this.#disk = disk;
    this.#dir = dir;
    this.#nextNumber = state.nextNumber;
    this.durable = state.trusted;
  }

  /** Makes the next file, which becomes the current one. */
  create(): SealedFile {
    const number = this.#nextNumber;
    this.#nextNumber += 1; // Even when this fails: what the failure left behind is never written to again.
    const path = `${this.#dir}/${fileName(number)}`;
    const fd = this.#disk.open(path, "create");
    const file: SealedFile = {
      number,
      path,
      fd,
      holds: 0,
      chunks: 0,
      length: 0,
      synced: 0,
      isNamed: false,
    };
    this.current = file;
    this.#dirty.push(file);
    this.filesCreated += 1;
    return file;
  }

  /** Nothing more is written to the current file. */
  leave(): void {
    const file = this.current;
    this.current = undefined;
    if (file === undefined || file.holds > 0) return; // The last sync that holds it closes it.
    this.#close(file);
  }

  /**
   * Syncs the files in order, at least one and until the time is over, and moves `durable` on. A failed
   * sync is never tried again: it sets `isLost`, and `lose` must be called after it.
   */
  async sync(untilMs: number): Promise<void> {
    const losses = this.#losses;
    const files = this.#dirty.slice(); // Writers may add to it while a sync is under way.
    for (const file of files) {
      const { length } = file;
      if (file.synced === length) continue;
      const fd = this.#hold(file);
      try {
        this.syncs += 1;
        await this.#disk.datasyncAsync(fd);
      } catch (error) {
        if (this.#losses !== losses) return; // Another sync lost it, and told.
        this.isLost = true;
        throw error;
      } finally {
        this.#unhold(file, fd);
      }
      if (this.#losses !== losses) return;
      file.synced = Math.max(file.synced, length);
      if (performance.now() >= untilMs) break;
    }
    const unnamed = this.#unnamed();
    if (unnamed.length > 0) {
      try {
        await this.#disk.syncDirectoryAsync(this.#dir);
      } catch (error) {
        if (this.#losses !== losses) return;
        this.isLost = true;
        throw error;
      }
      if (this.#losses !== losses) return;
      for (const file of unnamed) file.isNamed = true;
    }
    this.#settle();
  }

  /** The same while the caller waits, for all files. */
  syncNow(): void {
    for (const file of this.#dirty) {
      if (file.synced === file.length) continue;
      const fd = this.#hold(file);
      try {
        this.syncs += 1;
        this.#disk.datasync(fd);
      } catch (error) {
        this.isLost = true;
        throw error;
      } finally {
        this.#unhold(file, fd);
      }
      file.synced = file.length;
    }
    const unnamed = this.#unnamed();
    if (unnamed.length > 0) {
      try {
        this.#disk.syncDirectory(this.#dir);
      } catch (error) {
        this.isLost = true;
        throw error;
      }
      for (const file of unnamed) file.isNamed = true;
    }
    this.#settle();
  }

  /**
   * After a failed sync: what was written since the last good one is void, and must be written again, to a file
   * that says so. Answers the numbers of the files that hold it.
   */
  lose(): number[] {
    const files = this.#dirty;
    this.isLost = false;
    this.#losses += 1;
    this.leave();
    this.#dirty = [];
    return files.map(({ number }) => number);
  }

  #close(file: SealedFile): void {
    const { fd } = file;
    file.fd = CLOSED;
    if (fd !== CLOSED) attempt(() => this.#disk.close(fd));
  }

  #hold(file: SealedFile): Descriptor {
    if (file.fd === CLOSED) return this.#disk.open(file.path, "update");
    file.holds += 1;
    return file.fd;
  }

  #unhold(file: SealedFile, fd: Descriptor): void {
    if (fd !== file.fd) {
      attempt(() => this.#disk.close(fd));
      return;
    }
    file.holds -= 1;
    if (file.holds === 0 && file !== this.current) this.#close(file);
  }

  /** Files whose content is synced and whose name is not. */
  #unnamed(): SealedFile[] {
    return this.#dirty.filter((file) => file.synced > 0 && !file.isNamed);
  }

  /** Moves `durable` to the end of the last file synced in order, name included. */
  #settle(): void {
    let done = 0;
    for (const file of this.#dirty) {
      if (file.synced > 0) {
        if (!file.isNamed) break;
        this.durable = Math.max(this.durable, placeOf(file.number, file.synced));
      }
      if (file.synced < file.length || file === this.current) break;
      done += 1;
    }
    this.#dirty.splice(0, done);
  }
}

/** Does what may fail without a loss. Only the world's faults are let pass. */
function attempt(action: () => void): void {
  try {
    action();
  } catch (error) {
    if (!isStorageError(error)) throw error;
  }
}
