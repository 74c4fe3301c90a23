import { makeRandom } from "@varve/bytes";
import type { Content } from "../content.ts";
import {
  choosePrefix,
  chooseSubset,
  SimDirectory,
  type Entry,
  type NameChange,
} from "./directory.ts";
import { SimFile } from "./file.ts";

/**
 * What a crash leaves of what was not synced: `nothing`; `everything`; a `prefix` in the order of the
 * operations, its last write torn; or a `subset`, each write whole, torn, grown or lost, each name by itself.
 */
export type Survival = "nothing" | "everything" | "prefix" | "subset";

/** Copies what survives a crash: the root of a new disk, on which all is durable. */
export function imageOf(root: SimDirectory, survival: Survival, seed: number): SimDirectory {
  const random = makeRandom(seed);
  const { files, changes } = collect(root);
  let contentOf: (file: SimFile) => Content;
  let namesOf: (directory: SimDirectory) => ReadonlyMap<string, Entry>;
  if (survival === "nothing") {
    contentOf = (file) => file.durable.copy();
    namesOf = (directory) => directory.durableNames;
  } else if (survival === "everything") {
    contentOf = (file) => file.cache.copy();
    namesOf = (directory) => directory.names;
  } else if (survival === "prefix") {
    const numbers = [...new Set([...files, ...changes].flatMap((each) => numbersOf(each)))];
    const until = random.pick([0, ...numbers.toSorted((a, b) => a - b)]);
    const chosen = choosePrefix(changes, until);
    contentOf = (file) => file.survivePrefix(until, random);
    namesOf = (directory) => directory.survivors(chosen);
  } else {
    const chosen = chooseSubset(changes, random);
    contentOf = (file) => file.surviveSubset(random);
    namesOf = (directory) => directory.survivors(chosen);
  }
  return copy(root, contentOf, namesOf, new Map());
}

function numbersOf(each: SimFile | NameChange): readonly number[] {
  return each instanceof SimFile ? each.pendingNumbers() : [each.number];
}

/** Everything that a crash could leave, in an order that depends only on what was done. */
function collect(root: SimDirectory): { files: SimFile[]; changes: NameChange[] } {
  const seen = new Set<Entry>();
  const files: SimFile[] = [];
  const changes: NameChange[] = [];
  const visit = (entry: Entry): void => {
    if (seen.has(entry)) return;
    seen.add(entry);
    if (entry instanceof SimFile) {
      files.push(entry);
      return;
    }
    changes.push(...entry.pending);
    for (const child of entry.durableNames.values()) visit(child);
    for (const change of entry.pending) if (change.entry !== undefined) visit(change.entry);
    for (const child of entry.names.values()) visit(child);
  };
  visit(root);
  return { files, changes };
}

function copy(
  directory: SimDirectory,
  contentOf: (file: SimFile) => Content,
  namesOf: (directory: SimDirectory) => ReadonlyMap<string, Entry>,
  copies: Map<Entry, Entry>,
): SimDirectory {
  const names = new Map<string, Entry>();
  const copied = new SimDirectory(names);
  copies.set(directory, copied);
  for (const [name, entry] of namesOf(directory)) {
    const known = copies.get(entry);
    if (entry instanceof SimFile) {
      const file = known instanceof SimFile ? known : copyFile(entry, contentOf);
      file.references += 1;
      copies.set(entry, file);
      names.set(name, file);
    } else if (known === undefined) {
      names.set(name, copy(entry, contentOf, namesOf, copies)); // A directory has one name.
    }
  }
  for (const [name, entry] of names) copied.durableNames.set(name, entry);
  return copied;
}

function copyFile(file: SimFile, contentOf: (file: SimFile) => Content): SimFile {
  const content = contentOf(file);
  return new SimFile(content, content.copy());
}
