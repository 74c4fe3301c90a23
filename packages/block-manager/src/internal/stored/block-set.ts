import {
  isStorageError,
  type BlocksPin,
  type Disk,
  type Pause,
  type StoredBlock,
} from "@varve/contracts";
import { removeTreeAsync } from "@varve/disk/transfer";
import type { BlockReader } from "@varve/prometheus-block";
import type { Pins, Stamp } from "../pins.ts";

/** Ends the name of a block that is being removed: what a crash leaves of it goes at the next opening. */
export const REMOVED = ".tmp-for-deletion";

interface Retired {
  readonly reader: BlockReader;
  readonly stamp: Stamp;
}

/** The blocks that are seen, and those that only pins from before still see. */
export class BlockSet {
  readonly #disk: Disk;
  readonly #dir: string;
  readonly #pins: Pins;
  #readers: readonly BlockReader[];
  readonly #retired: Retired[] = [];

  constructor(disk: Disk, dir: string, pins: Pins, readers: readonly BlockReader[]) {
    this.#disk = disk;
    this.#dir = dir;
    this.#pins = pins;
    this.#readers = readers.toSorted(byTime);
  }

  /** By their first time, then by their id. */
  get readers(): readonly BlockReader[] {
    return this.#readers;
  }

  get bytes(): number {
    return this.#readers.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Shows a block, and takes those away that it stands for: for pins that come, in one step. */
  replace(gone: readonly BlockReader[], added: readonly BlockReader[]): void {
    const stamp = this.#pins.stamp();
    this.#readers = [
      ...this.#readers.filter((reader) => !gone.includes(reader)),
      ...added,
    ].toSorted(byTime);
    for (const reader of gone) this.#retired.push({ reader, stamp });
  }

  pin(from: number, until: number): BlocksPin {
    const blocks = this.#readers.filter(
      ({ minTime, maxTime }) => minTime < until && maxTime > from,
    );
    return new SetPin(this.#pins, blocks);
  }

  /** Whether blocks wait to be removed, and nobody sees them. */
  get hasFree(): boolean {
    const first = this.#retired[0];
    return first !== undefined && this.#pins.isFree(first.stamp);
  }

  /** Removes blocks that nobody sees any more. What cannot be removed goes at the next opening. */
  async removeFree(pause: Pause): Promise<void> {
    while (this.hasFree) {
      const { reader } = this.#retired.shift()!;
      reader.close();
      const path = `${this.#dir}/${reader.id}`;
      try {
        await this.#unname(path);
        await removeTreeAsync(this.#disk, path + REMOVED);
        await pause();
      } catch (error) {
        if (!isStorageError(error) || error.code === "ABORTED") throw error;
      }
    }
  }

  /** Takes a block's name away, durably. Otherwise it keeps it: half a block must not come back under it. */
  async #unname(path: string): Promise<void> {
    this.#disk.rename(path, path + REMOVED);
    try {
      await this.#disk.syncDirectoryAsync(this.#dir);
    } catch (error) {
      this.#disk.rename(path + REMOVED, path);
      throw error;
    }
  }

  close(): void {
    for (const reader of this.#readers) reader.close();
    for (const { reader } of this.#retired) reader.close();
  }
}

class SetPin implements BlocksPin {
  readonly blocks: readonly StoredBlock[];
  readonly #pins: Pins;
  #epoch: number;

  constructor(pins: Pins, blocks: readonly StoredBlock[]) {
    this.blocks = blocks;
    this.#pins = pins;
    this.#epoch = pins.take();
  }

  [Symbol.dispose](): void {
    if (this.#epoch < 0) return;
    this.#pins.give(this.#epoch);
    this.#epoch = -1;
  }
}

function byTime(a: BlockReader, b: BlockReader): number {
  if (a.minTime !== b.minTime) return a.minTime - b.minTime;
  return a.id < b.id ? -1 : 1; // ULIDs are ASCII: their order is that of their bytes.
}
