import { statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { parseArgs } from "node:util";
import { type Work, WORKS } from "./spec.ts";

export const USAGE = `Figures of blocks: writing, decoding, selecting, and series that come and go.

  pnpm bench:blocks [--only WORKS] [--json FILE] [--seed N] [--dir PATH] [--tiny] [--cpu-prof DIR]

  --only      some of ${WORKS.join(", ")}, with commas between
  --json      write all that was measured
  --seed      seed of data and selections, 1 by default
  --dir       where the files go, about 2 GiB: decides the file system
  --tiny      only to see that it runs: the figures mean nothing
  --cpu-prof  write a profile of each child to that directory

Examples:
  pnpm bench:blocks --json blocks.json
  pnpm bench:blocks --only churn --dir /mnt/ssd`;

/** What the command was asked for. */
export interface Options {
  readonly works: readonly Work[];
  readonly json: string | undefined;
  readonly seed: number;
  readonly dir: string | undefined;
  readonly isTiny: boolean;
  readonly profileDir: string | undefined;
  readonly isHelp: boolean;
}

/** What was asked for makes no sense: told in one line. */
export class UsageError extends Error {}

/** Reads the command line. Throws UsageError. */
export function optionsOf(args: readonly string[]): Options {
  const values = parse(args);
  const works = values.only.split(",").map((name) => {
    const work = WORKS.find((each) => each === name);
    if (work === undefined) {
      throw new UsageError(`there is no "${name}": take some of ${WORKS.join(", ")}`);
    }
    return work;
  });
  const seed = Number(values.seed);
  if (!Number.isSafeInteger(seed)) throw new UsageError(`a seed is an integer, got ${values.seed}`);
  if (values.dir !== undefined) checkDir("--dir", values.dir);
  if (values.json !== undefined) checkDir("--json", dirname(resolve(values.json)));
  return {
    works,
    json: values.json,
    seed,
    dir: values.dir,
    isTiny: values.tiny,
    profileDir: values["cpu-prof"],
    isHelp: values.help,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        only: { type: "string", default: WORKS.join() },
        json: { type: "string" },
        seed: { type: "string", default: "1" },
        dir: { type: "string" },
        tiny: { type: "boolean", default: false },
        "cpu-prof": { type: "string" },
        help: { type: "boolean", default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
}

function checkDir(flag: string, dir: string): void {
  if (statSync(dir, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new UsageError(`${flag}: ${dir} is no directory`);
  }
}
