import type { Disk } from "@varve/contracts";
import type { Operation } from "../failure.ts";
import type { Survival } from "./image.ts";

/** Thrown by every operation of a disk that has crashed. Not a `StorageError`: no code under test may handle it. */
export class Crash extends Error {
  override readonly name = "Crash";
}

/**
 * Decides the fate of an operation: an errno fails it, a number shortens a read or a write to that many
 * bytes, undefined lets it pass. `number` counts operations from 1; `path` is the file's when it was opened.
 */
export type FaultScript = (
  number: number,
  operation: Operation,
  path: string,
) => string | number | undefined;

/**
 * What a sync makes durable, and in which order names survive: `strictPosix` promises only what POSIX does; `ext4` and
 * `xfs` have a journal, as those file systems do. The README has the differences.
 */
export type DiskModel = "strictPosix" | "ext4" | "xfs";

/** A sync of a file of which an earlier sync had failed: it says nothing about the bytes that the first was for. */
export interface RepeatedSync {
  readonly path: string;
  /** The operations, counted from 1. */
  readonly failedAt: number;
  readonly at: number;
}

export interface SimDiskOptions {
  /** Decides what survives where `image` is given no seed of its own. */
  readonly seed?: number;
  /** The operation, counted from 1, at which the disk crashes, before it has any effect. 0 for never. */
  readonly crashAt?: number;
  readonly fault?: FaultScript;
  /** Capacity in bytes: writes beyond are cut short, and then fail with ENOSPC. */
  readonly bytesMax?: number;
  /** `strictPosix` without it. */
  readonly model?: DiskModel;
}

/** A disk in memory that forgets what was not synced, and that tests can fail, fill and crash. */
export interface SimDisk extends Disk {
  readonly seed: number;
  /** Operations asked for so far, those that failed included. */
  readonly operations: number;
  /** Operations of one kind asked for so far. */
  count(operation: Operation): number;
  /** Set it to crash at an operation to come; 0 for never. */
  crashAt: number;
  fault: FaultScript | undefined;
  readonly crashed: boolean;
  /** From now on every operation throws `Crash`. */
  crash(): void;
  /**
   * A new disk that holds what survives a crash now. This one is left as it is, so many images can
   * come from one run. The same seed gives the same image.
   */
  image(survival: Survival, seed?: number): SimDisk;
  readonly model: DiskModel;
  /** Writes, truncations and changes of names that a crash could lose now. */
  readonly pending: number;
  /** A new disk that holds those of them whose bits are set in `kept`: bit 0 stands for the first that was made. */
  imageOfSubset(kept: number): SimDisk;
  readonly repeatedSyncs: readonly RepeatedSync[];
}
