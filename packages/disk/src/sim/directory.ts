import type { Random } from "@varve/bytes";
import type { SimFile } from "./file.ts";

/** What a name stands for. */
export type Entry = SimFile | SimDirectory;

/** One change of names. A rename inside a directory is one change, so it is atomic. */
export interface NameChange {
  readonly number: number;
  readonly directory: SimDirectory;
  readonly removes: string | undefined;
  readonly adds: string | undefined;
  readonly entry: Entry | undefined;
  /** The other half of a rename between directories: this removal never survives without it. */
  readonly after: NameChange | undefined;
}

/** A directory: the names that are seen, the names that would survive, and the changes between. */
export class SimDirectory {
  readonly names: Map<string, Entry>;
  readonly durableNames: Map<string, Entry>;
  pending: NameChange[] = [];

  constructor(names = new Map<string, Entry>(), durableNames = new Map<string, Entry>()) {
    this.names = names;
    this.durableNames = durableNames;
  }

  change(
    number: number,
    removes: string | undefined,
    adds?: string,
    entry?: Entry,
    after?: NameChange,
  ): NameChange {
    const change = { number, directory: this, removes, adds, entry, after };
    apply(this.names, change);
    this.pending.push(change);
    return change;
  }

  /** A sync that succeeded: the changes up to the operation given are durable, and only those. */
  persist(until: number): void {
    const changes = this.pending.filter((change) => change.number <= until);
    this.dropPending(until);
    for (const change of changes) {
      const { after } = change;
      if (after?.directory.pending.includes(after)) after.directory.persist(until);
      apply(this.durableNames, change);
    }
  }

  /** A sync that failed: the changes are seen, but never reach the device. */
  dropPending(until: number): void {
    this.pending = this.pending.filter((change) => change.number > until);
  }

  /** Names after a crash, given which of the pending changes survive. */
  survivors(survives: ReadonlySet<NameChange>): Map<string, Entry> {
    const names = new Map(this.durableNames);
    for (const change of this.pending) if (survives.has(change)) apply(names, change);
    return names;
  }
}

/** Which of the changes survive where each has a fate of its own (strict POSIX): any subset. */
export function chooseSubset(changes: readonly NameChange[], random: Random): Set<NameChange> {
  const chosen = new Set(changes.filter(() => random.chance(0.5)));
  for (const change of changes) if (chosen.has(change) && change.after) chosen.add(change.after);
  return chosen;
}

/** Which of the changes survive on an ordered device: those up to the operation given. */
export function choosePrefix(changes: readonly NameChange[], until: number): Set<NameChange> {
  return new Set(changes.filter((change) => change.number <= until));
}

function apply(names: Map<string, Entry>, change: NameChange): void {
  if (change.removes !== undefined) names.delete(change.removes);
  if (change.adds === undefined) return;
  if (change.entry instanceof SimDirectory) dropNamesOf(names, change.entry);
  names.set(change.adds, change.entry!);
}

/** A directory has one name. Where the loss of a rename would leave it another, the next one that is written takes that away. */
function dropNamesOf(names: Map<string, Entry>, directory: SimDirectory): void {
  for (const [name, entry] of names) if (entry === directory) names.delete(name);
}
