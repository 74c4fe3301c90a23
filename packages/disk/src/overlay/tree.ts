import { compareUtf8 } from "@varve/bytes";
import type { Disk } from "@varve/contracts";
import type { Content } from "../content.ts";
import { diskFailure, type Operation } from "../failure.ts";

/** A file: the base's until it is changed; from then on its beginning is still the base's, and the rest is in memory. */
export class OverlayFile {
  /** Where the base has it; "" for one that was created here. */
  readonly base: string;
  /** Bytes of the base that show before `content`. */
  kept = 0;
  content: Content | undefined;

  constructor(base: string, content?: Content) {
    this.base = base;
    this.content = content;
  }

  /** Some of its bytes are the base's, which has to be open to read them. */
  get needsBase(): boolean {
    return this.content === undefined || this.kept > 0;
  }
}

/** A directory: what was changed here, over what the base has. */
export class OverlayDirectory {
  /** Where the base has it; "" for one that was created here, through which nothing shows. */
  readonly base: string;
  /** Names that were opened, added or moved here; undefined hides the base's name. */
  readonly names = new Map<string, OverlayEntry | undefined>();

  constructor(base: string) {
    this.base = base;
  }

  /** Forgets a name, the base's included. */
  hide(name: string): void {
    if (this.base === "") this.names.delete(name);
    else this.names.set(name, undefined);
  }
}

export type OverlayEntry = OverlayFile | OverlayDirectory;

/** Where a name is, or could be. `entry` belongs to the tree only once it is put into `parent.names`. */
export interface OverlayPlace {
  readonly parent: OverlayDirectory;
  readonly name: string;
  readonly entry: OverlayEntry | undefined;
}

/** The names above the base: finds what a path stands for, and asks the base only where nothing was changed. */
export class OverlayTree {
  readonly #base: Disk;
  readonly #absolute = new OverlayDirectory("/");
  readonly #relative = new OverlayDirectory(".");

  constructor(base: Disk) {
    this.#base = base;
  }

  /** What a path names: undefined when there is none. */
  find(path: string): OverlayEntry | undefined {
    const parts = partsOf(path);
    let entry: OverlayEntry | undefined = this.#root(path);
    for (let i = 0; i < parts.length; i += 1) {
      if (!(entry instanceof OverlayDirectory)) return undefined;
      entry = this.#child(entry, parts[i]!, i + 1 < parts.length);
    }
    return entry;
  }

  /** The place of a path in its parent, which must exist. Directories on the way become part of the tree. */
  place(path: string, operation: Operation): OverlayPlace {
    const parts = partsOf(path);
    const name = parts.pop();
    if (name === undefined) throw diskFailure(operation, path, "EBUSY"); // The root itself.
    let parent = this.#root(path);
    for (const part of parts) {
      const entry = this.#child(parent, part, true);
      if (entry === undefined) throw diskFailure(operation, path, "ENOENT");
      if (entry instanceof OverlayFile) throw diskFailure(operation, path, "ENOTDIR");
      parent.names.set(part, entry);
      parent = entry;
    }
    return { parent, name, entry: this.#child(parent, name, false) };
  }

  /** A directory's names, sorted. */
  list(directory: OverlayDirectory): string[] {
    const below = directory.base === "" ? [] : this.#base.list(directory.base);
    const names = below.filter((name) => !directory.names.has(name));
    for (const [name, entry] of directory.names) {
      if (entry !== undefined && this.kindOf(entry) !== "none") names.push(name);
    }
    return names.toSorted(compareUtf8);
  }

  /** What an entry is by now: what the base no longer has is gone here too, unless nothing of it is the base's. */
  kindOf(entry: OverlayEntry): "file" | "directory" | "other" | "none" {
    if (entry instanceof OverlayFile) {
      return entry.needsBase ? this.#base.kind(entry.base) : "file";
    }
    const kind = entry.base === "" ? "directory" : this.#base.kind(entry.base);
    if (kind !== "none") return kind;
    const isUsed = [...entry.names.values()].some((each) => each && this.kindOf(each) !== "none");
    return isUsed ? "directory" : "none";
  }

  #root(path: string): OverlayDirectory {
    return path.startsWith("/") ? this.#absolute : this.#relative;
  }

  /** An entry of a directory. On the way to a deeper one a symbolic link of the base counts as a directory. */
  #child(parent: OverlayDirectory, name: string, isOnTheWay: boolean): OverlayEntry | undefined {
    if (parent.names.has(name)) {
      const entry = parent.names.get(name);
      if (isOnTheWay || entry === undefined) return entry;
      return this.kindOf(entry) === "none" ? undefined : entry;
    }
    if (parent.base === "") return undefined;
    const path = below(parent.base, name);
    const kind = this.#base.kind(path);
    if (kind === "none") return undefined;
    const isDirectory = kind === "directory" || (kind === "other" && isOnTheWay);
    return isDirectory ? new OverlayDirectory(path) : new OverlayFile(path);
  }
}

function below(directory: string, name: string): string {
  if (directory === ".") return name;
  return directory === "/" ? `/${name}` : `${directory}/${name}`;
}

function partsOf(path: string): string[] {
  return path.split("/").filter((part) => part !== "" && part !== ".");
}
