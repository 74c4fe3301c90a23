import type { SimDisk, SimDiskOptions } from "./sim/api.ts";
import { SimDirectory } from "./sim/directory.ts";
import { MemoryDisk } from "./sim/memory-disk.ts";

export { Crash } from "./sim/api.ts";
export type { DiskModel, FaultScript, RepeatedSync, SimDisk, SimDiskOptions } from "./sim/api.ts";
export type { Operation } from "./failure.ts";
export type { Survival } from "./sim/image.ts";

/**
 * Makes an empty simulated disk with a root directory, "/".
 *
 * Unless another model is asked for, it is strict POSIX: syncing a file does not persist its name, syncing a directory does not persist the
 * files in it, and a failed sync drops the pages, so that a second one succeeds without them.
 */
export function simDisk(options: SimDiskOptions = {}): SimDisk {
  return new MemoryDisk(options, new SimDirectory());
}
