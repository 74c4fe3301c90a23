import { StorageError } from "@varve/contracts";
import { InvalidArgumentError } from "commander";
import { accessSync, constants, statSync } from "node:fs";
import { dirname, resolve } from "node:path";

/** Fewest turns that a median is taken of. */
const REPEATS_MIN = 5;

/** Parses a whole number, which may be 0: `100`, `10_000`. */
export function whole(text: string): number {
  const value = /^\d[\d_]*$/.test(text) ? Number(text.replaceAll("_", "")) : Number.NaN;
  if (Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError("It is a whole number, such as 500 or 10_000.");
}

/** Parses a positive whole number. */
export function positive(text: string): number {
  const value = whole(text);
  if (value > 0) return value;
  throw new InvalidArgumentError("It is at least 1.");
}

/** Parses a count of repeats. */
export function repeatCount(text: string): number {
  const value = whole(text);
  if (value >= REPEATS_MIN) return value;
  throw new InvalidArgumentError(`It is at least ${REPEATS_MIN}: medians of fewer say little.`);
}

/** Parses a positive number that need not be whole: `24`, `0.5`. */
export function decimal(text: string): number {
  const value = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : 0;
  if (value > 0) return value;
  throw new InvalidArgumentError("It is a positive number, such as 24 or 0.5.");
}

/** Parses a list of names: `a,b`. */
export function list(text: string): string[] {
  const names = text.split(",").map((name) => name.trim());
  if (!names.includes("")) return names;
  throw new InvalidArgumentError("A name in the list is empty.");
}

/** Throws INPUT unless stores can be made in `dir`. */
export function checkDir(dir: string): void {
  if (isWritableDir(dir)) return;
  throw new StorageError("INPUT", `--dir ${dir}: this is no directory that we may write to`);
}

/** Throws INPUT when a report could not be written: known before a run, not after. */
export function checkWritable(file: string): void {
  const isDir = statSync(file, { throwIfNoEntry: false })?.isDirectory() === true;
  if (!isDir && isWritableDir(dirname(resolve(file)))) return;
  throw new StorageError("INPUT", `--json ${file}: there is no file that we may write to`);
}

function isWritableDir(dir: string): boolean {
  if (statSync(dir, { throwIfNoEntry: false })?.isDirectory() !== true) return false;
  try {
    accessSync(dir, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
