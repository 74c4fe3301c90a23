import { readFileSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { isUlid } from "@varve/prometheus-block";
import { usageError } from "../exit.ts";

/** What a path leads to. */
export type Place =
  | { readonly kind: "store"; readonly dir: string }
  | { readonly kind: "block"; readonly dir: string }
  | { readonly kind: "log"; readonly dir: string; readonly segment?: string }
  | { readonly kind: "text"; readonly file: string };

const SEGMENT = /^\d{8}$/;
const BLOCK_FILES = new Set(["meta.json", "index", "tombstones"]);

/** Says what lies at a path. Throws INPUT for nothing, and for a directory that is none of ours. */
export function placeOf(path: string): Place {
  const full = resolve(path);
  if (kindOf(path) === "file") return placeOfFile(full);
  if (isFile(join(full, "FORMAT"))) return { kind: "store", dir: full };
  if (isFile(join(full, "meta.json"))) return { kind: "block", dir: full };
  if (basename(full) === "wal") return { kind: "log", dir: full };
  throw usageError(
    `${path}: not a varve directory: it has no FORMAT; name a data directory, a block or a wal`,
  );
}

/** The absolute path of a data directory. Throws INPUT when it is none. */
export function storeDirOf(path: string): string {
  const full = resolve(path);
  if (kindOf(path) === "file") throw usageError(`${path}: a file; name a data directory`);
  if (isFile(join(full, "FORMAT"))) return full;
  throw usageError(`${path}: not a varve directory: it has no FORMAT; name a data directory`);
}

/** `file` or `directory`. Throws INPUT when there is neither, or when we may not look. */
export function kindOf(path: string): "file" | "directory" {
  try {
    const found = statSync(path);
    if (found.isDirectory()) {
      readableDirectory(path);
      return "directory";
    }
    if (found.isFile()) return "file";
  } catch (cause) {
    throw pathError(path, cause);
  }
  throw usageError(`${path}: neither a file nor a directory`);
}

/** What a failed look at a path means, in words. */
export function pathError(path: string, cause: unknown): Error {
  const code = (cause as NodeJS.ErrnoException).code;
  if (code === "ENOENT") return usageError(`${path}: there is no such file or directory`, cause);
  if (code === "EACCES" || code === "EPERM") return usageError(`${path}: no permission`, cause);
  if (code === "EISDIR") return usageError(`${path}: a directory, where a file is wanted`, cause);
  if (code === undefined) return cause as Error;
  return usageError(`${path}: cannot be read: ${code}`, cause);
}

function readableDirectory(path: string): void {
  statSync(join(path, "."));
}

function placeOfFile(full: string): Place {
  const name = basename(full);
  const dir = dirname(full);
  if (SEGMENT.test(name) && basename(dir) === "wal") return { kind: "log", dir, segment: name };
  if (BLOCK_FILES.has(name) && isFile(join(dir, "meta.json"))) return { kind: "block", dir };
  if (basename(dir) === "chunks" && isUlid(basename(dirname(dir)))) {
    return { kind: "block", dir: dirname(dir) };
  }
  return { kind: "text", file: full };
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "ENOTDIR") return false;
    throw pathError(path, cause);
  }
}

/** The store's id and version, as FORMAT says. Throws INPUT when it is damaged. */
export function formatOf(dir: string): { readonly version: number; readonly storeId: string } {
  const path = join(dir, "FORMAT");
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw pathError(path, cause);
  }
  const match = /^varve (\d+)\nstore ([0-9a-f]{32})\n/.exec(text);
  if (match === null) throw usageError(`${path}: damaged: it names no version and store`);
  return { version: Number(match[1]), storeId: match[2]! };
}
