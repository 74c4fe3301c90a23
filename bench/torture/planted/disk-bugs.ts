import type { PlantedBug } from "./bug.ts";

const NODE = "packages/disk/src/node.ts";
const WAL = "packages/wal/src/internal";

/** Mistakes that only a real file system shows: in the real disk, which the simulated one stands in for, and at its edges. */
export const DISK_BUGS: readonly PlantedBug[] = [
  {
    id: "real-sync-skipped",
    title: "the real disk answers a sync without one",
    file: NODE,
    find: "      fs.fdatasyncSync(fd);\n",
    replace: "      fs.fstatSync(fd);\n",
    row: "power-cut-xfs-wal-sync",
  },
  {
    id: "real-sync-beside-skipped",
    title: "the real disk answers a sync beside the caller without one",
    file: NODE,
    find: "        fs.fdatasync(fd, settle);\n",
    replace: "        setImmediate(settle, null);\n",
    row: "power-cut-ext4-wal-batched",
  },
  {
    id: "cached-tail-believed",
    title: "recovery syncs a tail that may lie in the kernel's cache alone, and believes it",
    file: `${WAL}/recover.ts`,
    find: "      else settleSegment(disk, this.#path(this.#last));\n",
    replace:
      '      else disk.datasync(disk.open(this.#path(this.#last), "update")); // Never closed: it is a trial\'s.\n',
    row: "sync-eio-device",
  },
  {
    id: "full-disk-poisons",
    title: "a write that finds the disk full poisons the log",
    file: `${WAL}/log-writer.ts`,
    find: "      if (!isFull(error)) this.poison(error);\n      throw error;\n    }\n    framer.release();\n",
    replace: "      this.poison(error);\n      throw error;\n    }\n    framer.release();\n",
    row: "full-disk-tmpfs",
  },
];
