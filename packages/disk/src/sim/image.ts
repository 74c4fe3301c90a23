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
import type { DiskModel } from "./api.ts";

/**
 * What a crash leaves of what was not synced: `nothing`; `everything`; a `prefix` in the order of the
 * operations, its last write torn; or a `subset`, each write whole, torn, grown or lost, each name by itself.
 */
export type Survival = "nothing" | "everything" | "prefix" | "subset";

/** Copies what survives a crash: the root of a new disk, on which all is durable. */
export function imageOf(
  root: SimDirectory,
  model: DiskModel,
  survival: Survival,
  seed: number,
): SimDirectory {
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
    const until = random.pick([0, ...orderOf([...files, ...changes])]);
    const chosen = choosePrefix(changes, until);
    contentOf = (file) => file.survivePrefix(until, random);
    namesOf = (directory) => directory.survivors(chosen);
  } else if (model !== "strictPosix") {
    // The journal keeps the order of the names; what is in the files goes its own way.
    const chosen = choosePrefix(changes, random.pick([0, ...orderOf(changes)]));
    contentOf = (file) => file.surviveAllocated(random);
    namesOf = (directory) => directory.survivors(chosen);
  } else {
    const chosen = chooseSubset(changes, random);
    contentOf = (file) => file.surviveSubset(random);
    namesOf = (directory) => directory.survivors(chosen);
  }
  return copy(root, contentOf, namesOf, new Map());
}

/** Copies what survives a crash when of the pending operations those stay whose bits are set in `kept`. */
export function imageOfSubset(root: SimDirectory, kept: number): SimDirectory {
  const { files, changes } = collect(root);
  const order = orderOf([...files, ...changes]);
  const survives = (number: number): boolean =>
    Math.floor(kept / 2 ** order.indexOf(number)) % 2 === 1;
  const chosen = new Set(changes.filter(({ number }) => survives(number)));
  return copy(
    root,
    (file) => file.surviveOnly(survives),
    (directory) => directory.survivors(chosen),
    new Map(),
  );
}

/** How many operations a crash could lose. */
export function pendingOf(root: SimDirectory): number {
  const { files, changes } = collect(root);
  return orderOf([...files, ...changes]).length;
}

/** Makes all changes of names up to an operation durable, as the commit of a journal does. */
export function commitNames(root: SimDirectory, until: number): void {
  const directories = new Set(collect(root).changes.map(({ directory }) => directory));
  for (const directory of directories) directory.persist(until);
}

/** The numbers of pending operations, in the order in which they were made. */
function orderOf(pending: readonly (SimFile | NameChange)[]): number[] {
  return [...new Set(pending.flatMap((each) => numbersOf(each)))].toSorted((a, b) => a - b);
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
