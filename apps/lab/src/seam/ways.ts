import type { Descriptor, Disk } from "@varve/contracts";
import fs from "node:fs";
import { ThrowawayDisk } from "../cell/throwaway-disk.ts";

/** A disk whose writes and syncs are the functions of `node:fs` themselves, with nothing of ours around them. */
export function inlinedDisk(): Disk {
  return Object.assign(new ThrowawayDisk(), {
    write: fs.writeSync as Disk["write"],
    datasync: fs.fdatasyncSync,
  });
}

/** A write of a log, or a sync where there are no bytes. */
export interface Call {
  readonly bytes: Uint8Array | null;
  readonly position: number;
}

/** A disk that keeps what is written to it and when it was synced, and does it too. */
export class RecordingDisk extends ThrowawayDisk {
  calls: Call[] = [];

  override write(
    fd: Descriptor,
    bytes: Uint8Array,
    from: number,
    length: number,
    position: number,
  ): number {
    this.calls.push({ bytes: bytes.slice(from, from + length), position });
    return super.write(fd, bytes, from, length, position);
  }

  override datasync(fd: Descriptor): void {
    this.calls.push({ bytes: null, position: 0 });
    super.datasync(fd);
  }

  override async datasyncAsync(fd: Descriptor): Promise<void> {
    this.calls.push({ bytes: null, position: 0 });
    await super.datasyncAsync(fd);
  }

  /** What was called since the last time. */
  take(): readonly Call[] {
    const { calls } = this;
    this.calls = [];
    return calls;
  }
}

/** Makes calls through a disk, as a log does. */
export function callDisk(disk: Disk, fd: Descriptor, calls: readonly Call[]): void {
  for (let i = 0; i < calls.length; i += 1) {
    const { bytes, position } = calls[i]!;
    if (bytes === null) disk.datasync(fd);
    else disk.write(fd, bytes, 0, bytes.length, position);
  }
}

/** Makes the same calls where they stand, without a disk. */
export function callInlined(fd: Descriptor, calls: readonly Call[]): void {
  for (let i = 0; i < calls.length; i += 1) {
    const { bytes, position } = calls[i]!;
    if (bytes === null) fs.fdatasyncSync(fd);
    else fs.writeSync(fd, bytes, 0, bytes.length, position);
  }
}
