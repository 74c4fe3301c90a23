import { Command } from "@commander-js/extra-typings";
import { isUlid } from "@varve/prometheus-block";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { open, recommended } from "varve";
import { usageError } from "../exit.ts";
import { checkSignal, interruptible } from "../interrupt.ts";
import { counted } from "../print/format.ts";
import { print } from "../print/output.ts";
import { pathError, storeDirOf } from "../store/place.ts";

/** `export-blocks DIR OUT`: everything a store holds, as Prometheus blocks. */
export function exportBlocksCommand() {
  return new Command("export-blocks")
    .description("write all samples as Prometheus blocks to a new directory")
    .argument("<dir>", "the data directory; nobody may have it open")
    .argument("<out>", "a new directory, on the same file system where links are to save copying")
    .option("--json", "print the blocks as JSON", false)
    .addHelpText("after", EXAMPLES)
    .action((dir, out, options) =>
      interruptible(async (signal) => {
        const blocks = await exportBlocks(storeDirOf(dir), resolve(out), signal);
        print(options, { out: resolve(out), blocks }, () =>
          [...blocks, `${counted(blocks.length, "block")} in ${out}`].join("\n"),
        );
      }),
    );
}

/**
 * Takes a snapshot beside `out`, cuts all of it to blocks, and gives those to `out` at last. What is left of a run that
 * was ended lies in `OUT.varve`.
 */
async function exportBlocks(dir: string, out: string, signal: AbortSignal): Promise<string[]> {
  if (existsSync(out)) throw usageError(`${out}: is there already; name a new directory`);
  if (!existsSync(dirname(out))) throw usageError(`${dirname(out)}: there is no such directory`);
  const copy = `${out}.varve`;
  if (existsSync(copy)) throw usageError(`${copy}: left by another export; remove it first`);
  try {
    await snapshot(dir, copy);
    checkSignal(signal);
    await cut(copy);
    checkSignal(signal);
    const blocks = readdirSync(copy).filter(isUlid).sort();
    mkdirSync(out, { mode: 0o700 });
    for (const block of blocks) renameSync(join(copy, block), join(out, block));
    return blocks;
  } catch (cause) {
    throw (cause as NodeJS.ErrnoException).syscall === undefined ? cause : pathError(out, cause);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

async function snapshot(dir: string, copy: string): Promise<void> {
  await using store = await open({ dir, plan: recommended(), maintainEveryMs: 0 });
  await store.snapshot(copy);
}

async function cut(copy: string): Promise<void> {
  await using store = await open({ dir: copy, plan: recommended(), maintainEveryMs: 0 });
  await store.cutBlocks();
}

const EXAMPLES = `
A store that is open elsewhere is exported from a snapshot that its own process takes.

Examples:
  $ varve export-blocks data blocks
  $ varve export-blocks data blocks && promtool tsdb list blocks`;
