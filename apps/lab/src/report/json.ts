import { StorageError } from "@varve/contracts";
import { accessSync, constants, renameSync, statSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { CellResult } from "../cell/result.ts";
import type { Environment } from "./environment.ts";

/** What `--json` writes for commands that run cells. */
export interface CellsReport {
  readonly command: string;
  /** The run was ended by a signal: cells may be missing repeats, or stand there without figures. */
  readonly interrupted: boolean;
  readonly environment: Environment;
  readonly cells: readonly CellResult[];
}

/** Throws INPUT when a report could not be written to `file`: known before an hour of measuring, not after. */
export function checkWritable(file: string): void {
  const dir = dirname(resolve(file));
  try {
    if (!statSync(dir).isDirectory()) throw new Error("not a directory");
    accessSync(dir, constants.W_OK);
  } catch (cause) {
    throw new StorageError(
      "INPUT",
      `cannot write ${file}: ${dir} is no directory we may write to`,
      {
        cause,
        facts: { path: file },
      },
    );
  }
  if (statSync(file, { throwIfNoEntry: false })?.isDirectory() === true) {
    throw new StorageError("INPUT", `cannot write ${file}: it is a directory`, {
      facts: { path: file },
    });
  }
}

/** Writes a report, whole or not at all. Numbers that JSON cannot say become null. */
export function writeJson(file: string, report: unknown): void {
  const half = `${file}.${process.pid}.part`;
  writeFileSync(half, `${JSON.stringify(report, null, 2)}\n`);
  renameSync(half, file);
}
