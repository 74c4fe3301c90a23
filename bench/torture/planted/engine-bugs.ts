import type { PlantedBug } from "./bug.ts";

const ENGINE = "packages/engine/src";

/** Mistakes in the engine, and in what it does with locks, names and blocks. */
export const ENGINE_BUGS: readonly PlantedBug[] = [
  {
    id: "lock-not-taken",
    title: "an opening writes without the lock",
    file: `${ENGINE}/open.ts`,
    find: 'return { lock: disk.lock(join(dir, "LOCK")), isMade };\n',
    replace: "return { lock: { release() {} }, isMade };\n",
    row: "openers-race",
  },
  {
    id: "dead-holder-named",
    title: "who is refused is told the name of a holder that is dead",
    file: "packages/disk/src/node-lock.ts",
    find: "    return host === os.hostname() && isDead(pid) ? null : { pid, host, since };\n",
    replace: "    return { pid, host, since };\n",
    row: "openers-race",
  },
  {
    id: "lock-left-to-chance",
    title:
      "openers take a lock in several steps, and who is refused by another does not look again",
    file: "packages/disk/src/node-lock.ts",
    find: "      const isOver = performance.now() - startMs >= HOLDER_MS_MAX;\n",
    replace: "      const isOver = true;\n",
    row: "openers-race",
  },
  {
    id: "directory-name-not-synced",
    title: "the name of a new store's directory is not synced",
    file: `${ENGINE}/store-format.ts`,
    find: "    disk.syncDirectory(dirname(dir)); // The directory itself is as durable as what it holds.\n",
    replace: "",
    row: "sim-engine-sync",
  },
  {
    id: "early-log-cut",
    title: "the log is cut before what it holds is in `sealed/`, or in blocks",
    file: `${ENGINE}/maintenance.ts`,
    find: "      ...(cut === null ? {} : { sealBeforeLsn: cut.lsn + 1 }),\n    });\n    if (cut !== null && report.durableLsn >= cut.lsn) {\n",
    replace: "    });\n    if (cut !== null) {\n",
    row: "sim-engine-sync",
  },
  {
    id: "batch-in-two",
    title: "a batch of rows is logged as two",
    file: `${ENGINE}/writer.ts`,
    find: "      codec.encode(rows, 0, rows.length, wal.buffer);\n",
    replace:
      "      const half = rows.length >> 1;\n      codec.encode(rows, 0, half, wal.buffer);\n      if (half > 0) wal.append();\n      codec.encode(rows, half, rows.length, wal.buffer);\n",
    row: "sim-engine-sync",
  },
  {
    id: "deletions-cut-off",
    title: "a cut of the log forgets the deletions that it held",
    file: `${ENGINE}/maintenance.ts`,
    find: "      if (isLast) this.#encodeHidden(into, blocks);\n",
    replace: "",
    row: "sim-engine-sync",
  },
  {
    id: "deletion-not-durable",
    title: "a deletion resolves before it is durable",
    file: `${ENGINE}/deletion.ts`,
    find: "  await wal.commit();\n",
    replace: "",
    row: "sim-engine-batched",
  },
  {
    id: "block-name-not-synced",
    title: "chunks are given up for a block whose name is not synced",
    file: "packages/prometheus-block/src/internal/write-block.ts",
    find: "      await this.#disk.syncDirectoryAsync(this.#parent);\n",
    replace: "",
    row: "sim-engine-sync",
  },
];
