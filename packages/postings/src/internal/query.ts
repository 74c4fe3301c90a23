import { compareUtf8 } from "@varve/bytes";
import type { Matcher, SeriesKeys } from "@varve/contracts";
import { endOfPart, KeyReader } from "./key-reader.ts";
import type { LabelLists } from "./label-lists.ts";
import { labelBytes, nameBytes, textOf } from "./label-text.ts";
import type { Stretch } from "./lists.ts";
import type { Membership } from "./membership.ts";
import type { Name } from "./names.ts";
import { RefBits } from "./ref-bits.ts";
import { Selection } from "./selection.ts";
import { sortPairs, valueText } from "./walk.ts";

/** Answers from lists, and from keys where few series are left to ask. */
export class Query {
  /** Lists that were looked at. */
  listsRead = 0;
  readonly #lists: LabelLists;
  readonly #members: Membership;
  readonly #reader: KeyReader;
  readonly #stretch: Stretch = { words: new Uint32Array(0), from: 0, until: 0 };

  constructor(keys: SeriesKeys, lists: LabelLists, members: Membership) {
    this.#lists = lists;
    this.#members = members;
    this.#reader = new KeyReader(keys);
  }

  /** Living series that every matcher accepts, ascending, in an array of their own. */
  select(matchers: readonly Matcher[]): Uint32Array {
    const selection = new Selection(this.#lists, this.#reader, this.#members.listed);
    const isDecided = this.#startWithEqual(selection, matchers);
    if (!isDecided) {
      // Those that refuse series without the label have lists to begin with; the others only take away.
      for (const each of matchers) if (!isEqual(each) && !each.matches("")) selection.apply(each);
      for (const each of matchers) if (!isEqual(each) && each.matches("")) selection.apply(each);
    }
    const { refs, count } = selection.result();
    this.listsRead += selection.listsRead;
    const alive = this.#members.keepAlive(refs, count);
    return alive === refs.length ? refs : refs.slice(0, alive);
  }

  /** Names of the labels that the selected series carry, by their UTF-8 bytes. */
  labelNames(matchers: readonly Matcher[]): string[] {
    const names = this.#knownNames();
    const found = new Set<string>();
    const selected = matchers.length === 0 ? null : this.select(matchers);
    if (selected !== null && selected.length <= names.length) {
      for (const ref of selected) this.#collectNames(ref, found);
    } else {
      const marks = selected === null ? null : marksOf(selected);
      for (const name of names) if (this.#isCarried(name, marks)) found.add(name.text);
    }
    return [...found].sort(compareUtf8);
  }

  /** Values of one label that the selected series carry, by their UTF-8 bytes. */
  labelValues(label: string, matchers: readonly Matcher[]): string[] {
    const bytes = nameBytes(label);
    const name = bytes === null ? undefined : this.#lists.findName(bytes, 0, bytes.length);
    if (name === undefined) return [];
    const selected = matchers.length === 0 ? null : this.select(matchers);
    if (selected !== null && selected.length < name.count) return this.#valuesOf(selected, name);
    const marks = selected === null ? null : marksOf(selected);
    sortPairs(this.#lists, name);
    const found: string[] = [];
    for (let i = 0; i < name.count; i += 1) {
      const pair = name.pairs[i]!;
      if (this.#touches(pair, marks)) found.push(valueText(this.#lists, pair));
    }
    return found;
  }

  /** Intersects the lists of the equality matchers, the shortest first. True when nothing can be selected. */
  #startWithEqual(selection: Selection, matchers: readonly Matcher[]): boolean {
    const { lists } = this.#lists;
    const pairs: number[] = [];
    for (const each of matchers) {
      if (!isEqual(each)) continue;
      const bytes = labelBytes(each.name, each.value);
      const pair = bytes === null ? -1 : this.#lists.find(bytes, 0, bytes.length);
      if (pair < 0) {
        selection.startEmpty();
        return true;
      }
      pairs.push(pair);
    }
    pairs.sort((a, b) => lists.length(a) - lists.length(b));
    for (const [i, pair] of pairs.entries()) {
      if (i === 0) selection.startWith([pair]);
      else selection.keepIn(pair);
    }
    return false;
  }

  #knownNames(): Name[] {
    const { names } = this.#lists;
    const known: Name[] = [];
    for (let id = 0; id < names.idEnd; id += 1) {
      const name = names.get(id);
      if (name !== undefined) known.push(name);
    }
    return known;
  }

  #collectNames(ref: number, found: Set<string>): void {
    const reader = this.#reader;
    if (!reader.read(ref)) return;
    const { bytes } = reader;
    for (let at = 0; at < reader.length;) {
      const end = endOfPart(bytes, at);
      found.add(textOf(bytes, at, end));
      at = endOfPart(bytes, end + 1) + 1;
    }
  }

  #valuesOf(refs: Uint32Array, name: Name): string[] {
    const reader = this.#reader;
    const found = new Set<string>();
    for (const ref of refs) {
      if (!reader.read(ref)) continue;
      reader.findValue(name.bytes);
      if (reader.valueFrom < reader.valueUntil) {
        found.add(textOf(reader.bytes, reader.valueFrom, reader.valueUntil));
      }
    }
    return [...found].sort(compareUtf8);
  }

  #isCarried(name: Name, marks: RefBits | null): boolean {
    for (let i = 0; i < name.count; i += 1) {
      if (i >= name.gapFrom && i < name.gapUntil) continue;
      if (this.#touches(name.pairs[i]!, marks)) return true;
    }
    return false;
  }

  /** Whether a list holds a marked series, or a living one when there are no marks. */
  #touches(pair: number, marks: RefBits | null): boolean {
    const { lists } = this.#lists;
    const stretch = this.#stretch;
    this.listsRead += 1;
    const stretches = lists.stretches(pair);
    for (let i = 0; i < stretches; i += 1) {
      lists.stretch(pair, i, stretch);
      for (let at = stretch.from; at < stretch.until; at += 1) {
        const ref = stretch.words[at]!;
        if (marks === null ? this.#members.isAlive(ref) : marks.has(ref)) return true;
      }
    }
    return false;
  }
}

/** Whether a matcher is answered by one list. */
function isEqual({ kind, value }: Matcher): boolean {
  return kind === "=" && value !== "";
}

function marksOf(refs: Uint32Array): RefBits {
  const marks = new RefBits();
  for (let i = 0; i < refs.length; i += 1) marks.add(refs[i]!);
  return marks;
}
