import { diskFailure, type Operation } from "../failure.ts";
import { SimDirectory, type Entry } from "./directory.ts";
import { SimFile } from "./file.ts";

/** Where a name is, or could be. */
export interface Place {
  readonly parent: SimDirectory;
  readonly name: string;
  readonly entry: Entry | undefined;
}

/** Splits a path: empty parts and "." do not count, so "/a//b" is "a", "b". */
export function partsOf(path: string): string[] {
  return path.split("/").filter((part) => part !== "" && part !== ".");
}

/** Finds what a path names, the root included. Undefined when there is none. */
export function find(root: SimDirectory, path: string): Entry | undefined {
  let entry: Entry | undefined = root;
  for (const part of partsOf(path)) {
    if (!(entry instanceof SimDirectory)) return undefined;
    entry = entry.names.get(part);
  }
  return entry;
}

/** Finds the place of a path in its parent, which must exist. */
export function place(root: SimDirectory, path: string, operation: Operation): Place {
  const parts = partsOf(path);
  const name = parts.pop();
  if (name === undefined) throw diskFailure(operation, path, "EBUSY"); // The root itself.
  let parent: Entry | undefined = root;
  for (const part of parts) {
    if (parent instanceof SimDirectory) parent = parent.names.get(part);
    if (parent === undefined) throw diskFailure(operation, path, "ENOENT");
    if (parent instanceof SimFile) throw diskFailure(operation, path, "ENOTDIR");
  }
  return { parent: parent as SimDirectory, name, entry: parent.names.get(name) };
}

/** Refuses a rename over something that it must not replace. */
export function checkReplaced(entry: Entry, replaced: Entry | undefined, to: string): void {
  if (replaced === undefined) return;
  if (entry instanceof SimFile) {
    if (replaced instanceof SimDirectory) throw diskFailure("rename", to, "EISDIR");
    return;
  }
  if (replaced instanceof SimFile) throw diskFailure("rename", to, "ENOTDIR");
  if (replaced.names.size > 0) throw diskFailure("rename", to, "ENOTEMPTY");
}

/** Bytes that the files below a directory hold, each file once. */
export function bytesBelow(directory: SimDirectory): number {
  const files = new Set<SimFile>();
  const visit = (each: SimDirectory): void => {
    for (const entry of each.names.values()) {
      if (entry instanceof SimFile) files.add(entry);
      else visit(entry);
    }
  };
  visit(directory);
  let bytes = 0;
  for (const file of files) bytes += file.cache.size;
  return bytes;
}
