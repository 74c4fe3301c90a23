import type { PlantedBug } from "./bug.ts";

const INTERNAL = "packages/block-manager/src/internal";
const SEALED_FILES = `${INTERNAL}/sealed-files.ts`;

/** Mistakes in block managers. */
export const BLOCKS_BUGS: readonly PlantedBug[] = [
  {
    id: "chunks-not-synced",
    title: "chunks count as synced after a write",
    file: SEALED_FILES,
    find: "        await this.#disk.datasyncAsync(fd);\n",
    replace: "",
    row: "sim-blocks-background",
  },
  {
    id: "sealed-name-not-synced",
    title: "the name of a file of sealed/ is not synced",
    file: SEALED_FILES,
    find: "        await this.#disk.syncDirectoryAsync(this.#dir);\n",
    replace: "",
    row: "sim-blocks-on-full",
  },
  {
    id: "missing-end",
    title: "chunks that a file of sealed/ lacks at its end are not missed",
    file: `${INTERNAL}/sealed-chain.ts`,
    find: "  if (size >= end || end === Number.POSITIVE_INFINITY) return damage;\n",
    replace: "  if (end > 0) return damage;\n",
    row: "truncate-sealed",
  },
  {
    id: "trusted-before-the-log",
    title: "chunks are trusted before the log that brought them is durable",
    file: `${INTERNAL}/manager.ts`,
    find: "    await commitLog?.();\n",
    replace: "    void commitLog;\n",
    row: "sim-engine-batched",
  },
];
