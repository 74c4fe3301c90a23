import type { PlantedBug } from "./bug.ts";

const WAL = "packages/wal/src";
const BLOCKS = "packages/block-manager/src/internal";

/** Mistakes in what is done once the disk has failed. */
export const IO_BUGS: readonly PlantedBug[] = [
  {
    id: "full-is-poison",
    title: "a log is poisoned by a full disk",
    file: `${WAL}/internal/log-writer.ts`,
    find: "      if (!isFull(error)) this.poison(error);\n      throw error;\n    }\n    framer.release();\n",
    replace: "      this.poison(error);\n      throw error;\n    }\n    framer.release();\n",
    row: "io-error-wal-batched",
  },
  {
    id: "waiters-forgotten",
    title: "nobody tells those who wait for a commit that the write of its group has failed",
    file: `${WAL}/batched.ts`,
    find: "      this.#waiters.reject(error);\n      if (isFull(error)) this.#arm();\n",
    replace: "      if (isFull(error)) this.#arm();\n",
    row: "io-error-wal-batched",
  },
  {
    id: "end-record-believed",
    title: "an end record whose sync has failed is believed by the next opening",
    file: `${WAL}/internal/recover.ts`,
    find: "      if (this.#scan.ended) renewEnd(disk, this.#path(this.#last), this.#scan.endAt);\n      else settleSegment",
    replace: "      if (!this.#scan.ended) settleSegment",
    row: "io-error-wal-sync",
  },
  {
    id: "seal-sync-retried",
    title: "the sync of sealed chunks is tried again after it has failed, and then believed",
    file: `${BLOCKS}/sealed-files.ts`,
    find: "        await this.#disk.datasyncAsync(fd);\n      } catch (error) {\n",
    replace:
      "        await this.#disk.datasyncAsync(fd).catch(() => this.#disk.datasyncAsync(fd));\n      } catch (error) {\n",
    row: "io-error-blocks-background",
  },
  {
    id: "lost-chunks-kept",
    title: "chunks whose sync has failed wait for the next one, and are not written anew",
    file: `${BLOCKS}/pipeline.ts`,
    find: "    if (!this.#files.isLost) return;\n",
    replace: "    if (this.#files.isLost) return;\n",
    row: "io-error-blocks-queued",
  },
  {
    id: "block-name-believed",
    title: "the log and sealed chunks go although the sync of their block's name has failed",
    file: "packages/prometheus-block/src/internal/write-block.ts",
    find: '      this.#disk.rename(this.dir, this.buildDir);\n      this.#stage = "failed";\n      throw error;\n',
    replace: "      void error;\n",
    row: "io-error-blocks-background",
  },
  {
    id: "trusted-without-log",
    title: "sealed chunks are trusted although the log that brought them is not durable",
    file: `${BLOCKS}/manager.ts`,
    find: "    await commitLog?.();\n",
    replace: "    await commitLog?.().catch(() => undefined);\n",
    row: "io-error-engine-batched",
  },
  {
    id: "refused-batch-admitted",
    title: "a batch that the full disk refused is not taken back from index and blocks",
    file: "packages/engine/src/writer.ts",
    find: "      if (nextRefBefore > 0) this.#ledger.takeBack(rows, 0, count, nextRefBefore);\n",
    replace: "",
    row: "io-error-engine-sync",
  },
];
