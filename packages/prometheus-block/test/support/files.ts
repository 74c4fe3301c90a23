import type { Disk } from "@varve/contracts";
import { simDisk, type SimDisk, type SimDiskOptions } from "@varve/disk/sim";
import { readAll } from "@varve/disk/transfer";

/** A simulated disk with an empty, durable directory `/data`. */
export function dataDisk(options: SimDiskOptions = {}): SimDisk {
  const disk = simDisk(options);
  disk.makeDirectory("/data");
  disk.syncDirectory("/");
  return disk;
}

/** All files below a directory, by their path in it. */
export function filesBelow(disk: Disk, dir: string): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  const visit = (path: string): void => {
    for (const name of disk.list(`${dir}${path}`)) {
      const below = `${path}/${name}`;
      if (disk.kind(dir + below) === "directory") visit(below);
      else files.set(below.slice(1), Buffer.from(readAll(disk, dir + below)));
    }
  };
  visit("");
  return files;
}
